// BERT against recordings of the original.

import type { Model } from '../../../core/extensions';
import { bert, bertOptions } from '../../../plugins/text/bert';
import { testRecordedModel } from '../../support/model-cases';

const modelOf = (args: object): Model => bert(bertOptions.parse(args));

testRecordedModel('proj/flaxformer/bert', modelOf);

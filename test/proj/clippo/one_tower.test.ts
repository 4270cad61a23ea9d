// The one-tower model against recordings of the original.

import type { Model } from '../../../core/extensions';
import towers from '../../../plugins/towers';
import vit from '../../../plugins/vit';
import clippo from '../../../proj/clippo';
import { pairLosses, testRecordedModel } from '../../support/model-cases';
import { register } from '../../support/pp';

const { registry, container } = register(vit, towers, clippo as never);
const modelOf = (args: object): Model =>
  registry.create(container, 'model', 'proj.clippo.one_tower', args, 'model');

testRecordedModel('proj/clippo/one_tower', modelOf, { names: ['zimg', 'ztxt'], losses: pairLosses });

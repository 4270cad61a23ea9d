// BERT against recordings of the original.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { allocate, type HostArray, hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Model, ParamArrays } from '../../../core/extensions';
import { namedLeaves, nest } from '../../../core/tree';
import { bert, bertOptions } from '../../../plugins/text/bert';
import { arraysUnder, type GoldenCase, readCase } from '../../support/golden';
import { testRecordedModel } from '../../support/model-cases';
import { temporaryFolder } from '../../support/temporary';

const modelOf = (args: object): Model => bert(bertOptions.parse(args));

testRecordedModel('proj/flaxformer/bert', modelOf);

describe('checkpoints', () => {
  const released = path.join(__dirname, '../../golden/bert_checkpoint');
  let golden: GoldenCase;
  let params: ParamArrays;
  const init = (args: object) => {
    const zero = ({ dtype, shape }: HostArray) => allocate(dtype, shape);
    const rows = (args as { max_length?: number }).max_length;
    const cut = (name: string, array: HostArray) =>
      name.includes('position_ids') && rows ? allocate(array.dtype, [rows, 8]) : zero(array);
    return nest(namedLeaves<HostArray>(params).map(([name, array]) => [name, cut(name, array)]));
  };
  const load = (from: string, args: object = {}, dont_load?: string[]) =>
    modelOf({ ...golden.args, ...args }).load!(init(args), from, { dont_load });
  beforeAll(async () => {
    golden = await readCase('model_bert_nohead');
    params = arraysUnder(golden.inputs, 'params');
  });

  test('as its authors released them, in a folder', async () => {
    expect(await load(released)).toEqual(params);
  });

  test('of a model for shorter texts, the first positions', async () => {
    const loaded = new Map(namedLeaves<HostArray>(await load(released, { max_length: 4 })));
    const name = 'BertEncoder_0/embedder/embedders_position_ids/embedding';
    const whole = new Map(namedLeaves<HostArray>(params)).get(name)!;
    expect(loaded.get(name)).toEqual(hostArray('float32', [4, 8], whole.data.slice(0, 32)));
  });

  test('one file, and names that keep their initial values', async () => {
    const file = path.join(temporaryFolder(), 'lit.npz');
    await saveNpz(file, { params: { txt: params } });
    expect(await load(`${file}:txt`)).toEqual(params);
    const loaded = await load(`${file}:txt`, {}, ['BertEncoder_0/layer_norm/.*']);
    const { layer_norm } = loaded.BertEncoder_0 as ParamArrays;
    expect((layer_norm as Record<string, HostArray>).scale!.data).toEqual(new Float32Array(8));
  });

  test('a damaged index', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(
      path.join(folder, 'bert_model.ckpt.index'),
      'not a table, but long enough to hold a footer',
    );
    await expect(load(folder)).rejects.toThrow(/bert_model.ckpt.index.*does not end as a table/);
  });
});

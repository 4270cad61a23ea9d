// The two-tower model against recordings of the original, and its checkpoints.

import path from 'node:path';
import { allocate, type HostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Model, ParamArrays } from '../../../core/extensions';
import { namedLeaves, nest } from '../../../core/tree';
import layers from '../../../plugins/layers';
import text from '../../../plugins/text';
import towers from '../../../plugins/towers';
import vit from '../../../plugins/vit';
import imageText from '../../../proj/image_text';
import { arraysUnder, type GoldenCase, readCase } from '../../support/golden';
import { pairLosses, testRecordedModel } from '../../support/model-cases';
import { register } from '../../support/pp';
import { temporaryFolder } from '../../support/temporary';

const { registry, container } = register(layers, vit, text, towers, imageText as never);
const modelOf = (args: object): Model =>
  registry.create(container, 'model', 'proj.image_text.two_towers', args, 'model');

testRecordedModel('proj/image_text/two_towers', modelOf, { names: ['zimg', 'ztxt'], losses: pairLosses });

test('options of a tower are checked by the tower', () => {
  expect(() => modelOf({ image: { widht: 8 } })).toThrow(/"model.image.widht".*Did you mean "width"/);
  expect(() => modelOf({ text_model: 'proj.image_text.text_tranformer' })).toThrow(/text_transformer/);
});

describe('checkpoints', () => {
  let golden: GoldenCase;
  let saved: ParamArrays;
  let initial: ParamArrays;
  let file: string;
  beforeAll(async () => {
    golden = await readCase('model_towers_two_bias');
    saved = arraysUnder(golden.inputs, 'params');
    // Other values, so that it is seen where each comes from.
    const zero = ({ dtype, shape }: HostArray) => allocate(dtype, shape);
    initial = nest(namedLeaves<HostArray>(saved).map(([name, array]) => [name, zero(array)]));
    file = path.join(temporaryFolder(), 'towers.npz');
    await saveNpz(file, { params: saved });
  });
  const load = (from: string | Record<string, string>, options: object = {}) => {
    const model = modelOf(golden.args);
    return model.load!(initial, from, model.loadOptions!.parse(options));
  };

  test('one file has all parts', async () => {
    expect(await load(file)).toEqual(saved);
  });

  test('a file for each part; what is not named stays', async () => {
    const { img, t, txt, b } = await load({ image: `${file}:img`, temperature: `${file}:t` });
    expect({ img, t }).toEqual({ img: saved.img, t: saved.t });
    expect({ txt, b }).toEqual({ txt: initial.txt, b: initial.b });
  });

  test('options of each tower', async () => {
    const { img } = await load(file, { img_load_kw: { dont_load: ['head/.*'] } });
    expect(img).toEqual({ ...(saved.img as ParamArrays), head: (initial.img as ParamArrays).head });
  });

  test.each<[string | Record<string, string>, RegExp]>([
    [{ imgs: './x.npz' }, /file for "imgs".*Did you mean "img"/],
    [{ text: './x.npz:img' }, /x.npz/],
    [
      'SigLIP B/16 224',
      /storage.googleapis.com\/big_vision\/siglip.*set model_init to .\/webli_en_b16_224_63724782.npz\./s,
    ],
  ])('%j is refused', async (from, message) => {
    await expect(load(from)).rejects.toThrow(message);
  });
});

// The model's options, and what is said about those that don't fit the data or the parameters.

import { hostArray, type HostArray } from '../../../core/array';
import { Container } from '../../../core/container';
import { UserError } from '../../../core/errors';
import { type ParamArrays, Registry } from '../../../core/extensions';
import { Scope } from '../../../core/layers/scope';
import { registrarFor } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import { nest, type NestedRecord } from '../../../core/tree';
import layers from '../../../plugins/layers';
import plugin, { decodeVariant, resolveOptions, vit, vitOptions } from '../../../plugins/vit';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { sendAll, type TestRuntime, toTensor, useEagerCpu } from '../../support/runtimes';

useEagerCpu();

const resolve = (options: object) => resolveOptions(vitOptions.parse(options));

test('variants are those of the original', async () => {
  const [info] = goldenCases(({ name }) => name === 'vit:decode_variant');
  const golden = await readCase(info?.folder as string);
  const variants = (golden.args.variants as string[]).map((name) => decodeVariant(name));
  const columns = [...golden.outputs.keys()].map((key) => {
    const values = variants.map((variant) => variant?.[key as 'width'] as number);
    return [key, hostArray('int32', [values.length], values)] as const;
  });
  expect(expectCase(new Map<string, HostArray>(columns), golden)).toBe(0);
  expect(decodeVariant('B/32')?.patch_size).toEqual([32, 32]);
  for (const wrong of ['', 'b', 'B/', 'B/0', 'B/16/16', 'B/1.5', 'toString']) {
    expect(decodeVariant(wrong)).toBeUndefined();
  }
});

test('what is given overrides the variant, which overrides the defaults', () => {
  expect(resolve({})).toMatchObject({
    patch_size: [16, 16],
    width: 768,
    depth: 12,
    mlp_dim: null,
    num_heads: 12,
  });
  expect(resolve({ variant: 'Ti' })).toMatchObject({
    patch_size: [16, 16],
    width: 192,
    mlp_dim: 768,
    num_heads: 3,
  });
  expect(resolve({ variant: 'Ti/8', depth: 2, mlp_dim: null, patch_size: [4, 8] })).toMatchObject({
    patch_size: [4, 8],
    width: 192,
    depth: 2,
    mlp_dim: null,
  });
  expect(resolve({ variant: null, num_classes: 0 })).toMatchObject({ width: 768, num_classes: 0 });
});

describe('as registered', () => {
  const registry = new Registry();
  for (const each of [layers, plugin]) each.register?.(registrarFor(each, registry, Container.create()));
  const create = (options: object) => registry.create(Container.create(), 'model', 'vit', options, 'model');

  test('the plugin says what it needs', () => {
    expect(plugin.needs).toEqual({ layers: '^0.1.0' });
    expect(registry.list('model').map(({ name }) => name)).toEqual(['vit']);
  });

  test.each([
    [{ variant: 'Tiny/16' }, /model\.variant.*NAME or NAME\/PATCH.*Ti/],
    [{ variant: 's/16' }, /Did you mean "S"/],
    [{ pool_typ: 'map' }, /pool_typ.*pool_type/],
    [{ pool_type: 'mean' }, /model\.pool_type/],
    [{ num_heads: 0 }, /model\.num_heads/],
    [{ patch_size: 16 }, /model\.patch_size/],
    [{ dropout: 2 }, /model\.dropout/],
  ])('%j', (options, message) => {
    expect(() => create(options)).toThrow(UserError);
    expect(() => create(options)).toThrow(message);
  });
});

describe('shapes', () => {
  const small = { patch_size: [4, 4], width: 8, depth: 2, num_heads: 2, num_classes: 3 };
  const images = (...shape: number[]) => ({ image: tf.fill([1, ...shape], 0.5) });
  const apply = (options: object, batch: object, scope: Scope) =>
    vit(vitOptions.parse({ ...small, ...options })).apply(scope, batch as never, { train: false });
  const declared = (options: object, batch: object) => {
    const names: Parameters<typeof Scope.declaring>[0] = [];
    apply(options, batch, Scope.declaring(names));
    return names;
  };
  const paramsOf = (options: object): ParamArrays =>
    nest(
      declared(options, images(8, 8, 3)).map(({ name, spec }) => {
        const size = spec.shape.reduce((a, b) => a * b, 1);
        return [name, hostArray('float32', spec.shape, new Float32Array(size))] as const;
      }),
    ) as ParamArrays;
  const reading = (params: ParamArrays) =>
    Scope.reading(
      sendAll({ toDevice: toTensor } as unknown as TestRuntime, params as NestedRecord<HostArray>),
    );

  test.each<[string, object, () => object, RegExp]>([
    [
      'no image',
      {},
      () => ({ images: tf.fill([1, 8, 8, 3], 0) }),
      /^The model: the batch has no "image"\.\nTry: .*keep\("image"/,
    ],
    [
      'no batch axis',
      {},
      () => ({ image: tf.fill([8, 8, 3], 0) }),
      /^"embedding": .*\[8, 8, 3\].*batch, height/,
    ],
    [
      'a small image',
      {},
      () => images(8, 3, 3),
      /^"embedding": the image of 8 x 3 is smaller than the patch of 4 x 4\./,
    ],
    [
      'heads that don’t divide the width',
      { num_heads: 3 },
      () => images(8, 8, 3),
      /^"Transformer\/encoderblock_0\/MultiHeadDotProductAttention_0": a width of 8 can't be divided into 3 heads\./,
    ],
    [
      'sincos2d of an odd width',
      { posemb: 'sincos2d', width: 6 },
      () => images(8, 8, 3),
      /^The model: sincos2d needs .* 6\./,
    ],
  ])('%s', (_, options, batch, message) => {
    expect(() => declared(options, batch())).toThrow(UserError);
    expect(() => declared(options, batch())).toThrow(message);
  });

  test('another resolution than that of the parameters', () => {
    const use = () => apply({}, images(12, 12, 3), reading(paramsOf({})));
    expect(use).toThrow(UserError);
    expect(use).toThrow(
      /^The parameter "pos_embedding" has shape \[1, 4, 8\], the model expects \[1, 9, 8\]\./,
    );
    expect(() => apply({}, images(8, 8, 1), reading(paramsOf({})))).toThrow(
      /"embedding\/kernel" has shape \[4, 4, 3, 8\], the model expects \[4, 4, 1, 8\]/,
    );
  });

  test('another model than that of the parameters', () => {
    expect(() => apply({ mlp_dim: 5 }, images(8, 8, 3), reading(paramsOf({})))).toThrow(
      /"Transformer\/encoderblock_0\/MlpBlock_0\/Dense_0\/kernel" has shape \[8, 32\], the model expects \[8, 5\]/,
    );
    expect(() => apply({ pool_type: 'map' }, images(8, 8, 3), reading(paramsOf({})))).toThrow(
      /no parameter "MAPHead_0\/probe"/,
    );
    expect(() => apply({ depth: 3 }, images(8, 8, 3), reading(paramsOf({})))).toThrow(
      /no parameter "Transformer\/encoderblock_2\/LayerNorm_0\/scale"/,
    );
    expect(() => apply({ depth: 3, scan: true }, images(8, 8, 3), reading(paramsOf({ scan: true })))).toThrow(
      /"Transformer\/encoderblock" has parameters of 2 layers, and the model has 3/,
    );
  });

  test('a model with dropout is deterministic outside of training, and needs a key in it', () => {
    const model = vit(vitOptions.parse({ ...small, dropout: 0.5, head_zeroinit: false }));
    const params = paramsOf({});
    const call = (train: boolean) => model.apply(reading(params), images(8, 8, 3) as never, { train });
    expect(call(false).output).toBeInstanceOf(tf.Tensor);
    expect(() => call(true)).toThrow(/no random stream "dropout"/);
  });
});

// Abstract evaluation for eager runtimes: a backend whose tensors are all zeros in shared memory. It is tfjs's cpu
// backend, except that the kernels that cost time or memory in a model only work out the shape of their result.

import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  backend_util,
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  copyRegisteredKernels,
  type DataType,
  engine,
  fill,
  type FillAttrs,
  getKernel,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  registerBackend,
  registerKernel,
  type Tensor,
  type TensorInfo,
  tidy,
  type TransposeAttrs,
} from '@tensorflow/tfjs-core';
import { type DType, sizeOf } from '../../core/array';
import { TensorSpec } from '../../core/runtime';
import { type OwnInputs, ownKernelName, type OwnOp } from '../../core/tensor/own-ops';
import { type OwnRule, ownRules, type Shaped } from '../../core/tensor/own-rules';
import { mapTree, type Tree } from '../../core/tree';
import { activate, whileUnderWay } from './activate';
import { prepareCpu } from './cpu';
import { tensorTypes } from './types';

const backendName = 'bv-abstract';

/** The shape of the result, or undefined where the cpu backend's kernel had better say. */
type Rule = (inputs: Record<string, TensorInfo>, attrs: NamedAttrMap) => Shaped | undefined;

const isFloat = (...inputs: (TensorInfo | undefined)[]) => inputs.every((x) => x?.dtype === 'float32');

const unary: Rule = ({ x, logits = x }) =>
  isFloat(logits) ? { shape: (logits as TensorInfo).shape, dtype: 'float32' } : undefined;

const binary =
  (dtype: DataType): Rule =>
  ({ a, b }) =>
    a && b && isFloat(a, b)
      ? { dtype, shape: backend_util.assertAndGetBroadcastShape(a.shape, b.shape) }
      : undefined;

const matMul: Rule = ({ a, b }, { transposeA, transposeB }) => {
  if (!a || !b) return undefined;
  const batch = backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const rows = a.shape.at(transposeA ? -1 : -2) as number;
  const columns = b.shape.at(transposeB ? -2 : -1) as number;
  return { dtype: 'float32', shape: [...batch, rows, columns] };
};

const conv2d: Rule = ({ x, filter }, attrs) => {
  const { strides, pad, dilations, dimRoundingMode, dataFormat } = attrs as unknown as Conv2DAttrs;
  const { outShape } = backend_util.computeConv2DInfo(
    x?.shape as [number, number, number, number],
    filter?.shape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    backend_util.convertConv2DDataFormat(dataFormat),
  );
  return { dtype: 'float32', shape: outShape };
};

const rules: Readonly<Record<string, Rule>> = {
  ...each(['Abs', 'Ceil', 'ClipByValue', 'Cos', 'Erf', 'Exp', 'Expm1', 'Floor', 'Log', 'Log1p'], unary),
  ...each(
    ['Neg', 'Reciprocal', 'Relu', 'Round', 'Rsqrt', 'Sigmoid', 'Sign', 'Sin', 'Softmax', 'Softplus'],
    unary,
  ),
  ...each(['Sqrt', 'Square', 'Tan', 'Tanh'], unary),
  ...each(
    ['Add', 'Maximum', 'Minimum', 'Multiply', 'Pow', 'RealDiv', 'SquaredDifference', 'Sub'],
    binary('float32'),
  ),
  ...each(['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'], binary('bool')),
  BatchMatMul: matMul,
  Conv2D: conv2d,
  Conv2DBackpropInput: (_, attrs) => ({
    dtype: 'float32',
    shape: (attrs as unknown as Conv2DBackpropInputAttrs).inputShape,
  }),
  Conv2DBackpropFilter: (_, attrs) => ({
    dtype: 'float32',
    shape: (attrs as unknown as Conv2DBackpropFilterAttrs).filterShape,
  }),
  Fill: (_, attrs) => {
    const { shape, dtype = 'float32', value } = attrs as unknown as FillAttrs;
    return value === 0 ? { shape, dtype } : undefined;
  },
  Transpose: ({ x }, attrs) => {
    const { perm } = attrs as unknown as TransposeAttrs;
    return x && { dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] as number) };
  },
};

function each(names: readonly string[], rule: Rule): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

/** Memory that all the zeros of a dtype share: nothing writes to it. */
let zeroBytes = new ArrayBuffer(0);

function zeros(backend: MathBackendCPU, { shape, dtype }: Shaped): TensorInfo {
  const size = sizeOf(shape);
  if (zeroBytes.byteLength < 4 * size) zeroBytes = new ArrayBuffer(4 * size);
  const Typed = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array;
  return backend.makeTensorInfo([...shape], dtype, new Typed(zeroBytes, 0, size));
}

function start(): void {
  // Its kernels must not write into the memory that all zeros share.
  prepareCpu();
  registerBackend(backendName, () => new MathBackendCPU(), 0);
  copyRegisteredKernels('cpu', backendName);
  for (const [kernelName, rule] of Object.entries(rules)) {
    const { kernelFunc } = getKernel(kernelName, 'cpu');
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: (call) => {
        const shape = rule(call.inputs as Record<string, TensorInfo>, call.attrs ?? {});
        return shape ? zeros(call.backend as MathBackendCPU, shape) : kernelFunc(call);
      },
    });
  }
  for (const op of Object.keys(ownRules) as OwnOp[]) registerOwn(op, ownRules[op] as OwnRule<OwnOp>);
}

function registerOwn(op: OwnOp, rule: OwnRule<OwnOp>): void {
  registerKernel({
    kernelName: ownKernelName(op),
    backendName,
    kernelFunc: ({
      inputs,
      attrs,
      backend,
    }: {
      inputs: NamedTensorInfoMap;
      attrs?: NamedAttrMap;
      backend: object;
    }) => {
      const shape = rule.shape(inputs as OwnInputs<OwnOp, TensorInfo>, (attrs ?? {}) as never);
      const made = (of: Shaped) => zeros(backend as MathBackendCPU, of);
      return Array.isArray(shape) ? (shape as Shaped[]).map(made) : made(shape as Shaped);
    },
  });
}

let started = false;

/** The specs of fn's results; leaves of `args` that aren't a TensorSpec are passed on. */
export function evalShape(fn: (...args: never[]) => unknown, args: readonly unknown[]): Tree<TensorSpec> {
  if (!started) start();
  started = true;
  const before = engine().backendName;
  activate(backendName);
  try {
    let specs: Tree<TensorSpec>;
    tidy(() => {
      const abstract = args.map((arg) =>
        mapTree<unknown, unknown>(arg as Tree<unknown>, (leaf) =>
          leaf instanceof TensorSpec ? fill([...leaf.shape], 0, tensorTypes[leaf.dtype]) : leaf,
        ),
      );
      const made = whileUnderWay(() => fn(...(abstract as never[]))) as Tree<Tensor>;
      specs = mapTree(made, ({ dtype, shape }) => {
        return new TensorSpec(dtype as DType, shape);
      });
    });
    return specs;
  } finally {
    activate(before);
  }
}

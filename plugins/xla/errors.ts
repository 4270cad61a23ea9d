// What users can do wrong with the XLA runtime, and what they can do about it.

import { catalogue } from '../../core/errors';

const list = (numbers: readonly number[]) => `[${numbers.join(', ')}]`;

export const errors = catalogue('xla', {
  unloweredKernel: (v: { kernel: string; reason?: string }) => ({
    what: `The tfjs kernel "${v.kernel}" doesn't run on the xla runtime${v.reason ? `: ${v.reason}` : ''}.`,
    fix: 'use other ops for this, or compute it on the host before the step.',
  }),
  readInTrace: (v: { name: string; what: string; shape: readonly number[] }) => ({
    what: `"${v.name}" is being traced, so the tensor ${v.what} ${list(v.shape)} has no values yet, but dataSync(), data() or an op that needs values on the host asked for them.`,
    fix: 'return the tensor from the jitted function and read it there, or make the decision with tf.where.',
  }),
  escaped: (v: { name: string; shape: readonly number[] }) => ({
    what: `A tensor ${list(v.shape)} made while "${v.name}" was traced is used outside of that trace.`,
    fix: 'return it from the jitted function instead of keeping it in a variable.',
  }),
  donated: (v: { name: string; shape: readonly number[] }) => ({
    what: `The tensor ${list(v.shape)} was donated to "${v.name}", which reused its memory.`,
    fix: `use what "${v.name}" returned, or don't list the argument in "donate".`,
  }),
  donatedTwice: (v: { name: string; leaf: string; first: string }) => ({
    what: `"${v.name}" is given the same memory twice, as ${v.first} and as ${v.leaf}, and would reuse it.`,
    fix: 'pass a copy for one of them (tf.add(x, 0)), or donate neither.',
  }),
  disposed: (v: { shape: readonly number[] }) => ({
    what: `A tensor ${list(v.shape)} is used after it was disposed.`,
    fix: 'dispose it later, or keep a clone of it.',
  }),
  runtimeGone: () => ({
    what: 'A tensor is used after the runtime that made it was disposed.',
    fix: 'copy it to the host (toHost) before disposing the runtime.',
  }),
  randomInTrace: (v: { name: string; op: string }) => ({
    what: `tf.${v.op} ran while "${v.name}" was traced: its numbers would be baked into the program, the same in every step.`,
    fix: 'use random.uniform, random.normal, ... of core/tensor with a key that is an argument.',
  }),
  notATensor: (v: { name: string; leaf: string; found: string }) => ({
    what: `"${v.name}" got ${v.found} as ${v.leaf}, and can take tensors alone.`,
    fix: 'list the argument in "static", or make a tensor of it.',
  }),
  badResult: (v: { name: string; leaf: string; found: string }) => ({
    what: `"${v.name}" returned ${v.found} as ${v.leaf}, and can return tensors alone.`,
    fix: 'return tensors; compute other values outside.',
  }),
  asyncTrace: (v: { name: string }) => ({
    what: `"${v.name}" returned a promise, and can't be traced.`,
    fix: 'make it a synchronous function; await its inputs before the call.',
  }),
  otherBackend: (v: { backend: string; shape: readonly number[] }) => ({
    what: `A tensor ${list(v.shape)} of the tfjs backend "${v.backend}" is used in a trace of the xla runtime.`,
    fix: 'copy it with runtime.toDevice.',
  }),
  bodyType: (v: { op: string; index: number; before: string; after: string }) => ({
    what: `${v.op}: value ${v.index} is stored as ${v.before} before and as ${v.after} after.`,
    fix: 'cast it (tf.castStorage) so that the type stays the same.',
  }),
  stringTensor: () => ({
    what: 'The xla runtime has no string tensors.',
    fix: 'keep strings in JavaScript arrays, and make tensors of their token ids.',
  }),
  notDivisible: (v: {
    shape: readonly number[];
    dim: number;
    parts: number;
    axes: readonly string[];
    what?: string;
  }) => ({
    what: `${v.what ?? 'An array'} of shape ${list(v.shape)} can't be split over the mesh: dimension ${v.dim} has ${v.shape[v.dim]} elements, and the ${v.axes.length > 1 ? 'axes' : 'axis'} ${v.axes.map((axis) => `"${axis}"`).join(', ')} ${v.axes.length > 1 ? 'have' : 'has'} ${v.parts} devices.`,
    fix: `make ${v.shape[v.dim]} a multiple of ${v.parts} (the batch size, most likely), or use another mesh.`,
  }),
  notWhole: (v: { array: string }) => ({
    what: `${v.array} is read, and other processes hold parts of it.`,
    fix: 'read it with runtime.toHost, which all processes call.',
  }),
  processes: (v: { platform: string; given: number; found: number }) => ({
    what: `The run has ${v.given} ${v.given === 1 ? 'process' : 'processes'}, and the devices of the ${v.platform} plugin are of ${v.found}.`,
    fix:
      v.platform === 'cpu'
        ? 'leave out --processes: the CPU plugin runs no program over several processes; --devices N makes virtual devices in one.'
        : 'give --processes the number of machines that the devices belong to.',
  }),
  unknownAxis: (v: { axis: string; known: readonly string[] }) => ({
    what: `The mesh has no axis "${v.axis}".`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
  axisTwice: (v: { axis: string; spec: string }) => ({
    what: `The partition spec ${v.spec} names the mesh axis "${v.axis}" twice.`,
    fix: 'split one dimension over it.',
  }),
  specTooLong: (v: { spec: string; shape: readonly number[] }) => ({
    what: `The partition spec ${v.spec} has more dimensions than the shape ${list(v.shape)}.`,
    fix: 'give at most one entry for each dimension.',
  }),
  devicesNotHere: (v: { topology: string }) => ({
    what: `The devices of ${v.topology} aren't here: programs can be compiled for them, but not run, and tensors can't be put there.`,
    fix: 'take out of the step what computes with tensors while it is set up, or run on a machine that has the devices.',
  }),
  badFlags: (v: { text: string }) => ({
    what: `BV_XLA_FLAGS="${v.text}" is not a list of NAME=VALUE with commas between.`,
    fix: 'for example BV_XLA_FLAGS=xla_cpu_enable_fast_math=true.',
  }),
  notInstalled: (v: { platform: string }) => ({
    what: `The PJRT plugin for "${v.platform}" isn't installed.`,
    fix: `run \`bv runtime install ${v.platform}\`.`,
  }),
});

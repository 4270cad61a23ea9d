// Loops and branches. In a program that is being built they are one operation with the body traced once; elsewhere they
// are JavaScript's loops and branches, with the same numbers.

import { add, clone, stack, type Tensor, unstack, zerosLike } from '@tensorflow/tfjs-core';
import { catalogue } from '../errors';
import { flatten, namedLeaves, type Tree, type TreeDef, unflatten } from '../tree';
import { runOwn } from './own-ops';
import { currentRegions, type Regions, type Saves, type ScanLoop, type ScanStep } from './regions';
import { type RematPolicy, savesOf } from './remat-policies';
import { offTape, pullBack, putOnTape, tapeIsOn, withFreeTensors } from './tape';

const list = (shape: readonly number[]) => `[${shape.join(', ')}]`;
const describe = ({ dtype, shape }: Tensor) => `${dtype}${list(shape)}`;

const errors = catalogue('control', {
  structure: (v: { op: string; what: string }) => ({
    what: `${v.op}: ${v.what} have different structures.`,
    fix: 'return trees with the same keys and as many items.',
  }),
  leaf: (v: { op: string; leaf: string; before: string; after: string }) => ({
    what: `${v.op}: ${v.leaf} is ${v.before} before and ${v.after} after.`,
    fix: 'return the same shape and dtype (tf.cast, tf.reshape).',
  }),
  length: (v: { lengths: readonly number[] }) => ({
    what: `scan: the number of steps isn't known to be one: ${v.lengths.length === 0 ? 'there is neither an xs nor a "length"' : v.lengths.join(' and ')}.`,
    fix: 'give all of xs the same leading axis, of at least 1, and "length" that number or nothing.',
  }),
  scalar: (v: { op: string; found: string }) => ({
    what: `${v.op}: the condition is ${v.found}, and has to be one bool.`,
    fix: 'reduce it with tf.all or tf.any.',
  }),
  whileGradient: () => ({
    what: "whileLoop has no gradient: how often the body runs isn't known.",
    fix: 'use scan with a fixed number of steps, or stop the gradient of its arguments (tf.stopGradient).',
  }),
});

export interface ScanOptions {
  /** The number of steps: needed where xs is empty. */
  readonly length?: number;
  /** From the last of xs to the first. */
  readonly reverse?: boolean;
  /** What the backward pass may keep of each step beside its carry; by default all that it needs. */
  readonly remat?: RematPolicy;
}

/**
 * Runs `body` once for each slice of xs along the leading axis, handing on a carry: jax.lax.scan. Compiled runtimes
 * trace the body a fixed number of times, whatever the length. Differentiable, any number of times, also by outer
 * tensors that the body uses. The body must do the same each time it is called.
 *
 * @param body of the carry and one slice (trees of tensors): the next carry, of the same structure, shapes and dtypes,
 *   and any tree of tensors
 * @returns the last carry, and the bodies' trees stacked on a new leading axis in the order of xs
 */
export function scan<Carry extends Tree<Tensor>, X extends Tree<Tensor>, Y extends Tree<Tensor>>(
  body: (carry: Carry, x: X) => readonly [carry: Carry, y: Y],
  init: Carry,
  xs: X,
  options: ScanOptions = {},
): [carry: Carry, ys: Y] {
  const { reverse = false, remat = 'none' } = options;
  const carry = flatten<Tensor>(init);
  const slices = flatten<Tensor>(xs);
  const length = stepsOf(slices.leaves, options.length);
  let outputs: TreeDef | undefined;
  const step = (state: readonly Tensor[], slice: readonly Tensor[]): ScanStep => {
    const [next, y] = body(unflatten(carry.treedef, state) as Carry, unflatten(slices.treedef, slice) as X);
    const after = flatten<Tensor>(next);
    checkSame('scan', "the carry and the body's", init, carry.leaves, carry.treedef, after);
    const flat = flatten<Tensor>(y);
    outputs = flat.treedef;
    return { carry: after.leaves, ys: flat.leaves };
  };
  const loop = { carry: carry.leaves, xs: slices.leaves, length, reverse, body: step };
  const regions = currentRegions();
  const result = regions ? scanInRegions(regions, loop, savesOf(remat)) : scanEagerly(loop);
  return [unflatten(carry.treedef, result.carry) as Carry, unflatten(outputs as TreeDef, result.ys) as Y];
}

function stepsOf(xs: readonly Tensor[], length: number | undefined): number {
  const lengths = new Set(xs.map(({ shape }) => shape[0] ?? 0));
  if (length !== undefined) lengths.add(length);
  const [steps = 0] = lengths;
  if (lengths.size !== 1 || steps < 1) throw errors.length({ lengths: [...lengths] });
  return steps;
}

function checkSame(
  op: string,
  what: string,
  names: Tree<Tensor>,
  before: readonly Tensor[],
  treedef: TreeDef,
  after: { readonly leaves: readonly Tensor[]; readonly treedef: TreeDef },
): void {
  if (after.treedef.key !== treedef.key) throw errors.structure({ op, what });
  before.forEach((x, i) => {
    const y = after.leaves[i] as Tensor;
    if (describe(x) === describe(y)) return;
    const name = namedLeaves<Tensor>(names)[i]?.[0];
    throw errors.leaf({
      op,
      leaf: name ? `"${name}"` : 'the value',
      before: describe(x),
      after: describe(y),
    });
  });
}

function scanEagerly({ carry: init, xs, length, reverse, body }: ScanLoop): ScanStep {
  // One unstack for each of xs: its gradient is then one stack.
  const slices = xs.map((x) => unstack(x));
  const steps = Array.from({ length }, (_, i) => (reverse ? length - 1 - i : i));
  const ys: (readonly Tensor[])[] = [];
  let carry = init;
  for (const i of steps) {
    const step = body(
      [...carry],
      slices.map((slice) => slice[i] as Tensor),
    );
    carry = step.carry;
    ys[i] = step.ys;
  }
  return { carry, ys: (ys[0] as readonly Tensor[]).map((_, k) => stack(ys.map((y) => y[k] as Tensor))) };
}

/**
 * The loop as one node of the tape. With the ys come the carries before each step and what `saves` picks; the backward
 * pass is a loop in the other direction that runs the body on them again, where what was saved isn't computed.
 */
function scanInRegions(regions: Regions, loop: ScanLoop, saves: Saves): ScanStep {
  if (!tapeIsOn()) return offTape(() => regions.scan(loop));
  let ySize = 0;
  const { result, free } = withFreeTensors(() =>
    regions.scan({
      ...loop,
      body: (carry, xs) => {
        const { outputs, saved } = regions.record(saves, () => {
          const step = loop.body(carry, xs);
          ySize = step.ys.length;
          // Copies, so that an outer tensor which is a result counts as one that was used.
          return [...step.carry, ...step.ys].map((x) => clone(x));
        });
        const ys = [...outputs.slice(loop.carry.length), ...carry, ...saved];
        return { carry: outputs.slice(0, loop.carry.length), ys };
      },
    }),
  );
  const ys = result.ys.slice(0, ySize);
  const history = result.ys.slice(ySize, ySize + loop.carry.length);
  const saved = result.ys.slice(ySize + loop.carry.length);
  const inputs = [...free, ...loop.carry, ...loop.xs];
  const outputs = [...result.carry, ...ys, ...history];
  regions.hold([...inputs, ...outputs, ...saved]);
  // What is saved has no gradient of its own: the backward pass takes it for what the body computes of carry and xs.
  putOnTape('Scan', inputs, outputs, (dys, wanted) =>
    scanBackward(regions, loop, saves, { free, outputs, history, saved }, dys, wanted),
  );
  return { carry: result.carry, ys };
}

interface Forward {
  readonly free: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly history: readonly Tensor[];
  readonly saved: readonly Tensor[];
}

function scanBackward(
  regions: Regions,
  loop: ScanLoop,
  saves: Saves,
  { free, outputs, history, saved }: Forward,
  dys: readonly (Tensor | null)[],
  wanted: readonly boolean[],
): (Tensor | undefined)[] {
  const carries = loop.carry.length;
  const [freeWanted, , xWanted] = parts(wanted, free.length, carries, loop.xs.length);
  const shared = free.filter((_, i) => freeWanted[i]);
  const isFloat = ({ dtype }: Tensor) => dtype === 'float32';
  const floatCarry = loop.carry.map(isFloat);
  const dCarry = outputs
    .slice(0, carries)
    .map((x, i) => (dys[i] ? castLike(dys[i], x) : zerosLike(x)))
    .filter((_, i) => floatCarry[i]);
  // Of ys and history: one dy for each step.
  const stepDys = dys.slice(carries);
  const reversed: ScanLoop = {
    carry: [...shared.map((x) => zerosLike(x)), ...dCarry],
    xs: [...history, ...loop.xs, ...saved, ...stepDys.filter((dy) => dy !== null)],
    length: loop.length,
    reverse: !loop.reverse,
    body: (sums, slices) => {
      const [before, xs, kept, given] = parts(slices, carries, loop.xs.length, saved.length, stepDys.length);
      const [sumShared, dAfter] = parts(sums, shared.length, dCarry.length);
      let nextCarry = 0;
      let nextGiven = 0;
      const weights = [
        ...floatCarry.map((is) => (is ? (dAfter[nextCarry++] as Tensor) : null)),
        ...stepDys.map((dy) => (dy ? (given[nextGiven++] as Tensor) : null)),
      ];
      const targets = [
        ...shared,
        ...before.filter((_, i) => floatCarry[i]),
        ...xs.filter((_, i) => xWanted[i]),
      ];
      const run = () => {
        const step = regions.replay(saves, kept, () => loop.body([...before], [...xs]));
        return [...step.carry, ...step.ys, ...before];
      };
      const grads = pullBack(run, targets, weights).map((grad, i) => {
        const target = targets[i] as Tensor;
        return grad ? castLike(grad, target) : zerosLike(target);
      });
      const [dShared, dBefore, dXs] = parts(grads, shared.length, dCarry.length, grads.length);
      return {
        carry: [...sumShared.map((sum, i) => castLike(add(sum, dShared[i] as Tensor), sum)), ...dBefore],
        ys: dXs,
      };
    },
  };
  const { carry, ys } = scanInRegions(regions, reversed, savesOf('nothing_saveable'));
  const [dShared, dInit] = parts(carry, shared.length, dCarry.length);
  return [...spread(freeWanted, dShared), ...spread(floatCarry, dInit), ...spread(xWanted, ys)];
}

/** Consecutive parts of these sizes; the last ends where the list ends. */
function parts<T, Sizes extends readonly number[]>(
  items: readonly T[],
  ...sizes: Sizes
): { [Part in keyof Sizes]: T[] } {
  let next = 0;
  return sizes.map((size) => items.slice(next, (next += size))) as { [Part in keyof Sizes]: T[] };
}

/** The items, where `places` is true, in order. */
function spread<T>(places: readonly boolean[], items: readonly T[]): (T | undefined)[] {
  let next = 0;
  return places.map((is) => (is ? items[next++] : undefined));
}

/** In the storage of `like`: a loop's carry doesn't change its type. */
const castLike = (x: Tensor, like: Tensor): Tensor => runOwn('CastStorageLike', { x, like }, {});

/**
 * The results of one of two functions without arguments: jax.lax.cond. Both return trees of the same structure, shapes
 * and dtypes. Compiled programs run the one that is chosen; the gradient, which is also by outer tensors that the
 * functions use, runs it again.
 *
 * @param condition one bool, of shape []
 */
export function cond<Out extends Tree<Tensor>>(
  condition: Tensor,
  whenTrue: () => Out,
  whenFalse: () => Out,
): Out {
  checkCondition('cond', condition);
  const regions = currentRegions();
  if (!regions) return condition.dataSync()[0] ? whenTrue() : whenFalse();
  let first: { names: Tree<Tensor>; leaves: readonly Tensor[]; treedef: TreeDef } | undefined;
  const listed = (fn: () => Out) => () => {
    const names = fn();
    const flat = flatten<Tensor>(names);
    if (first) checkSame('cond', 'the two results', first.names, first.leaves, first.treedef, flat);
    else first = { names, leaves: flat.leaves.map(shapeOnly), treedef: flat.treedef };
    return flat.leaves;
  };
  const outputs = branch(regions, condition, listed(whenTrue), listed(whenFalse));
  return unflatten((first as unknown as { treedef: TreeDef }).treedef, outputs) as Out;
}

/** A tensor is gone when the region that made it is complete. */
const shapeOnly = ({ dtype, shape }: Tensor) => ({ dtype, shape }) as unknown as Tensor;

type Branch = () => readonly Tensor[];

function branch(regions: Regions, condition: Tensor, whenTrue: Branch, whenFalse: Branch): Tensor[] {
  const copied = (fn: Branch) => () => fn().map((x) => clone(x));
  const run = () => regions.branch(condition, copied(whenTrue), copied(whenFalse));
  if (!tapeIsOn()) return offTape(run);
  const { result, free } = withFreeTensors(run);
  regions.hold([condition, ...free, ...result]);
  putOnTape('Cond', free, result, (dys, wanted) => {
    const targets = free.filter((_, i) => wanted[i]);
    const back = (fn: Branch) => () =>
      pullBack(fn, targets, dys).map((grad, i) => {
        const target = targets[i] as Tensor;
        return grad ? castLike(grad, target) : zerosLike(target);
      });
    return spread(wanted, branch(regions, condition, back(whenTrue), back(whenFalse)));
  });
  return result;
}

/**
 * Runs `body` on the carry while `condition` of it (one bool) holds: jax.lax.while_loop. The carry keeps its structure,
 * shapes and dtypes. It has no gradient.
 */
export function whileLoop<Carry extends Tree<Tensor>>(
  condition: (carry: Carry) => Tensor,
  body: (carry: Carry) => Carry,
  init: Carry,
): Carry {
  const { leaves, treedef } = flatten<Tensor>(init);
  const tree = (tensors: readonly Tensor[]) => unflatten(treedef, tensors) as Carry;
  const test = (tensors: readonly Tensor[]) => checkCondition('whileLoop', condition(tree(tensors)));
  const step = (tensors: readonly Tensor[]) => {
    const after = flatten<Tensor>(body(tree(tensors)));
    checkSame('whileLoop', "the carry and the body's", init, leaves, treedef, after);
    return after.leaves;
  };
  const onTape = tapeIsOn();
  const { result, free } = withFreeTensors(() => {
    const regions = currentRegions();
    if (regions) return regions.whileLoop(leaves, test, step);
    let carry: readonly Tensor[] = leaves;
    while (test(carry).dataSync()[0]) carry = step(carry);
    return carry.map((x) => clone(x));
  });
  if (onTape && result.some(({ dtype }) => dtype === 'float32')) {
    putOnTape('WhileLoop', [...free, ...leaves], result, () => {
      throw errors.whileGradient();
    });
  }
  return tree(result);
}

function checkCondition(op: string, condition: Tensor): Tensor {
  if (condition.dtype === 'bool' && condition.size === 1) return condition;
  throw errors.scalar({ op, found: describe(condition) });
}

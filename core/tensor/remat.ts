// Rematerialisation: trades time for memory in the backward pass.

import { clone, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { flatten, type Tree, type TreeDef, unflatten } from '../tree';
import { currentRegions, type Regions } from './regions';
import { keepsAll, type RematPolicy, savesOf } from './remat-policies';
import { pullBack, putOnTape, tapeIsOn, withFreeTensors } from './tape';

/**
 * The same function, whose backward pass computes its intermediate results again, apart from what the policy saves
 * (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174; jax.checkpoint). The function must do
 * the same each time it is called on the same arguments, and may use outer tensors, whose gradients are right. Eager
 * runtimes keep everything.
 */
export function remat<Args extends readonly unknown[], Out extends Tree<Tensor>>(
  fn: (...args: Args) => Out,
  policy: RematPolicy = 'nothing_saveable',
): (...args: Args) => Out {
  return (...args) => {
    const regions = currentRegions();
    if (!regions || !tapeIsOn() || keepsAll(policy)) return fn(...args);
    let treedef: TreeDef | undefined;
    const outputs = rematList(regions, policy, () => {
      const flat = flatten<Tensor>(fn(...args));
      treedef = flat.treedef;
      return flat.leaves;
    });
    return unflatten(treedef as TreeDef, outputs) as Out;
  };
}

function rematList(regions: Regions, policy: RematPolicy, fn: () => readonly Tensor[]): Tensor[] {
  const saves = savesOf(policy);
  // Copies, so that an argument which is a result counts as one that was used.
  const run = () => tidy(() => fn().map((x) => clone(x)));
  const { result, free } = withFreeTensors(() => regions.record(saves, run));
  const { outputs, saved } = result;
  regions.hold([...free, ...outputs, ...saved]);
  putOnTape('Remat', free, outputs, (dys, wanted) => {
    const targets = free.filter((_, i) => wanted[i]);
    const given = dys.filter((dy) => dy !== null);
    const grads = regions.fenced([...free, ...saved, ...given], () =>
      pullBack(() => regions.replay(saves, saved, run), targets, dys),
    );
    let next = 0;
    return wanted.map((isWanted) => (isWanted ? grads[next++] : undefined));
  });
  return outputs;
}

// Names of parameters in checkpoints from before Flax had its current module system.

import type { ParamArrays } from '../../core/extensions';
import { isDict } from '../../core/tree';

/**
 * Before Linen, Flax counted submodules of all classes together: `LayerNorm_0, MlpBlock_1`. Now each class has its own
 * count: `LayerNorm_0, MlpBlock_0`.
 */
export function convertPreLinen(params: ParamArrays): ParamArrays {
  const numberOf = (name: string) => Number(/_(\d+)$/.exec(name)?.[1] ?? -1);
  const counts = new Map<string, number>();
  const names = Object.keys(params).sort((a, b) => numberOf(a) - numberOf(b));
  const renamed = names.map((name) => {
    const value = params[name] as ParamArrays[string];
    const converted = isDict(value) ? convertPreLinen(value as ParamArrays) : value;
    const module = /^(.*)_\d+$/.exec(name)?.[1];
    if (module === undefined) return [name, converted] as const;
    const count = counts.get(module) ?? 0;
    counts.set(module, count + 1);
    return [`${module}_${count}`, converted] as const;
  });
  return Object.fromEntries(renamed);
}

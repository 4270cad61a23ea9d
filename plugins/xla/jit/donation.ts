// Which result takes the memory of which donated argument: the first that is free and of the same type, in order, as
// in JAX.

export interface DonationPlan {
  /** For each argument, the result that takes its memory. */
  readonly aliases: readonly (number | undefined)[];
  /** For each result, the argument whose memory it takes. */
  readonly sources: readonly (number | undefined)[];
}

/**
 * @param args for each argument its type as a key, or undefined if it isn't donated.
 * @param results for each result its type as a key, and the sharding that it must have, if it must.
 */
export function planDonation(
  args: readonly ({ readonly type: string; readonly sharding: string } | undefined)[],
  results: readonly { readonly type: string; readonly sharding: string | undefined }[],
): DonationPlan {
  const free = new Map<string, { readonly index: number; readonly sharding: string }[]>();
  args.forEach((arg, index) => {
    if (!arg) return;
    const list = free.get(arg.type);
    if (list) list.push({ index, sharding: arg.sharding });
    else free.set(arg.type, [{ index, sharding: arg.sharding }]);
  });
  const aliases: (number | undefined)[] = args.map(() => undefined);
  const sources = results.map(({ type, sharding }, result) => {
    const list = free.get(type);
    const place = list?.findIndex((arg) => sharding === undefined || arg.sharding === sharding) ?? -1;
    if (!list || place < 0) return undefined;
    const { index } = list.splice(place, 1)[0]!;
    aliases[index] = result;
    return index;
  });
  return { aliases, sources };
}

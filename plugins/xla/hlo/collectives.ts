// What the devices of a program say to each other.

import type { Collective } from '../../../core/runtime';
import type { HloInstruction, HloModule, HloShape } from './module';

const kinds = [
  'all-reduce',
  'all-gather',
  'reduce-scatter',
  'all-to-all',
  'ragged-all-to-all',
  'collective-permute',
  'collective-broadcast',
] as const;

/**
 * The collectives that one execution of a program runs on one device, by kind and number of devices that take part.
 * One in a loop counts as often as the loop runs; a loop of unknown length counts once.
 */
export function collectivesOf({ entry, computations }: HloModule): readonly Collective[] {
  const found = new Map<
    string,
    { kind: string; devices?: number; count: number; bytes: number; largest: number }
  >();

  const visit = (id: number, times: number): void => {
    const instructions = computations.get(id)?.instructions ?? [];
    const byId = new Map(instructions.map((instruction) => [instruction.id, instruction]));
    for (const instruction of instructions) {
      const { opcode, calls, groupSize: devices } = instruction;
      const kind = kinds.find((kind) => opcode === kind || opcode === `${kind}-start`);
      if (kind === undefined) {
        const inner = opcode === 'while' ? times * tripCount(instruction) : times;
        for (const called of calls) visit(called, inner);
        continue;
      }
      const key = `${kind} ${devices ?? ''}`;
      const entry = found.get(key) ?? { kind, devices, count: 0, bytes: 0, largest: 0 };
      const operands = instruction.operands.reduce((sum, i) => sum + (byId.get(i)?.shape.bytes ?? 0), 0);
      entry.count += times;
      // The larger side: what an all-gather makes, what a reduce-scatter takes.
      const results = opcode === kind ? instruction.shape.bytes : resultBytes(instruction.shape, operands);
      const bytes = Math.max(operands, results);
      entry.bytes += times * bytes;
      entry.largest = Math.max(entry.largest, bytes);
      found.set(key, entry);
    }
  };

  const tripCount = ({ tripCount, calls }: HloInstruction): number => {
    if (tripCount !== undefined) return tripCount;
    // A counted loop compares its counter with the one integer that its condition has.
    const [, condition] = calls;
    const constants = (computations.get(condition ?? -1)?.instructions ?? []).flatMap(({ constant }) =>
      constant === undefined ? [] : [constant],
    );
    return constants.length === 1 ? Math.max(1, constants[0] as number) : 1;
  };

  visit(entry, 1);
  return [...found.values()].sort((a, b) => b.bytes - a.bytes);
}

/** An asynchronous start returns its operands, its results and a context. */
function resultBytes({ bytes, tuple }: HloShape, operands: number): number {
  return tuple && tuple.length >= 2 && bytes > operands ? (tuple[1] as HloShape).bytes : bytes;
}

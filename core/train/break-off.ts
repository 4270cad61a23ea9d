// Evaluations can take longer than the time between a preemption's notice and its end: a run that is to stop breaks them off.

import type { InputPipeline } from './run';

/** What an evaluation ends with that is broken off. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** The same pipeline, but a pass of an evaluation asks before each batch whether to go on. */
export function breakable(pipeline: InputPipeline, stops: () => Promise<boolean>): InputPipeline {
  return {
    train: (...rest) => pipeline.train(...rest),
    async evaluate(pass) {
      const input = await pipeline.evaluate(pass);
      const { examples, classes, spec } = input;
      return {
        examples,
        classes,
        spec,
        close: () => input.close(),
        batches(position) {
          const stream = input.batches(position);
          return {
            async next() {
              if (await stops()) throw new BrokenOff('The run is to stop');
              return stream.next();
            },
            release: (batch) => stream.release?.(batch),
            close: () => stream.close(),
          };
        },
      };
    },
  };
}

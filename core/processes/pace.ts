// Two words that a process's threads share.

/**
 * Which part of the work (a step, a batch of an evaluation) the main thread has begun or is about to, and whether a stop is being
 * agreed on. The main thread writes the first and then reads the second, the link's thread the other way round: none is begun
 * unseen.
 */
export const Pace = { begun: 0, stopping: 1 } as const;

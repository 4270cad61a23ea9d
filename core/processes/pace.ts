// Two words that a process's threads share.

/**
 * Which step the main thread has begun or is about to, and whether a stop is being agreed on. The main thread writes the first
 * and then reads the second, the link's thread the other way round: no step is begun unseen.
 */
export const Pace = { begun: 0, stopping: 1 } as const;

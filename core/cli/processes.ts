// A command that several processes run together.

import { alone, joinProcesses, type Processes } from '../processes/group';
import { type PlaceFlags, placeOf } from '../processes/place';
import { reportError } from './report';

/** Runs `body` when the other processes are there, if there are any, and lets them know of its end. */
export async function together<T>(flags: PlaceFlags, body: (processes: Processes) => Promise<T>): Promise<T> {
  const place = placeOf(flags);
  if (!place) return body(alone);
  // A collective that waits for a process that is gone never ends: nothing can be put right any more.
  const processes = await joinProcesses(place, (error) => process.exit(reportError(error, false)));
  const result = await body(processes).catch(async (error: Error) => {
    await processes.leave(error);
    throw error;
  });
  await processes.leave();
  return result;
}

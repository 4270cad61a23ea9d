// What calls give that may fail, as JSON: of an error it counts that it is one of those that users get.

import { UserError } from '../errors';

/** A JSON list with what `f` makes of each item, or its error's code. */
export function outcomesOf<T>(items: readonly T[], f: (item: T) => unknown): string {
  return JSON.stringify(
    items.map((item) => {
      try {
        return f(item);
      } catch (error) {
        return failure(error);
      }
    }),
  );
}

/** @throws the error, unless it is a user's */
export function failure(error: unknown): { readonly error: string } {
  if (error instanceof UserError) return { error: error.code };
  throw error;
}

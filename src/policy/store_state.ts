/**
 * Whether a store can be used.
 *
 * @module
 */

/**
 * Is told when a store can no longer be used, and when it can again: once for each change.
 *
 * @param state Where the store is now.
 * @param reason What was found. It holds no secrets.
 */
export type OnStoreState = (state: "away" | "back", reason: string) => void;

/** What to say of a thrown value: its message, or that of the first error it stands for. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}

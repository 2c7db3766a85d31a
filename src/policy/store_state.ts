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

/**
 * What to say of a thrown value: its message, or that of the first error it stands for. Of what the file system says, the
 * call and its path are left out: the file is named beside it.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return /^(E[A-Z]+: [^,]+), [a-z]+ '/.exec(error.message)?.[1] ?? (error.message || error.name);
}

/** Counts failures and keeps the first one's message. */
export class Failures {
  #count = 0;
  #problem: string | undefined;

  /** Takes note of a failure. */
  add(error: unknown): void {
    this.#count++;
    this.#problem ??= error instanceof Error ? error.message : String(error);
  }

  /** The fields of a finding. */
  report(): { errors: number; problem?: string } {
    return { errors: this.#count, ...this.#problem === undefined ? {} : { problem: this.#problem } };
  }
}

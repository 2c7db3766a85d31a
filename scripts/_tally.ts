import type { TestCase } from "./_junit.ts";

/** Counts what ran, and prints what did not pass. */
export class Tally {
  #passed = 0;
  readonly #failed: string[] = [];
  readonly #skipped: string[] = [];

  /** Adds the outcome of one case. */
  add(where: string, { name, outcome, detail }: TestCase): void {
    const label = `${where}: ${name}${detail ? `: ${detail.split("\n", 1)[0]!.slice(0, 200)}` : ""}`;
    if (outcome === "passed") this.#passed++;
    else (outcome === "failed" ? this.#failed : this.#skipped).push(label);
  }

  /**
   * Prints what failed and what was skipped, and the totals as the last line.
   *
   * @param strict Whether a skipped case counts as failed.
   * @returns Whether everything passed.
   */
  report(strict: boolean): boolean {
    const [failed, skipped] = [[...this.#failed], [...this.#skipped]];
    if (skipped.length > 0) console.log(`\nSkipped${strict ? " (not allowed where CI is set)" : ""}:`);
    for (const label of skipped) console.log(`  ${label}`);
    if (failed.length > 0) console.log("\nFailed:");
    for (const label of failed) console.log(`  ${label}`);
    if (strict) failed.push(...skipped.splice(0));
    if (this.#passed + failed.length + skipped.length === 0) failed.push("nothing ran");
    const totals = [`${this.#passed} passed`, `${failed.length} failed`];
    if (skipped.length > 0) totals.push(`${skipped.length} skipped`);
    console.log(`\n${totals.join(", ")}`);
    return failed.length === 0;
  }
}

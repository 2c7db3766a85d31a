import { cpuSeconds } from "../process_tree.ts";
import type { Job } from "./job.ts";

/** What happened while a measurement ran. */
export interface Window {
  readonly seconds: number;
  /** The CPU seconds that the server's processes used. */
  readonly cpu: number;
  /** By how much the counter grew. */
  readonly count: number;
}

/** Lets the load run warm, then watches it for the length of a measurement. */
export async function watch(job: Job, counter: () => number, begin = () => {}): Promise<Window> {
  await sleep(job.warmupSeconds);
  begin();
  const [cpu, count, time] = [cpuSeconds(job.roots), counter(), performance.now()];
  await sleep(job.seconds);
  return {
    cpu: cpuSeconds(job.roots) - cpu,
    count: counter() - count,
    seconds: (performance.now() - time) / 1000,
  };
}

/** Waits. */
export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

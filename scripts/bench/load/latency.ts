import { readFull, writeAll } from "./bytes.ts";
import { Failures } from "./failures.ts";
import { type Finding, type Job, MESSAGE_SIZE } from "./job.ts";
import { openTunnel } from "./tunnel.ts";
import { watch } from "./window.ts";

/** Sends a message to and fro on one tunnel. */
export async function latency(job: Job): Promise<Finding> {
  const failures = new Failures();
  const micros: number[] = [];
  const play = async () => {
    try {
      const conn = await openTunnel(job, job.target.echo);
      const message = new Uint8Array(MESSAGE_SIZE);
      const buffer = new Uint8Array(MESSAGE_SIZE);
      for (;;) {
        const started = performance.now();
        await writeAll(conn, message);
        await readFull(conn, buffer, MESSAGE_SIZE);
        micros.push((performance.now() - started) * 1000);
      }
    } catch (error) {
      failures.add(error);
    }
  };
  play();
  const { count } = await watch(job, () => micros.length, () => micros.length = 0);
  const sorted = micros.slice(0, count).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { value: at(0.5), detail: { p99: at(0.99), messages: count }, ...failures.report() };
}

import { Failures } from "./failures.ts";
import type { Finding, Job } from "./job.ts";
import { openTunnel } from "./tunnel.ts";
import { watch } from "./window.ts";

const STREAMS = 8;

/** Reads from the target's endless source on several tunnels at once. */
export async function throughput(job: Job): Promise<Finding> {
  // What is read is thrown away, so all streams can share a buffer: that keeps it in the cache and the load small.
  const buffer = new Uint8Array(1024 * 1024);
  const failures = new Failures();
  let bytes = 0;
  const drain = async () => {
    try {
      const conn = await openTunnel(job, job.target.source);
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) throw new Error("The stream ended");
        bytes += count;
      }
    } catch (error) {
      failures.add(error);
    }
  };
  for (let stream = 0; stream < STREAMS; stream++) drain();
  const { cpu, count, seconds } = await watch(job, () => bytes);
  const gigabytes = count / 1e9;
  return { value: cpu / gigabytes, detail: { gigabytesPerSecond: gigabytes / seconds }, ...failures.report() };
}

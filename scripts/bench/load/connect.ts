import { closeQuietly, writeAll } from "./bytes.ts";
import { Failures } from "./failures.ts";
import { type Finding, type Job, MESSAGE_SIZE } from "./job.ts";
import { openTunnel } from "./tunnel.ts";
import { sleep, watch } from "./window.ts";

const AT_ONCE = 32;

/** Opens tunnels, sends a message, takes it back and closes, over and over. The target closes first. */
export async function connect(job: Job): Promise<Finding> {
  const message = new Uint8Array(MESSAGE_SIZE);
  const failures = new Failures();
  let done = 0;
  let ended = false;
  const work = async () => {
    const buffer = new Uint8Array(2 * MESSAGE_SIZE);
    while (!ended) {
      try {
        await roundTrip(job, message, buffer);
        done++;
      } catch (error) {
        if (ended) return;
        failures.add(error);
        await sleep(0.05);
      }
    }
  };
  for (let worker = 0; worker < AT_ONCE; worker++) work();
  const { cpu, count, seconds } = await watch(job, () => done);
  ended = true;
  return { value: cpu / count * 1e6, detail: { connectionsPerSecond: count / seconds }, ...failures.report() };
}

async function roundTrip(job: Job, message: Uint8Array, buffer: Uint8Array): Promise<void> {
  const conn = await openTunnel(job, job.target.once);
  try {
    await writeAll(conn, message);
    let length = 0;
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      length += count;
    }
    if (length !== MESSAGE_SIZE) throw new Error(`Expected ${MESSAGE_SIZE} bytes, found ${length}`);
  } finally {
    closeQuietly(conn);
  }
}

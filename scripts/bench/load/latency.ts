import { median } from "../ratios.ts";
import { readFull, writeAll } from "./bytes.ts";
import { Failures } from "./failures.ts";
import { type Finding, type Job, MESSAGE_SIZE } from "./job.ts";
import { openTunnel } from "./tunnel.ts";
import { watch } from "./window.ts";

/** Messages in a row on one of the two ways. */
const BLOCK = 50;

/**
 * Sends a message to and fro, in turn through the server and without it, and tells what the server adds.
 *
 * How fast a process wakes depends on what the cores do just then, and changes by more than a server adds. It changes
 * slowly, however, so the two ways are compared block by block.
 */
export async function latency(job: Job): Promise<Finding> {
  const failures = new Failures();
  const blocks: { direct: number; proxied: number }[] = [];
  const play = async () => {
    try {
      const direct = await openTunnel({ ...job, proxy: undefined }, job.target.echo);
      const proxied = await openTunnel(job, job.target.echo);
      for (;;) blocks.push({ direct: await playBlock(direct), proxied: await playBlock(proxied) });
    } catch (error) {
      failures.add(error);
    }
  };
  play();
  const { count } = await watch(job, () => blocks.length, () => blocks.length = 0);
  const measured = blocks.slice(0, count);
  return {
    value: median(measured.map(({ direct, proxied }) => proxied - direct)),
    detail: {
      direct: median(measured.map(({ direct }) => direct)),
      proxied: median(measured.map(({ proxied }) => proxied)),
      messages: count * BLOCK,
    },
    ...failures.report(),
  };
}

/** The median time of a message to and fro, in microseconds. */
async function playBlock(conn: Deno.Conn): Promise<number> {
  const message = new Uint8Array(MESSAGE_SIZE);
  const buffer = new Uint8Array(MESSAGE_SIZE);
  const micros: number[] = [];
  for (let sent = 0; sent < BLOCK; sent++) {
    const started = performance.now();
    await writeAll(conn, message);
    await readFull(conn, buffer, MESSAGE_SIZE);
    micros.push((performance.now() - started) * 1000);
  }
  return median(micros);
}

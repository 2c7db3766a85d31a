import { pssKib } from "../process_tree.ts";
import { readFull, writeAll } from "./bytes.ts";
import { Failures } from "./failures.ts";
import { type Finding, type Job, MESSAGE_SIZE, QUIT } from "./job.ts";
import { openTunnel } from "./tunnel.ts";
import { sleep } from "./window.ts";

const AT_ONCE = 64;
/** Tunnels that come and go before: what the server sets up once is not charged to the tunnels. */
const WARM_UP = 200;
const SETTLE_SECONDS = 1;
const CLOSE_SECONDS = 3;

/** Opens many tunnels, weighs the server while they are idle, and has each answer once more. */
export async function idle(job: Job): Promise<Finding> {
  const failures = new Failures();
  const warm = await openMany(job, Math.min(WARM_UP, job.idleTunnels), failures);
  await answerAll(warm, failures);
  await quitAll(warm);
  await sleep(SETTLE_SECONDS / 2);

  const before = pssKib(job.roots);
  const tunnels = await openMany(job, job.idleTunnels, failures);
  await sleep(SETTLE_SECONDS);
  const kib = pssKib(job.roots) - before;
  const answered = await answerAll(tunnels, failures);
  await quitAll(tunnels);
  return { value: kib / tunnels.length, detail: { tunnels: tunnels.length, answered }, ...failures.report() };
}

async function openMany(job: Job, count: number, failures: Failures): Promise<Deno.TcpConn[]> {
  const tunnels: Deno.TcpConn[] = [];
  await forEach(Array.from({ length: count }), async () => {
    tunnels.push(await openTunnel(job, job.target.echo));
  }, failures);
  return tunnels;
}

/** Sends a message on every tunnel; returns how many sent it back. */
async function answerAll(tunnels: readonly Deno.TcpConn[], failures: Failures): Promise<number> {
  const message = new Uint8Array(MESSAGE_SIZE);
  let answered = 0;
  await forEach(tunnels, async (conn) => {
    await writeAll(conn, message);
    await readFull(conn, new Uint8Array(MESSAGE_SIZE), MESSAGE_SIZE);
    answered++;
  }, failures);
  return answered;
}

/** Lets the target close all tunnels: those who close first keep the port busy for a minute, and that must be it. */
async function quitAll(tunnels: readonly Deno.TcpConn[]): Promise<void> {
  const quit = Uint8Array.of(QUIT);
  const buffer = new Uint8Array(1);
  const ends = tunnels.map(async (conn) => {
    try {
      await writeAll(conn, quit);
      await conn.read(buffer);
    } catch {
      // It is closed, if by another way.
    }
  });
  await Promise.race([Promise.all(ends), sleep(CLOSE_SECONDS)]);
  for (const conn of tunnels) conn.close();
}

/** Does something with every item, some at a time. */
async function forEach<T>(items: readonly T[], body: (item: T) => Promise<void>, failures: Failures): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      try {
        await body(items[next++]!);
      } catch (error) {
        failures.add(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

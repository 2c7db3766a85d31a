import type { Finding, Job } from "./job.ts";
import { MESSAGE_SIZE } from "./job.ts";
import { openAssociation } from "./tunnel.ts";
import { watch } from "./window.ts";

/** Datagrams on their way at a time. */
const WINDOW = 32;
/** After this silence those on their way count as lost. */
const LOST_MS = 200;

/** Has datagrams sent back by the target: each is relayed twice. */
export async function udp(job: Job): Promise<Finding> {
  if (job.proxy === undefined) throw new TypeError("Cannot measure UDP without a server");
  const { relay } = await openAssociation(job.proxy);
  const { udp: port } = job.target;
  const packet = new Uint8Array(10 + MESSAGE_SIZE);
  packet.set([0, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff]);

  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: relay };
  let [onTheirWay, returned, lost, heard] = [0, 0, 0, performance.now()];
  const send = async () => {
    const free = WINDOW - onTheirWay;
    onTheirWay = WINDOW;
    for (let sent = 0; sent < free; sent++) await socket.send(packet, to);
  };
  const receive = async () => {
    const buffer = new Uint8Array(2048);
    for (;;) {
      await socket.receive(buffer);
      heard = performance.now();
      returned++;
      // More than were on their way come back when some that counted as lost were late.
      onTheirWay = Math.max(0, onTheirWay - 1);
      if (onTheirWay <= WINDOW / 2) await send();
    }
  };
  const silence = setInterval(() => {
    if (performance.now() - heard < LOST_MS) return;
    heard = performance.now();
    lost += onTheirWay;
    onTheirWay = 0;
    send();
  }, LOST_MS / 2);
  send();
  receive();
  const { cpu, count, seconds } = await watch(job, () => returned, () => lost = 0);
  clearInterval(silence);
  const relayed = 2 * count;
  return { value: cpu / relayed * 1e6, errors: lost, detail: { packetsPerSecond: relayed / seconds } };
}

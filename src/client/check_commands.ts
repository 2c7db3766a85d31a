/**
 * Trials: BIND and UDP ASSOCIATE.
 *
 * @module
 */

import { targetOf } from "../protocol/address.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import { associate } from "./associate.ts";
import { bind } from "./bind.ts";
import { type CheckBench, spoken } from "./check_bench.ts";
import { carries, sample } from "./check_carries.ts";
import { NoGood } from "./check_finding.ts";
import type { CheckTarget } from "./check_target.ts";
import type { Trial } from "./check_protocols.ts";

/** Whether it listens for a peer: this machine is the peer. */
export const binds: Trial = async (bench) => {
  const ours = oursOf(bench);
  const { runtime, signal } = bench;
  const [protocol] = bench.spoken.filter((protocol) => protocol !== "http");
  if (protocol === undefined) throw new NoGood("skipped", "no protocol with BIND works");
  const proxy = spoken(bench.proxy, protocol);
  const binding = bench.keep(await bind({ host: ours.ip, port: ours.port }, { proxy, runtime, signal }));
  const { address } = binding;
  const accepted = binding.accept({ signal });
  accepted.catch(() => {});
  const [ip] = address.type === "name" ? await runtime.lookup(address.host, { signal }) : [address.host];
  if (ip === undefined) throw new NoGood("no", "nobody knows the address that it listens at");
  const peer = bench.keep(duplexOf(await runtime.connect({ ip, port: address.port }, { signal, localIp: ours.ip })));
  const { connection } = await accepted;
  bench.keep(connection);
  await peer.write(sample());
  await carries(connection, undefined, sample());
  await connection.write(sample());
  await carries(peer, undefined, sample());
  return "";
};

/** How often a datagram is sent that may be lost, and how long its answer is waited for, in milliseconds. */
const ATTEMPTS = 8, PATIENCE = 400;

/** Whether it relays datagrams. */
export const relaysDatagrams: Trial = async (bench) => {
  const ours = oursOf(bench);
  const { runtime, signal } = bench;
  if (!bench.spoken.includes("socks5")) throw new NoGood("skipped", "SOCKS5 does not work");
  const tunnel = bench.keep(await associate({ proxy: spoken(bench.proxy, "socks5"), runtime, signal }));
  signal.addEventListener("abort", () => tunnel.close(), { once: true });
  const target = targetOf(ours.ip, ours.udpPort);
  const send = (): void => void tunnel.send(sample(), target).catch(() => {});
  send();
  let sent = 1;
  const timer = setInterval(() => {
    if (sent++ < ATTEMPTS) send();
    else tunnel.close();
  }, PATIENCE);
  try {
    for await (const { data } of tunnel) {
      if (data.length !== sample().length || data.some((byte, at) => byte !== sample()[at])) {
        throw new NoGood("no", "datagrams come back changed");
      }
      return "";
    }
  } finally {
    clearInterval(timer);
  }
  signal.throwIfAborted();
  throw new NoGood("no", `it agrees, but of ${ATTEMPTS} datagrams none came back`);
};

function oursOf({ place }: CheckBench): CheckTarget {
  if (place.ours === undefined) throw new NoGood("skipped", "it takes the target that the check brings with it");
  return place.ours;
}

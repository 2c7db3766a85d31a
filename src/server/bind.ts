/**
 * BIND.
 *
 * @module
 */

import { type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { classifyIp, isUnspecified } from "../net/ip_class.ts";
import { isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import { withRead } from "../relay/relay.ts";
import type { Connection, Listener } from "../runtime/runtime.ts";
import type { Exchange, Tunnel } from "./exchange.ts";
import { reconsider } from "./recheck.ts";
import { findRoute } from "./route.ts";
import type { Session } from "./session.ts";

/**
 * Listens for the one peer that the client expects, says where, and says who came.
 *
 * @returns What to relay between.
 * @throws {NetError} `not-allowed` for a peer that is not the expected one, `timeout` if none comes, `closed` if the
 * client leaves while it waits.
 */
export async function serveBind(session: Session, exchange: Exchange, granted: Grant | undefined): Promise<Tunnel> {
  const { service } = session;
  let expected = await expectedPeers(session, exchange, granted);
  if (session.service !== service) { // other options have come meanwhile
    session.leave();
    expected = await expectedPeers(session, exchange, await session.until(reconsider(session)));
  }
  const { listenIp, statedIp } = chooseAddress(session, exchange, expected[0]);
  const listener = await session.service.runtime.listen({ address: { ip: listenIp, port: 0 }, backlog: 1 });
  let peer: Connection;
  try {
    const { port } = listener.address as SocketAddress;
    session.enter("handshake"); // until the reply is out
    await exchange.grant({ ip: statedIp, port });
    exchange.replied = false; // a second reply is owed, be it a refusal
    session.enter("bind");
    peer = await waitForPeer(session, listener);
  } finally {
    listener.close();
  }
  session.peer = peer;
  try {
    await checkPeer(session, peer, expected);
  } catch (error) {
    peer.close(); // at once; the client may take its time to read its refusal
    throw error;
  }
  session.address = peer.remote;
  session.tell("connected");
  session.enter("handshake");
  await exchange.grant(peer.remote);
  // Waiting has begun a read on the client, which the relay must take over.
  return { client: withRead(session.connection, () => session.channel.readChunk()), target: peer };
}

/** The addresses that the peer may have; none if it may be anyone. */
async function expectedPeers(
  session: Session,
  { target }: Exchange,
  granted: Grant | undefined,
): Promise<readonly IpAddress[]> {
  const isAnyone = target.type !== "name" && isUnspecified(target.host);
  session.enter("lookup");
  const finding = async () => await findRoute(target, session as RequestInfo, granted, session.service);
  const { addresses, grant } = isAnyone ? { addresses: [], grant: granted } : await session.until(finding());
  const admission = session.admit(grant);
  if (admission !== undefined) await session.until(admission);
  if (isAnyone || addresses.length > 0) return addresses.map(({ ip }) => ip);
  throw new NetError("lookup-failed", `Cannot bind for "${target.host}": names are not resolved here`);
}

/**
 * Where to listen and what to tell the client. The peer must be able to reach it: over loopback if it is there, else
 * at the address that the client reached us at, or any of this machine's that is of the peer's family.
 */
function chooseAddress(
  session: Session,
  { protocol, target }: Exchange,
  expected: IpAddress | undefined,
): { listenIp: IpAddress; statedIp: IpAddress } {
  const { advertise } = session.service.options;
  const reachedAt = session.connection.local?.ip ?? "127.0.0.1";
  const version = expected !== undefined ? ipVersion(expected) : protocol === "socks5" ? ipVersion(reachedAt) : 4;
  if (protocol !== "socks5" && version === 6) {
    throw new NetError("not-supported", `Cannot bind for ${target.host}: SOCKS4 cannot state an IPv6 address`);
  }
  const ofFamily = (ip: IpAddress): boolean => ipVersion(ip) === version;
  const state = (ip: IpAddress) => advertise !== undefined && ofFamily(advertise) ? advertise : ip;
  if (expected !== undefined && classifyIp(expected) === "loopback") {
    const listenIp = version === 4 ? "127.0.0.1" : "::1";
    return { listenIp, statedIp: listenIp };
  }
  const isUsable = ofFamily(reachedAt) && (expected === undefined || classifyIp(reachedAt) !== "loopback");
  if (isUsable) return { listenIp: reachedAt, statedIp: state(reachedAt) };
  const own = session.service.runtime.interfaces().filter(ofFamily);
  const outside = own.find((ip) => classifyIp(ip) === "global") ?? own.find((ip) => classifyIp(ip) === "private");
  const any = version === 4 ? "0.0.0.0" : "::";
  return { listenIp: any, statedIp: state(outside ?? any) };
}

/** Waits for a peer, for the client to leave, or for the time to be over. */
async function waitForPeer(session: Session, listener: Listener): Promise<Connection> {
  const incoming = listener[Symbol.asyncIterator]();
  const arrival = incoming.next();
  const departure = (async () => {
    // Bytes may precede the second reply. The first chunk of them says that the client is there, and stays for the relay.
    const chunk = await session.channel.beginRead();
    if (chunk !== null) return await new Promise<never>(() => {});
    throw new NetError("closed", "Cannot wait for a peer: the client left");
  })();
  try {
    const next = await session.until(Promise.race([arrival, departure]));
    if (next.done) throw new NetError("closed", "Cannot wait for a peer: the listener closed");
    return next.value;
  } catch (error) {
    arrival.then((late) => late.done ? undefined : late.value.close(), () => {});
    throw error;
  }
}

/** The port is not compared: the peer connects from any. */
async function checkPeer(
  session: Session,
  peer: Connection,
  expected: readonly IpAddress[],
): Promise<void> {
  const { remote } = peer;
  if (remote === undefined) throw new NetError("not-allowed", "The peer has no address");
  if (expected.length > 0) {
    if (expected.includes(remote.ip)) return;
    throw new NetError("not-allowed", `${remote.ip} connected, expected ${expected.join(" or ")}`);
  }
  const { authoriser } = session.service;
  const asking = async () =>
    await authoriser.address(remote, session as RequestInfo, session.ruling as Grant | undefined);
  const decision = await session.until(asking());
  if (isDenial(decision)) throw new NotAllowedError(decision, `${remote.ip} connected: ${decision.deny}`);
  if (decision?.limits === undefined || decision.limits === (session.ruling as Grant | undefined)?.limits) return;
  session.leave(); // the peer's rule has limits of its own
  const admission = session.admit(decision);
  if (admission !== undefined) await session.until(admission);
}

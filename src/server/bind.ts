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
import type { Target } from "../protocol/address.ts";
import type { Connection, Listener } from "../runtime/runtime.ts";
import type { WayOut } from "../upstream/way_out.ts";
import { acceptBy, addressOfPeer, bindBy } from "./bind_through.ts";
import type { Exchange, Tunnel } from "./exchange.ts";
import { reconsider } from "./recheck.ts";
import { findRoute, type Route } from "./route.ts";
import type { Session } from "./session.ts";
import type { Traveller } from "./ways_of.ts";

/**
 * Listens for the one peer that the client expects, says where, and says who came.
 *
 * @returns What to relay between.
 * @throws {NetError} `not-allowed` for a peer that is not the expected one, `timeout` if none comes, `closed` if the
 * client leaves while it waits; or what a way out cannot do.
 */
export async function serveBind(session: Session, exchange: Exchange, granted: Grant | undefined): Promise<Tunnel> {
  const { service } = session;
  let { addresses, way } = await expectedPeers(session, exchange, granted);
  if (session.service !== service) { // other options have come meanwhile
    session.leave();
    ({ addresses, way } = await expectedPeers(session, exchange, await session.until(reconsider(session))));
  }
  session.way = way;
  const expected = addresses.map(({ ip }) => ip);
  const peer = way === undefined
    ? await takePeer(session, exchange, expected[0])
    : await takePeerBy(way, session, exchange, addresses);
  const { connection, remote } = peer;
  session.peer = connection;
  try {
    await checkPeer(session, remote, expected, way !== undefined);
  } catch (error) {
    // At once: the client may take its time to read its refusal. Who listened elsewhere must not go on with it, either.
    connection.close(way === undefined ? undefined : error);
    throw error;
  }
  session.address = remote;
  session.tell("connected");
  session.enter("handshake");
  await exchange.grant(remote);
  // Waiting has begun a read on the client, which the relay must take over.
  return { client: withRead(session.connection, () => session.channel.readChunk()), target: connection };
}

/** Who came. */
interface Peer {
  readonly connection: Connection;
  readonly remote: SocketAddress | undefined;
}

/** Listens here. */
async function takePeer(session: Session, exchange: Exchange, expected: IpAddress | undefined): Promise<Peer> {
  const { listenIp, statedIp } = chooseAddress(session, exchange, expected);
  const listener = await session.service.runtime.listen({ address: { ip: listenIp, port: 0 }, backlog: 1 });
  try {
    const { port } = listener.address as SocketAddress;
    await announce(session, exchange, { ip: statedIp, port });
    const connection = await waitForPeer(session, arrivalAt(listener), (late) => late.close());
    return { connection, remote: connection.remote };
  } finally {
    listener.close();
  }
}

/** Has somebody else listen. */
async function takePeerBy(
  way: WayOut,
  session: Session,
  exchange: Exchange,
  addresses: readonly SocketAddress[],
): Promise<Peer> {
  const binding = await bindBy(session, exchange, way, addresses);
  try {
    await announce(session, exchange, binding.address);
    const arrival = acceptBy(session, binding);
    const accepted = await waitForPeer(session, arrival, ({ connection }) => connection.close());
    return { connection: accepted.connection, remote: addressOfPeer(accepted) };
  } catch (error) {
    binding.close();
    throw error;
  }
}

/** Says where the peer is to come. */
async function announce(session: Session, exchange: Exchange, at: SocketAddress | Target): Promise<void> {
  session.enter("handshake"); // until the reply is out
  await exchange.grant(at);
  exchange.replied = false; // a second reply is owed, be it a refusal
  session.enter("bind");
}

/** The addresses that the peer may have, none if it may be anyone or its name is left to the way out; and that way. */
async function expectedPeers(
  session: Session,
  { target }: Exchange,
  granted: Grant | undefined,
): Promise<Pick<Route, "addresses" | "way">> {
  const isAnyone = target.type !== "name" && isUnspecified(target.host);
  session.enter("lookup");
  const { service } = session;
  const finding = async () => await findRoute(target, session as RequestInfo, granted, service);
  const { addresses, grant, way } = isAnyone
    ? { addresses: [], grant: granted, way: service.wayFor(granted, session as Traveller) }
    : await session.until(finding());
  const admission = session.admit(grant);
  if (admission !== undefined) await session.until(admission);
  if (isAnyone || addresses.length > 0 || way !== undefined) return { addresses, way };
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

async function arrivalAt(listener: Listener): Promise<Connection> {
  const next = await listener[Symbol.asyncIterator]().next();
  if (next.done) throw new NetError("closed", "Cannot wait for a peer: the listener closed");
  return next.value;
}

/** Waits for a peer, for the client to leave, or for the time to be over. */
async function waitForPeer<T>(session: Session, arrival: Promise<T>, dismiss: (late: T) => void): Promise<T> {
  const departure = (async () => {
    // Bytes may precede the second reply. The first chunk of them says that the client is there, and stays for the relay.
    const chunk = await session.channel.beginRead();
    if (chunk !== null) return await new Promise<never>(() => {});
    throw new NetError("closed", "Cannot wait for a peer: the client left");
  })();
  try {
    return await session.until(Promise.race([arrival, departure]));
  } catch (error) {
    arrival.then(dismiss, () => {});
    throw error;
  }
}

/** The port is not compared: the peer connects from any. */
async function checkPeer(
  session: Session,
  remote: SocketAddress | undefined,
  expected: readonly IpAddress[],
  isElsewhere: boolean,
): Promise<void> {
  if (remote === undefined) throw new NetError("not-allowed", "The peer has no address");
  if (expected.length > 0) {
    if (expected.includes(remote.ip)) return;
    // Who listens elsewhere may not say who came, but was told whom to take.
    if (isElsewhere && isUnspecified(remote.ip)) return;
    throw new NetError("not-allowed", `${remote.ip} connected, expected ${expected.join(" or ")}`);
  }
  const { authoriser } = session.service;
  const { target } = session;
  const name = target?.type === "name" ? target.host : undefined;
  const asking = async () =>
    await authoriser.address(remote, session as RequestInfo, session.ruling as Grant | undefined, name);
  const decision = await session.until(asking());
  if (isDenial(decision)) throw new NotAllowedError(decision, `${remote.ip} connected: ${decision.deny}`);
  if (decision?.limits === undefined || decision.limits === (session.ruling as Grant | undefined)?.limits) return;
  session.leave(); // the peer's rule has limits of its own
  const admission = session.admit(decision);
  if (admission !== undefined) await session.until(admission);
}

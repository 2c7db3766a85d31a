/**
 * Tor's commands: RESOLVE, the address of a name, and RESOLVE_PTR, the name of an address.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { abortSignalOf } from "../client/light_signal.ts";
import { isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import { decodeName, type Target } from "../protocol/address.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { BLOCK } from "../upstream/members_first.ts";
import type { WayOut } from "../upstream/way_out.ts";
import { addressTarget, type Exchange } from "./exchange.ts";
import { reconsider } from "./recheck.ts";
import { findRoute, type Route } from "./route.ts";
import type { Session } from "./session.ts";
import type { Traveller } from "./ways_of.ts";

/**
 * Answers with an address that CONNECT would go to, too: the first that the rules allow, of IPv4 if there is one and the
 * operator prefers nothing else. A name that is left to a way out is not looked up here: that way is asked, if it can be.
 *
 * @throws {ProtocolError} `command`, if it is not to be had.
 * @throws {NetError} `not-allowed`, or why there is no address.
 */
export async function serveResolve(
  session: Session,
  exchange: Exchange,
  granted: Grant | undefined,
): Promise<undefined> {
  checkEnabled(session, exchange);
  const { addresses, grant, way } = await admitted(session, exchange, granted);
  const address = choose(addresses.length > 0 ? addresses : [await addressBy(way, session, exchange, grant)], session);
  session.address = address;
  await exchange.grant(addressTarget(address));
  await leave(session);
}

/**
 * Answers with the first name of an address.
 *
 * @throws {ProtocolError} `command`, if it is not to be had; `address-type`, if it is asked for the name of a name.
 * @throws {NetError} `not-allowed`, or why there is no name.
 */
export async function serveResolvePtr(
  session: Session,
  exchange: Exchange,
  granted: Grant | undefined,
): Promise<undefined> {
  checkEnabled(session, exchange);
  const { target } = exchange;
  if (target.type === "name") throw new ProtocolError("address-type", "Cannot resolve a name to a name");
  const { way } = await admitted(session, exchange, granted);
  const names = way?.keepsNames === true
    ? [(await askWay(way, session, exchange)).host]
    : await namesHere(session, exchange, target.host);
  await exchange.grant({ type: "name", host: sayable(names, target.host), port: 0 });
  await leave(session);
}

async function namesHere(session: Session, exchange: Exchange, ip: string): Promise<readonly string[]> {
  const { reverse } = session.service;
  if (reverse === undefined) throw unavailable(exchange, "there is no means to");
  session.enter("lookup");
  const finding = reverse(ip, session as RequestInfo);
  return finding instanceof Promise ? await session.until(finding) : finding;
}

/** An address that a way out gives for a name, if the rules have nothing against it. */
async function addressBy(
  way: WayOut | undefined,
  session: Session,
  exchange: Exchange,
  grant: Grant | undefined,
): Promise<SocketAddress> {
  const { host: ip } = await askWay(way, session, exchange);
  const address = { ip, port: 0 };
  const { authoriser } = session.service;
  const decision = await authoriser.address(address, session as RequestInfo, grant, exchange.target.host);
  if (isDenial(decision)) throw new NotAllowedError(decision);
  return address;
}

/** Asks a way out that names are left to. */
async function askWay(way: WayOut | undefined, session: Session, exchange: Exchange): Promise<Target> {
  const { target } = exchange;
  const { service } = session;
  if (way === undefined) throw unavailable(exchange, "names are not resolved here");
  if (way.lookup === undefined) throw unavailable(exchange, `names are left to "${way.name}", which cannot be asked`);
  session.enter("connect");
  const found = await session.dialling((signal) =>
    way.lookup!(target, {
      request: session as RequestInfo,
      signal: abortSignalOf(signal),
      runtime: service.runtime,
      keepsName: true,
      addresses: () => Promise.resolve([]),
    })
  );
  if (session.service !== service) await session.until(reconsider(session)); // other options have come
  return found;
}

/** Where names are left to a way out, a client that connects by it would give them away by a lookup here. */
function checkEnabled({ service, isLocal }: Session, exchange: Exchange): void {
  if (service.options.resolveCommands ?? (isLocal && !service.ways.keepNames)) return;
  throw unavailable(exchange, "it is not enabled");
}

function unavailable({ target }: Exchange, state: string): ProtocolError {
  return new ProtocolError("command", `Cannot resolve "${target.host}": ${state}`);
}

/** Has the rules look at the addresses, and takes a place within the limits. */
async function admitted(session: Session, { target }: Exchange, granted: Grant | undefined): Promise<Route> {
  for (let grant = granted;;) {
    const { service } = session;
    session.enter("lookup");
    const finding = findRoute(target, session as Traveller, grant, service);
    const route = finding instanceof Promise ? await session.until(finding) : finding;
    if (session.service !== service) {
      grant = await session.until(reconsider(session)); // other options have come
      continue;
    }
    session.way = route.way;
    if (route.way?.name === BLOCK) throw new NetError("not-allowed", `Cannot resolve: the way out is "${BLOCK}"`);
    const admission = session.admit(route.grant);
    if (admission !== undefined) await session.until(admission);
    return route;
  }
}

/** Many clients know IPv4 alone, and cannot say so; SOCKS4 can answer with nothing else. */
function choose(addresses: readonly SocketAddress[], { protocol, service }: Session): SocketAddress {
  const ipv4 = addresses.find(({ ip }) => !ip.includes(":"));
  if (protocol !== "socks5" && ipv4 === undefined) {
    throw new NetError("name-not-found", "Cannot resolve a name without an IPv4 address for SOCKS4");
  }
  const isChosen = protocol === "socks5" && service.options.outgoing?.prefer !== undefined;
  return isChosen || ipv4 === undefined ? addresses[0]! : ipv4;
}

/** The first of some names that a reply can hold. They come from whoever owns the address. */
function sayable(names: readonly string[], ip: string): string {
  for (const name of names) {
    const bytes = new TextEncoder().encode(name.endsWith(".") ? name.slice(0, -1) : name);
    if (bytes.length === 0 || bytes.length > 255) continue;
    try {
      return decodeName(bytes);
    } catch {
      // The next one.
    }
  }
  throw new NetError("name-not-found", `Cannot look up "${ip}": it has no name that can be told`);
}

/** It is done: its place is for others while the client reads the answer. */
async function leave(session: Session): Promise<void> {
  session.leave();
  await session.closeGently();
}

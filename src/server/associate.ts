/**
 * UDP ASSOCIATE.
 *
 * @module
 */

import { codecOf, unwrapping, wrapped } from "../auth/wrapped_datagrams.ts";
import type { IpAddress, SocketAddress } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { isDenial } from "../policy/authorise.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import { Association } from "../relay/association.ts";
import type { DatagramOptions, DatagramSocket, Pace } from "../runtime/runtime.ts";
import { BLOCK } from "../upstream/members_first.ts";
import { UnableError } from "../upstream/unable_error.ts";
import type { WayOut } from "../upstream/way_out.ts";
import { addressTarget, type Ending, type Exchange } from "./exchange.ts";
import { LimitsOfRules } from "./limits_of_rules.ts";
import type { HandleOptions } from "./options.ts";
import { Outlets } from "./outlets.ts";
import { findRoute } from "./route.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";
import type { Traveller } from "./ways_of.ts";

/**
 * Relays datagrams for as long as the control connection stays.
 *
 * @returns How it ended, if there is more to say than that.
 * @throws {NetError} If there is no socket to be had, or the control connection broke.
 */
export async function serveAssociate(
  session: Session,
  exchange: Exchange,
  granted: Grant | undefined,
): Promise<Ending | undefined> {
  const { service } = session;
  const { bounds, counts } = service;
  if (counts.associations >= bounds.associations) {
    throw new NetError("unknown", `Cannot associate: all ${bounds.associations} associations are in use`);
  }
  counts.associations++;
  let open: { readonly association: Association; readonly outlets: Outlets } | undefined;
  const limits = new LimitsOfRules(session);
  try {
    session.way = wayOf(session, granted);
    const admission = session.admit(granted);
    if (admission !== undefined) await session.until(admission);
    const { association, outlets } = open = newAssociation(session, exchange, limits);
    session.whenAdopted = () => {
      association.forget();
      outlets.forget();
    };
    // Where the client reached us is where it can send to.
    const ip = session.connection.local?.ip ?? "127.0.0.1";
    const take: DatagramOptions["onDatagram"] = (bytes, ip, port) => association.fromClient(bytes, ip, port);
    const codec = codecOf(session.connection);
    const socket = codec === undefined
      ? await bindForClient(service, ip, take)
      : wrapped(await bindForClient(service, ip, unwrapping(take, codec, session.client?.ip)), codec);
    association.inbound = socket;
    session.address = { ip: service.options.advertise ?? ip, port: socket.address.port };
    session.tell("connected");
    session.enter("handshake"); // until the reply is out
    await exchange.grant(session.address);
    session.enter("idle");
    session.channel.takeRest();
    while (await session.channel.readChunk() !== null); // what comes here means nothing; its end is the association's
    return outlets.failure === undefined ? undefined : { cause: "finished", reason: outlets.failure };
  } finally {
    counts.associations--;
    limits.end();
    open?.association.close();
    open?.outlets.close();
  }
}

/**
 * The way out that datagrams take of which no rule says another.
 *
 * @throws {NetError} If they all would take one that cannot carry them.
 */
function wayOf(session: Session, granted: Grant | undefined): WayOut | undefined {
  const { service } = session;
  const way = service.wayFor(granted, session as Traveller);
  const isForAll = granted?.via !== undefined || !mayChoose(service.options.rules);
  if (way === undefined || !isForAll) return way;
  if (way.name === BLOCK) throw new NetError("not-allowed", `Cannot associate: the way out is "${BLOCK}"`);
  if (way.associate === undefined) throw new UnableError("associate", way.name);
  return way;
}

/** Whether rules may choose a way for each destination. */
function mayChoose(rules: HandleOptions["rules"] = []): boolean {
  if ("some" in rules) return rules.some(({ via }) => via !== undefined);
  return rules.address !== undefined || rules.name !== undefined;
}

/** It asks whoever serves the session by then, and under what was granted by then. */
function newAssociation(
  session: Session,
  exchange: Exchange,
  limits: LimitsOfRules,
): { readonly association: Association; readonly outlets: Outlets } {
  const { authoriser, bounds, runtime } = session.service;
  const request = session as RequestInfo;
  const granted = (): Grant | undefined => session.ruling as Grant | undefined;
  const mayAnswer = async (sender: SocketAddress): Promise<boolean> => {
    const decision = await session.service.authoriser.address(sender, request, granted());
    if (isDenial(decision)) return false;
    if (decision?.limits !== undefined) await limits.hold(decision);
    return true;
  };
  const association: Association = new Association({
    runtime,
    sourceFor: (ip) => session.service.outgoing?.sourceFor(ip, request),
    meter: session,
    get pace(): Pace | undefined {
      return session.pace;
    },
    client: expectedClient(session, exchange),
    maxDestinations: bounds.destinations,
    maxLookups: bounds.lookups,
    route: async (target) => {
      const { service } = session;
      if (target.type === "name" && !await service.authoriser.lookup(target, request)) {
        throw new NetError("not-allowed", `Cannot send to "${target.host}": the rules deny it`);
      }
      const { addresses: [address], grant, way } = await findRoute(target, request, granted(), service);
      if (address === undefined && way === undefined) {
        throw new NetError("name-not-found", `Cannot send to "${target.host}": not resolved here`);
      }
      if (grant?.limits !== undefined) await limits.hold(grant);
      if (way === undefined) return address!;
      return outlets.through(way, address === undefined ? target : addressTarget(address));
    },
    mayAnswer,
    mayPass: authoriser.asksDatagrams
      ? async (target, size) => await session.service.authoriser.datagram({ target, size }, request)
      : undefined,
  });
  const outlets = new Outlets({ session, association, mayAnswer });
  return { association, outlets };
}

/**
 * Who may send: the host that holds the control connection. The port that it states counts unless it states another
 * host's address, as clients behind NAT do: then it is learnt.
 */
function expectedClient({ client }: Session, { target }: Exchange): { ip: IpAddress | undefined; port: number } {
  const isStated = target.type !== "name" && !isUnspecified(target.host);
  if (client === undefined) return { ip: isStated ? target.host : undefined, port: isStated ? target.port : 0 };
  const isOwn = target.type !== "name" && (!isStated || target.host === client.ip);
  return { ip: client.ip, port: isOwn ? target.port : 0 };
}

/** Binds to any port, or to a free one of the configured range, beginning anywhere in it. */
async function bindForClient(
  { runtime, options: { udpPorts } }: Service,
  ip: IpAddress,
  onDatagram: DatagramOptions["onDatagram"],
): Promise<DatagramSocket> {
  if (udpPorts === undefined) return await runtime.bindDatagram({ address: { ip, port: 0 }, onDatagram });
  const { from, to } = udpPorts;
  const size = to - from + 1;
  const start = Math.floor(Math.random() * size);
  for (let i = 0; i < size; i++) {
    const port = from + (start + i) % size;
    try {
      return await runtime.bindDatagram({ address: { ip, port }, onDatagram });
    } catch (error) {
      if (netErrorCode(error) !== "address-in-use") throw error;
    }
  }
  throw new NetError("address-in-use", `Cannot associate: all UDP ports from ${from} to ${to} are in use`);
}

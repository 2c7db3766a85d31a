/**
 * Whether a running session would be let in again.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { type Decision, isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { Denial, Grant, RequestInfo } from "../policy/rules.ts";
import { isSamePlan } from "./forward_plan.ts";
import { DIRECT } from "../upstream/members_first.ts";
import { isSameWay } from "../upstream/same_way.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";
import type { Traveller } from "./ways_of.ts";

/**
 * Asks the rules of a new service about a session that an older one let in: about its user, its request and the address
 * at its other end.
 *
 * @param session The session, whose request was granted.
 * @param service What would serve it now.
 * @returns The reason against it, or `undefined`.
 */
export async function objection(session: Session, service: Service): Promise<Denial | undefined> {
  const stranger = objectionToUser(session, service);
  if (stranger !== undefined) return stranger;
  const request = session as RequestInfo;
  let decision: Decision = await service.authoriser.request(request);
  const address = addressOf(session);
  if (!isDenial(decision) && address !== undefined) {
    const { target } = session;
    const name = target?.type === "name" ? target.host : undefined;
    decision = await service.authoriser.address(address, request, decision, name);
  } else if (!isDenial(decision) && isKept(session)) {
    decision = await service.authoriser.name(session.target!, request, decision);
  }
  if (isDenial(decision)) return decision;
  session.ruling = decision;
  return undefined;
}

/** Whether a session was granted a name that nobody looked up here. */
function isKept({ way, target, command }: Session): boolean {
  return way?.keepsNames === true && target?.type === "name" && command !== "udp-associate";
}

/**
 * Whether a running session would take another way out now. The ways of associations are chosen for each destination.
 *
 * @param session The session, to which {@linkcode objection} had none.
 * @param service What would serve it now.
 * @returns The reason against it, or `undefined`.
 */
export function objectionToWay(session: Session, service: Service): Denial | undefined {
  if (session.command === "udp-associate") return undefined;
  try {
    const way = service.wayFor(session.ruling as Grant | undefined, session as Traveller);
    if (isSameWay(session.way, way, session.viaMember)) {
      session.way = way;
      return undefined;
    }
    const [before, now] = [session.via ?? DIRECT, way?.name ?? DIRECT];
    return {
      deny: before === now ? `its way out, "${now}", is another` : `it left by "${before}", and would by "${now}"`,
    };
  } catch (error) {
    return { deny: (error as Error).message }; // a rule of somebody's own asks for a way that is not there
  }
}

/** The address that a session leads to, or will; datagrams have theirs asked for one by one. */
function addressOf({ address, target, command, forward }: Session): SocketAddress | undefined {
  if (command === "udp-associate" && forward === undefined) return undefined;
  if (address !== undefined || target === undefined || target.type === "name") return address;
  return isUnspecified(target.host) ? undefined : { ip: target.host, port: target.port };
}

/**
 * Asks again about a session that another service has taken over before its request was answered.
 *
 * @param session The session.
 * @returns What that service grants.
 * @throws {NotAllowedError} If it grants nothing.
 */
export async function reconsider(session: Session): Promise<Grant | undefined> {
  let service: Service;
  let denial: Denial | undefined;
  do {
    service = session.service;
    denial = await objection(session, service);
  } while (session.service !== service);
  if (denial !== undefined) throw new NotAllowedError(denial);
  return session.ruling as Grant | undefined;
}

/**
 * Whether the user of a session is one of a new service's. Its groups become what they are there. A check of the
 * operator's own can tell only who logs in, and is not asked.
 *
 * @param session The session, which is past its login.
 * @param service What would serve it now.
 * @returns The reason against it, or `undefined`.
 */
export function objectionToUser(session: Session, service: Service): Denial | undefined {
  const { user, forward } = session;
  if (forward !== undefined) {
    return service.plans.some((plan) => isSamePlan(plan, forward))
      ? undefined
      : { deny: "there is no such forward any more" };
  }
  if (user === undefined) {
    return service.methods.allowsNobody(session.listenerName) ? undefined : { deny: "a login is needed now" };
  }
  if (user.by !== undefined) {
    const method = service.methods.of(session.listenerName).find(({ name }) => name === user.by);
    const again = method?.again === undefined ? method && user : method.again(user);
    if (again === undefined) return { deny: "there is no such user any more" };
    session.user = again;
    return undefined;
  }
  const { authenticate, users } = service.options;
  if (authenticate !== undefined || users === undefined) return undefined;
  const entry = users.find(({ name }) => name === user.name);
  if (entry === undefined) return { deny: "there is no such user any more" };
  session.user = { name: entry.name, groups: entry.groups };
  return undefined;
}

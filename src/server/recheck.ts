/**
 * Whether a running session would be let in again.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { type Decision, isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { Denial, Grant, RequestInfo } from "../policy/rules.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";

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
  }
  if (isDenial(decision)) return decision;
  session.ruling = decision;
  return undefined;
}

/** The address that a session leads to, or will; datagrams have theirs asked for one by one. */
function addressOf({ address, target, command }: Session): SocketAddress | undefined {
  if (command === "udp-associate") return undefined;
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
  const { user } = session;
  if (user === undefined) return service.authenticate === undefined ? undefined : { deny: "a login is needed now" };
  const { authenticate, users } = service.options;
  if (authenticate !== undefined || users === undefined) return undefined;
  const entry = users.find(({ name }) => name === user.name);
  if (entry === undefined) return { deny: "there is no such user any more" };
  session.user = { name: entry.name, groups: entry.groups };
  return undefined;
}

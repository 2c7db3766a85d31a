/**
 * Whether a running session would be let in again.
 *
 * @module
 */

import { type Decision, isDenial } from "../policy/authorise.ts";
import type { RequestInfo } from "../policy/rules.ts";
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
export async function objection(session: Session, service: Service): Promise<string | undefined> {
  if (!isStillUser(session, service)) {
    return session.user === undefined ? "a login is needed now" : "there is no such user any more";
  }
  const request = session as RequestInfo;
  let decision: Decision = await service.authoriser.request(request);
  if (!isDenial(decision) && session.address !== undefined && session.command !== "udp-associate") {
    const { address, target } = session;
    const name = target?.type === "name" ? target.host : undefined;
    decision = await service.authoriser.address(address, request, decision, name);
  }
  if (isDenial(decision)) return decision.deny;
  session.ruling = decision;
  return undefined;
}

/**
 * Whether the user of a session is one of a new service's. Its groups become what they are there. A check of the
 * operator's own can tell only who logs in, and is not asked.
 */
export function isStillUser(session: Session, service: Service): boolean {
  const { user } = session;
  if (user === undefined) return service.authenticate === undefined;
  const { authenticate, users } = service.options;
  if (authenticate !== undefined || users === undefined) return true;
  const entry = users.find(({ name }) => name === user.name);
  if (entry === undefined) return false;
  session.user = { name: entry.name, groups: entry.groups };
  return true;
}

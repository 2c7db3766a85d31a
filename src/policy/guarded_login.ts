/**
 * Logins with a guard before them.
 *
 * @module
 */

import type { Authenticate, Credentials } from "../auth/authenticate.ts";
import { type ClientInfo, isUser, type User } from "../auth/client_info.ts";
import { AuthenticationError } from "../auth/method.ts";
import type { LoginGuard } from "./login_guard.ts";

/**
 * Asks a guard before a password is looked at, and tells it what became of it. User ids hold no secret to be guessed and
 * are not guarded.
 *
 * @param authenticate The check.
 * @param guard The guard.
 */
export function guardedLogin(authenticate: Authenticate, guard: LoginGuard): Authenticate {
  return (credentials, client) => {
    if (credentials.method !== "password") return authenticate(credentials, client);
    const refusal = guard.mayTry(client.client?.ip);
    if (refusal instanceof Promise) {
      return refusal.then((refusal) => attempt(refusal, authenticate, guard, credentials, client));
    }
    return attempt(refusal, authenticate, guard, credentials, client);
  };
}

function attempt(
  refusal: string | undefined,
  authenticate: Authenticate,
  guard: LoginGuard,
  credentials: Credentials,
  client: ClientInfo,
): User | undefined | Promise<User | undefined> {
  if (refusal !== undefined) throw new AuthenticationError(refusal);
  const answer = authenticate(credentials, client);
  if (answer instanceof Promise) return answer.then((user) => told(user, guard, client));
  return told(answer, guard, client);
}

/** Tells the guard, whose own failure changes nothing about the answer. */
function told(user: User | undefined, guard: LoginGuard, client: ClientInfo): User | undefined {
  const ip = client.client?.ip;
  const told = isUser(user) ? guard.succeeded(ip) : guard.failed(ip);
  if (told instanceof Promise) told.catch(() => {});
  return user;
}

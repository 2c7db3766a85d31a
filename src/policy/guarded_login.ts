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
 * Asks a guard before a password, or the proof of one, is looked at, and tells it what became of it. Where the look takes a while the guard is
 * asked once more before a yes: of many guesses that come together only so many are answered as the guard lets pass. User
 * ids hold no secret to be guessed and are not guarded.
 *
 * @param authenticate The check.
 * @param guard The guard.
 */
export function guardedLogin(authenticate: Authenticate, guard: LoginGuard): Authenticate {
  return (credentials, client) => {
    if (credentials.method === "user-id") return authenticate(credentials, client);
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
  const { username } = credentials;
  if (!(answer instanceof Promise)) return told(answer, guard, client, username);
  return answer.then(async (user) => {
    const refusal = isUser(user) ? await guard.mayTry(client.client?.ip) : undefined;
    if (refusal !== undefined) throw new AuthenticationError(refusal);
    return told(user, guard, client, username);
  });
}

/** Tells the guard, whose own failure changes nothing about the answer. */
function told(user: User | undefined, guard: LoginGuard, client: ClientInfo, name: string): User | undefined {
  const ip = client.client?.ip;
  const told = isUser(user) ? guard.succeeded(ip, name) : guard.failed(ip, name);
  if (told instanceof Promise) told.catch(() => {});
  return user;
}

/**
 * Basic authentication to the proxy (RFC 7617), against the check that SOCKS5 uses.
 *
 * @module
 */

import { isUser, type User } from "../auth/client_info.ts";
import type { Authenticate, PasswordCredentials } from "../auth/authenticate.ts";
import { AuthenticationError, refusedLogin } from "../auth/method.ts";
import { bytesOf } from "../protocol/http_head.ts";
import type { Session } from "./session.ts";

/** What a user name and a password can each have at most (RFC 1929). */
const MAX_PART = 255;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads Proxy-Authorization.
 *
 * @param value Its value.
 * @returns The credentials, or `undefined` if it has none.
 */
function basicCredentials(value: string): PasswordCredentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = bytesOf(atob(encoded));
  } catch {
    return undefined;
  }
  const colon = bytes.indexOf(0x3a);
  if (colon < 0 || colon > MAX_PART || bytes.length - colon - 1 > MAX_PART) return undefined;
  const parts = { username: bytes.slice(0, colon), password: bytes.slice(colon + 1) };
  return {
    method: "password",
    username: utf8.decode(parts.username),
    password: utf8.decode(parts.password),
    bytes: parts,
  };
}

/**
 * Checks who a client says it is.
 *
 * @param session The client.
 * @param value Its Proxy-Authorization.
 * @param authenticate The check.
 * @throws {AuthenticationError} If it is nobody.
 */
export async function logIn(session: Session, value: string, authenticate: Authenticate): Promise<User> {
  const credentials = basicCredentials(value);
  if (credentials === undefined) {
    throw new AuthenticationError("Cannot log in: the Proxy-Authorization is no Basic one with a name and a password");
  }
  const check = async () => await authenticate(credentials, session);
  let cause: unknown;
  const answer = await session.until(check().catch((error) => void (cause = error)));
  if (isUser(answer)) return answer;
  throw refusedLogin(`as ${JSON.stringify(credentials.username)}`, "unknown user or wrong password", cause);
}

/**
 * METHOD 02: username and password (RFC 1929).
 *
 * @module
 */

import { Method } from "../protocol/constants.ts";
import { decodeLogin, encodeLoginStatus, MAX_LOGIN } from "../protocol/username_password.ts";
import type { Authenticate } from "./authenticate.ts";
import { isUser, type User } from "./client_info.ts";
import { type AuthMethod, refusedLogin } from "./method.ts";

const SUCCESS = 0x00;
const FAILURE = 0x01;

/** METHOD 02, with the check of the credentials passed in. */
export function usernamePassword(authenticate: Authenticate): AuthMethod {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    code: Method.USERNAME_PASSWORD,
    name: "password",
    async negotiate(channel, client) {
      const bytes = await channel.read(decodeLogin, MAX_LOGIN);
      const username = utf8.decode(bytes.username);
      const password = utf8.decode(bytes.password);
      let user: User | undefined;
      let cause: unknown;
      try {
        const answer = await authenticate({ method: "password", username, password, bytes }, client);
        if (isUser(answer)) user = answer;
      } catch (error) {
        cause = error;
      }
      await channel.write(encodeLoginStatus(user === undefined ? FAILURE : SUCCESS));
      if (user !== undefined) return { user };
      throw refusedLogin(`as ${JSON.stringify(username)}`, "unknown user or wrong password", cause);
    },
  };
}

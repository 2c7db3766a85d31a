/**
 * Logins that a proxy's URL or value asks for, other than user and password.
 *
 * @module
 */

import { Method } from "../protocol/constants.ts";
import { chapMethod } from "./chap_method.ts";
import type { ClientMethod } from "./client_method.ts";
import type { Proxy } from "./proxy.ts";

/**
 * The methods that a proxy is to be logged in to with. Where there is one nothing else is offered: whoever poses as the
 * proxy could choose that.
 *
 * @param proxy The proxy.
 * @returns None if user and password, or nobody, will do.
 */
export function loginMethods({ chap = false, gssapi }: Proxy): readonly ClientMethod[] {
  if (gssapi !== undefined) return [gssapiMethod];
  return chap === false ? [] : [chapMethod];
}

/** What it needs is loaded when it is used. */
const gssapiMethod: ClientMethod = {
  code: Method.GSSAPI,
  name: "GSSAPI",
  async negotiate(channel, context) {
    const { negotiateGssapi } = await import("./gssapi_method.ts");
    return await negotiateGssapi(channel, context);
  },
};

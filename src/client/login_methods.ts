/**
 * Logins that a proxy's URL or value asks for, other than user and password.
 *
 * @module
 */

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
export function loginMethods({ chap = false }: Proxy): readonly ClientMethod[] {
  return chap === false ? [] : [chapMethod];
}

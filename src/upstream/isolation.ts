/**
 * Logins at a proxy that keep sessions apart.
 *
 * @module
 */

import { isSocks4, type Proxy } from "../client/proxy.ts";
import { formatAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { mistake } from "../policy/mistake.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { ChainUpstream } from "./upstream.ts";

/** The most bytes that a user name or a password has (RFC 1929). */
const MOST_BYTES = 255;
const PLACE = /\{([^{}]*)\}/;
const PLACES = "{user}, {listener} or {session}";
const NAMES: readonly string[] = ["user", "listener", "session"];
/** What stands for the user of a session that has none. */
const NOBODY = "anonymous";
/** What a value is left to be where another stands beside it: nothing of the text between two that tells them apart. */
const NOT_PLAIN = /[^A-Za-z0-9._~@]/gu;

const words = new WeakMap<RequestInfo, string>();

/** Makes the login of each session from templates. */
export class Isolation {
  readonly #user: Template;
  readonly #password: Template | undefined;

  /**
   * @param templates What the operator wrote.
   * @param proxy The proxy that it is for.
   * @throws {RangeError} `isolate.user: found …, expected …`.
   */
  constructor({ user, password }: NonNullable<ChainUpstream["isolate"]>, proxy: Proxy) {
    if (password !== undefined && isSocks4(proxy)) throw wrong("password", password, "none: SOCKS4 has no such thing");
    this.#user = new Template("user", user);
    this.#password = password === undefined ? undefined : new Template("password", password);
    if (this.#user.isFixed && this.#password?.isFixed !== false) throw wrong("user", user, `${PLACES} in it`);
  }

  /**
   * The proxy with the login of a session.
   *
   * @param proxy The proxy, and the login that it has for everybody.
   * @param request The session.
   * @throws {NetError} If the login is longer than a proxy takes.
   */
  of(proxy: Proxy, request: RequestInfo): Proxy {
    const user = this.#user.fill(request);
    const password = this.#password?.fill(request) ?? proxy.password;
    return password === undefined ? { ...proxy, user } : { ...proxy, user, password };
  }
}

/** Text with places for what a session brings along. */
class Template {
  readonly #what: string;
  /** Text and names of places in turn. */
  readonly #parts: readonly string[];
  /** Whether several values stand in it that a session chooses: then they are written so that no two pairs look alike. */
  readonly #isMixed: boolean;

  constructor(what: string, text: unknown) {
    if (typeof text !== "string" || text === "") throw wrong(what, text, "text such as {user}");
    this.#what = what;
    const parts = this.#parts = text.split(PLACE);
    const places = parts.filter((_part, at) => at % 2 === 1);
    const unknown = places.find((name) => !NAMES.includes(name));
    if (unknown !== undefined) throw wrong(what, `{${unknown}}`, `${PLACES} in braces`);
    this.#isMixed = places.includes("user") && places.includes("listener");
    if (!this.#isMixed) return;
    const isVague = parts.some((part, at) => {
      const isBetween = at % 2 === 0 && at > 0 && at < parts.length - 1;
      return isBetween && !/[^A-Za-z0-9._~@%]/u.test(part);
    });
    if (isVague) throw wrong(what, text, 'a character such as "-" or ":" between what stands in braces');
  }

  /** Whether it is the same for all. */
  get isFixed(): boolean {
    return this.#parts.length === 1;
  }

  fill(request: RequestInfo): string {
    const text = this.#parts.map((part, at) => at % 2 === 0 ? part : this.#value(part, request)).join("");
    const { length } = new TextEncoder().encode(text);
    if (length <= MOST_BYTES) return text;
    throw new NetError(
      "not-supported",
      `Cannot log in for the session: its ${this.#what} has ${length} bytes, expected at most ${MOST_BYTES}`,
    );
  }

  #value(name: string, request: RequestInfo): string {
    if (name === "session") return wordOf(request);
    const value = name === "user" ? request.user?.name ?? NOBODY : listenerOf(request);
    return this.#isMixed ? value.replace(NOT_PLAIN, percentEncoded) : value;
  }
}

function listenerOf({ listenerName, listener }: RequestInfo): string {
  return listenerName ?? (listener === undefined ? "" : formatAddress(listener));
}

/** The same word for as long as a session lasts: 16 hexadecimal digits. */
function wordOf(request: RequestInfo): string {
  let word = words.get(request);
  if (word === undefined) {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    word = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    words.set(request, word);
  }
  return word;
}

function percentEncoded(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** A password is not repeated. */
function wrong(what: string, found: unknown, expected: string): RangeError {
  const { message } = what === "password"
    ? new Error(`found another text, expected ${expected}`)
    : mistake(found, expected);
  return new RangeError(`isolate.${what}: ${message}`);
}

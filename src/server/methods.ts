/**
 * The methods that a server offers, to all clients or to those of a listener.
 *
 * @module
 */

import type { AuthMethod } from "../auth/method.ts";
import { Method } from "../protocol/constants.ts";

/** The methods that need no code of one's own. */
export type MethodName = "none" | "password" | "gssapi" | "chap";

/** A method, by its name or of one's own. */
export type MethodChoice = MethodName | AuthMethod;

/** What can be offered by name, as far as it is configured. */
export type KnownMethods = { readonly [Name in MethodName]?: AuthMethod | undefined };

/** What the options say of methods. */
export interface MethodOptions {
  /** For all listeners. */
  readonly methods?: readonly MethodChoice[] | undefined;
  /** For those of a name. */
  readonly listenerMethods?: Readonly<Record<string, readonly MethodChoice[]>> | undefined;
}

/** In this order those are offered that are configured; nobody has to log in only where none of them is. */
const BY_DEFAULT: readonly MethodName[] = ["gssapi", "chap", "password"];

const WANTED: Readonly<Record<MethodName, string>> = {
  none: "nothing",
  password: "users or a check of your own",
  gssapi: "auth.gssapi",
  chap: "users with a chapSecret",
};

/** The methods of a server. */
export class Methods {
  readonly #all: readonly AuthMethod[];
  readonly #named: ReadonlyMap<string | undefined, readonly AuthMethod[]> | undefined;

  /**
   * @param options What the server was told.
   * @param known What it can offer by name.
   * @throws {RangeError} For a method that is not configured, one given twice, or none at all.
   */
  constructor({ methods, listenerMethods }: MethodOptions, known: KnownMethods) {
    this.#all = methods === undefined ? byDefault(known) : chosen("methods", methods, known);
    const named = Object.entries(listenerMethods ?? {});
    this.#named = named.length === 0 ? undefined : new Map(
      named.map(([name, list]) => [name, chosen(`listenerMethods.${name}`, list, known)]),
    );
  }

  /** Those of a listener, best first. */
  of(listener: string | undefined): readonly AuthMethod[] {
    return this.#named?.get(listener) ?? this.#all;
  }

  /** Whether a listener has a method of this code. */
  has(listener: string | undefined, code: number): boolean {
    return this.of(listener).some((method) => method.code === code);
  }

  /** Whether clients of a listener may be nobody, by whatever method. */
  allowsNobody(listener: string | undefined): boolean {
    return this.of(listener).some(({ anonymous }) => anonymous === true);
  }
}

function byDefault(known: KnownMethods): readonly AuthMethod[] {
  const configured = BY_DEFAULT.flatMap((name) => known[name] ?? []);
  return configured.length > 0 ? configured : [known.none!];
}

function chosen(where: string, choices: readonly MethodChoice[], known: KnownMethods): readonly AuthMethod[] {
  if (choices.length === 0) throw new RangeError(`Cannot use ${where}: found no method, expected at least one`);
  const codes = new Set<number>();
  return choices.map((choice) => {
    const method = typeof choice === "string" ? known[choice] : choice;
    if (method === undefined) {
      const isName = Object.hasOwn(WANTED, choice as string);
      const wanted = isName ? WANTED[choice as MethodName] : "none, password, gssapi, chap or a method of your own";
      throw new RangeError(
        `Cannot use ${where}: found ${JSON.stringify(choice)}, expected ${isName ? `${wanted} for it` : wanted}`,
      );
    }
    const { code } = method;
    if (!Number.isInteger(code) || code < 0 || code >= Method.NO_ACCEPTABLE) {
      throw new RangeError(`Cannot use ${where}: found the code ${code}, expected 0 to 254`);
    }
    if (codes.has(code)) throw new RangeError(`Cannot use ${where}: found the code ${code} twice, expected it once`);
    codes.add(code);
    return method;
  });
}

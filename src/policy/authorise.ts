/**
 * Rules and safe defaults, asked in order.
 *
 * @module
 */

import type { IpAddress, SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { comparableName } from "../net/host_name.ts";
import { embeddedIpv4 } from "../net/ip_class.ts";
import type { Target } from "../protocol/address.ts";
import type { AddressInfo, DatagramInfo, Denial, Grant, MaybeVerdict, RequestInfo, Rules, Verdict } from "./rules.ts";

/** What was decided: a no, a yes and what comes with it, or a plain yes. */
export type Decision = Denial | Grant | undefined;

/** The last word on an address: a reason to deny it, or `undefined`. */
export type AddressDefault = (address: AddressInfo, request: RequestInfo) => string | undefined;

/** A request, or all addresses of one, that rules or safe defaults do not allow. */
export class NotAllowedError extends NetError {
  /** What was decided. */
  readonly denial: Denial;

  /**
   * @param denial What was decided.
   * @param message The reason, if there is more to say than the denial does.
   */
  constructor(denial: Denial, message: string = denial.deny) {
    super("not-allowed", message);
    this.denial = denial;
  }
}

/** Whether a decision is a no. */
export function isDenial(decision: Decision): decision is Denial {
  return decision !== undefined && "deny" in decision;
}

const ALWAYS: Grant = { allow: "always" };

/** Decides. */
export class Authoriser {
  readonly #rules: Rules;
  readonly #default: AddressDefault;

  /**
   * @param rules The operator's rules.
   * @param byDefault What holds where they have no opinion.
   */
  constructor(rules: Rules, byDefault: AddressDefault) {
    this.#rules = rules;
    this.#default = byDefault;
  }

  /** Whether each datagram must be asked for. */
  get asksDatagrams(): boolean {
    return this.#rules.datagram !== undefined;
  }

  /** Decides on a request. A yes stands under the condition that its addresses get theirs. */
  request(request: RequestInfo): Decision | Promise<Decision> {
    return decide(() => this.#rules.request?.(request));
  }

  /** Whether a datagram's destination may be looked up. */
  async lookup(target: Target, request: RequestInfo): Promise<boolean> {
    return !isDenial(await decide(() => this.#rules.lookup?.(target, request)));
  }

  /** Whether a datagram may be sent, as far as its own rule goes. */
  async datagram(datagram: DatagramInfo, request: RequestInfo): Promise<boolean> {
    return !isDenial(await decide(() => this.#rules.datagram?.(datagram, request)));
  }

  /**
   * Decides on an address.
   *
   * @param address The address.
   * @param request Who wants to use it.
   * @param granted What was decided on the request.
   * @param name The name that it is an address of, if the client sent one.
   */
  address(
    address: SocketAddress,
    request: RequestInfo,
    granted: Grant | undefined,
    name?: string,
  ): Decision | Promise<Decision> {
    const info: AddressInfo = { ip: innerIp(address.ip), port: address.port, address, name };
    const decision = decide(() => this.#rules.address?.(info, request));
    if (decision instanceof Promise) {
      return decision.then((decision) => this.#withDefault(decision, info, request, granted));
    }
    return this.#withDefault(decision, info, request, granted);
  }

  /**
   * Decides on a name that is left to a way out. Its addresses are nobody's here to judge, but for `localhost` and what is
   * below it: those are 127.0.0.1 wherever they are looked up.
   *
   * @param target The name, and the port.
   * @param request Who wants to use it.
   * @param granted What was decided on the request.
   */
  name(target: Target, request: RequestInfo, granted: Grant | undefined): Decision | Promise<Decision> {
    const { host, port } = target;
    if (isLocalhost(host)) return this.address({ ip: "127.0.0.1", port }, request, granted, host);
    const decision = decide(() => this.#rules.name?.(target, request));
    return decision instanceof Promise ? decision.then((decision) => decision ?? granted) : decision ?? granted;
  }

  #withDefault(decision: Decision, info: AddressInfo, request: RequestInfo, granted: Grant | undefined): Decision {
    if (isDenial(decision)) return decision;
    const grant = decision ?? granted;
    if (grant?.allow === "always") return grant;
    const reason = this.#default(info, request);
    return reason === undefined ? grant : { deny: reason, rule: grant?.rule, log: grant?.log };
  }
}

/** Whether a name is this machine's for whoever looks it up (RFC 6761). */
function isLocalhost(host: string): boolean {
  const name = comparableName(host);
  return name === "localhost" || name.endsWith(".localhost");
}

function innerIp(ip: IpAddress): IpAddress {
  return ip.includes(":") ? embeddedIpv4(ip) ?? ip : ip;
}

/** A rule that throws denies. */
function decide(rule: () => MaybeVerdict): Decision | Promise<Decision> {
  try {
    const verdict = rule();
    return isPromise(verdict) ? Promise.resolve(verdict).then(decisionOf).catch(failed) : decisionOf(verdict);
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Denial {
  return { deny: `a rule failed: ${error instanceof Error ? error.message : String(error)}` };
}

/** Whatever can be waited for: a rule may come from a library with promises of its own. */
function isPromise(verdict: MaybeVerdict): verdict is Promise<Verdict> {
  return typeof (verdict as Partial<Promise<Verdict>> | undefined)?.then === "function";
}

/** What is no verdict denies: a rule in plain JavaScript may well return `false`. */
function decisionOf(verdict: Verdict): Decision {
  if (verdict === undefined) return undefined;
  if (verdict === "allow") return ALWAYS;
  const { allow, deny } = (verdict ?? {}) as { readonly allow?: unknown; readonly deny?: unknown };
  if (typeof deny === "string") return verdict as Denial;
  if (deny === undefined && (allow === "always" || allow === "safely")) return verdict as Grant;
  return { deny: "denied by a rule" };
}

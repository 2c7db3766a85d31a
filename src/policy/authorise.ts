/**
 * Rules and safe defaults, asked in order.
 *
 * @module
 */

import type { IpAddress, SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { embeddedIpv4 } from "../net/ip_class.ts";
import type { AddressInfo, DatagramInfo, MaybeVerdict, RequestInfo, Rules, Verdict } from "./rules.ts";

/** What was decided on a request: the rules allow it whatever its addresses are, or its addresses must be asked for. */
export type RequestDecision = "allowed" | "ask-addresses";

/** The last word on an address: a reason to deny it, or `undefined`. */
export type AddressDefault = (address: AddressInfo, request: RequestInfo) => string | undefined;

/** Decides, and throws a `NetError` `not-allowed` with the reason where the answer is no. */
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

  /** @throws {NetError} `not-allowed`. */
  request(request: RequestInfo): RequestDecision | Promise<RequestDecision> {
    const verdict = ask(() => this.#rules.request?.(request));
    return then(verdict, decideRequest);
  }

  /** Whether a datagram may be sent, as far as its own rule goes. */
  async datagram(datagram: DatagramInfo, request: RequestInfo): Promise<boolean> {
    return reasonOf(await ask(() => this.#rules.datagram?.(datagram, request))) === undefined;
  }

  /**
   * The reason not to use an address, or `undefined` to use it.
   *
   * @param address The address.
   * @param request Who wants to use it.
   * @param decision What was decided on the request.
   */
  address(
    address: SocketAddress,
    request: RequestInfo,
    decision: RequestDecision,
  ): string | undefined | Promise<string | undefined> {
    const info: AddressInfo = { ip: innerIp(address.ip), port: address.port, address };
    const verdict = ask(() => this.#rules.address?.(info, request));
    return then(verdict, (verdict) => {
      if (verdict === "allow") return undefined;
      const reason = reasonOf(verdict);
      if (reason !== undefined) return reason;
      return decision === "allowed" ? undefined : this.#default(info, request);
    });
  }
}

function innerIp(ip: IpAddress): IpAddress {
  return ip.includes(":") ? embeddedIpv4(ip) ?? ip : ip;
}

/** A rule that throws denies. */
function ask(rule: () => MaybeVerdict): MaybeVerdict {
  try {
    const verdict = rule();
    return isPromise(verdict) ? Promise.resolve(verdict).catch(failed) : verdict;
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Verdict {
  return { deny: `a rule failed: ${error instanceof Error ? error.message : String(error)}` };
}

function then<T>(verdict: MaybeVerdict, decide: (verdict: Verdict) => T): T | Promise<T> {
  return isPromise(verdict) ? verdict.then(decide) : decide(verdict);
}

/** Whatever can be waited for: a rule may come from a library with promises of its own. */
function isPromise(verdict: MaybeVerdict): verdict is Promise<Verdict> {
  return typeof (verdict as Partial<Promise<Verdict>> | undefined)?.then === "function";
}

/** What is no verdict denies: a rule in plain JavaScript may well return `false`. */
function reasonOf(verdict: Verdict): string | undefined {
  if (verdict === undefined || verdict === "allow") return undefined;
  const { deny } = verdict as { deny?: unknown };
  return typeof deny === "string" ? deny : "denied by a rule";
}

function decideRequest(verdict: Verdict): RequestDecision {
  const reason = reasonOf(verdict);
  if (reason !== undefined) throw new NetError("not-allowed", reason);
  return verdict === "allow" ? "allowed" : "ask-addresses";
}

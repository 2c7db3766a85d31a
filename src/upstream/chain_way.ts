/**
 * The way through a proxy, or a chain of them.
 *
 * @module
 */

import { dialThrough, type DialThroughContext, withSignal } from "../client/dial_through.ts";
import { lookUpThrough } from "../client/resolve.ts";
import { type Proxy, resolvesNames } from "../client/proxy.ts";
import { NetError } from "../net/errors.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { WayFacilities } from "./facilities.ts";
import type { Isolation } from "./isolation.ts";
import { associateThroughChain, canAssociate } from "./chain_associate.ts";
import { bindThroughChain, canBind } from "./chain_bind.ts";
import type { WayContext, WayOpened, WayOut } from "./way_out.ts";

/** What a chain is made of. */
export interface ChainParts {
  /** What rules and logs call it. */
  readonly name: string;
  /** The proxies, the nearest first; at least one. */
  readonly hops: readonly Proxy[];
  /** Makes the logins of sessions at the last proxy, if each has its own. */
  readonly isolation?: Isolation | undefined;
  /** See `ChainUpstream`. */
  readonly authorities?: readonly string[] | undefined;
  /** How to reach the first proxy. */
  readonly facilities: WayFacilities;
}

/** Leaves through proxies. */
export class ChainWay implements WayOut {
  readonly name: string;
  readonly keepsNames: boolean;
  readonly isolates: boolean;
  readonly bind?: NonNullable<WayOut["bind"]>;
  readonly associate?: NonNullable<WayOut["associate"]>;
  readonly lookup?: NonNullable<WayOut["lookup"]>;
  readonly #hops: readonly Proxy[];
  readonly #isolation: Isolation | undefined;
  readonly #authorities: readonly string[] | undefined;
  readonly #facilities: WayFacilities;

  /** @param parts What it is made of. */
  constructor({ name, hops, isolation, authorities, facilities }: ChainParts) {
    this.name = name;
    this.#hops = hops;
    this.#isolation = isolation;
    this.#authorities = authorities;
    this.#facilities = facilities;
    this.keepsNames = resolvesNames(hops[hops.length - 1]!);
    this.isolates = isolation !== undefined;
    if (this.keepsNames && hops[hops.length - 1]!.scheme !== "http") {
      this.lookup = async (target, context) =>
        await lookUpThrough(this.#hopsFor(context.request), target, this.#reach(context));
    }
    if (canBind(hops)) {
      this.bind = async (expected, context) =>
        await bindThroughChain(this.#hopsFor(context.request), this.#reach(context), expected, context);
    }
    if (canAssociate(hops)) {
      this.associate = async (context, onDatagram) =>
        await associateThroughChain(this.#hopsFor(context.request), this.#reach(context), onDatagram);
    }
  }

  async connect(target: Target, context: WayContext): Promise<WayOpened> {
    const { addresses } = context;
    const opened = await dialThrough(this.#hopsFor(context.request), target, {
      ...this.#reach(context),
      addresses: target.type === "name" && !context.keepsName ? () => addresses.call(context) : undefined,
      asked: () => context.asked?.(),
    });
    const { type, host, port } = opened.target;
    return {
      connection: opened.connection,
      bound: opened.bound,
      address: type === "name" ? undefined : { ip: host, port },
    };
  }

  /** The proxies, with the login of a session. */
  #hopsFor(request: RequestInfo): readonly Proxy[] {
    if (this.#isolation === undefined) return this.#hops;
    const last = this.#hops.length - 1;
    return this.#hops.with(last, this.#isolation.of(this.#hops[last]!, request));
  }

  /** How the proxies are reached on behalf of a session. */
  #reach(context: WayContext): DialThroughContext {
    const facilities = this.#facilities;
    const lookup: DialThroughContext["lookup"] = (name, signal) =>
      withSignal(facilities.lookup(name, { request: context.request, signal }), signal);
    return {
      runtime: context.runtime,
      signal: context.signal,
      lookup,
      authorities: this.#authorities,
      connect: async ({ type, host, port }, signal) => {
        const ips = type === "name" ? await lookup(host, signal) : [host];
        if (ips.length === 0) throw new NetError("name-not-found", `Cannot look up "${host}": no address`);
        return await facilities.dialProxy(ips.map((ip) => ({ ip, port })), { request: context.request, signal });
      },
    };
  }
}

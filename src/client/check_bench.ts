/**
 * What trials of a proxy work with.
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import { targetOf } from "../protocol/address.ts";
import type { Connection, Duplex, Runtime } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { CheckTarget } from "./check_target.ts";
import { dialThrough, type DialThroughContext, withSignal } from "./dial_through.ts";
import type { Proxy, ProxyScheme } from "./proxy.ts";
import { interleaveFamilies, race } from "./race.ts";

/** A protocol that clients speak to the proxy. */
export type Protocol = "socks5" | "socks4" | "socks4a" | "http";

/** Where trials lead. */
export interface CheckPlace {
  /** Our own target; absent if somebody named another. */
  readonly ours?: CheckTarget | undefined;
  /** Our own target at an IPv6 address, if this machine has one. */
  readonly ours6?: CheckTarget | undefined;
  /** Where to connect to. */
  readonly target: Target;
  /** The same by name, if there is a name. */
  readonly named?: Target | undefined;
}

/** What trials of a proxy work with. What they open is closed when the trial is over. */
export class CheckBench {
  /** The proxy as it was given. */
  readonly proxy: Proxy;
  /** Where trials lead. */
  readonly place: CheckPlace;
  /** The system. */
  readonly runtime: Runtime;
  /** Reads a clock, in milliseconds. */
  readonly now: () => number;
  /** Ends the trial when it aborts. */
  signal: AbortSignal = new AbortController().signal;
  /** Protocols that have carried bytes, best first. */
  readonly spoken: Protocol[] = [];
  readonly #open: { close(): void }[] = [];

  /** @param parts What it is made of. */
  constructor(parts: Pick<CheckBench, "proxy" | "place" | "runtime" | "now">) {
    this.proxy = parts.proxy;
    this.place = parts.place;
    this.runtime = parts.runtime;
    this.now = parts.now;
  }

  /** Has something closed when the trial is over. */
  keep<T extends { close(): void }>(opened: T): T {
    this.#open.push(opened);
    return opened;
  }

  /** Closes what the trial opened. */
  clear(): void {
    for (const opened of this.#open.splice(0)) opened.close();
  }

  /** What dialling needs. */
  get context(): DialThroughContext {
    const { runtime, signal } = this;
    return { runtime, signal, lookup: (name, signal) => withSignal(runtime.lookup(name, { signal }), signal) };
  }

  /** Connects through the proxy, by the best of the protocols that work. */
  open(to: Target = this.place.target): Promise<Connection & Duplex> {
    return this.dial(this.spoken[0] ?? "socks5", to);
  }

  /** Connects through the proxy; with another login than its own if one is given. */
  async dial(
    protocol: Protocol,
    to: Target,
    more: Pick<DialThroughContext, "optimistic" | "payload"> & { readonly login?: Pick<Proxy, "user" | "password"> } =
      {},
  ): Promise<Connection & Duplex> {
    const { login, ...rest } = more;
    const proxy = { ...spoken(this.proxy, protocol), ...login };
    return this.keep((await dialThrough([proxy], to, { ...this.context, ...rest })).connection);
  }

  /** Connects to the proxy itself, and speaks TLS to it if it wants that. */
  async raw(): Promise<Connection & Duplex> {
    const { proxy, runtime, signal, context } = this;
    const target = targetOf(proxy.host, proxy.port);
    const ips = target.type === "name" ? await context.lookup(target.host, signal) : [target.host];
    const addresses = interleaveFamilies(ips.map((ip) => ({ ip, port: proxy.port })));
    const connection = this.keep(
      duplexOf(await race(addresses, (to, signal) => runtime.connect(to, { signal }), signal)),
    );
    signal.addEventListener("abort", () => connection.close(), { once: true });
    if (proxy.tls !== true || runtime.startTls === undefined) return connection;
    return this.keep(await runtime.startTls(connection, { serverName: proxy.host, signal }));
  }
}

const SCHEMES: Readonly<Record<Protocol, ProxyScheme>> = {
  socks5: "socks5h",
  socks4: "socks4",
  socks4a: "socks4a",
  http: "http",
};

/** The proxy for another protocol: SOCKS4 has no passwords, and SOCKS5 alone has other logins. */
export function spoken(proxy: Proxy, protocol: Protocol): Proxy {
  const scheme = SCHEMES[protocol];
  if (protocol === "socks5") return { ...proxy, scheme };
  const { host, port, tls, user, password } = proxy;
  return { scheme, host, port, tls, user, ...protocol === "http" && { password } };
}

/**
 * All ways out of a server, by their names.
 *
 * @module
 */

import { parseProxy, type ProxyLike } from "../client/proxy.ts";
import { NetError } from "../net/errors.ts";
import { mistake } from "../policy/mistake.ts";
import { BLOCK_WAY } from "./block_way.ts";
import { ChainWay } from "./chain_way.ts";
import { DirectWay } from "./direct_way.ts";
import { SharedFacilities, type WayFacilities } from "./facilities.ts";
import { groupWay } from "./group.ts";
import type { GroupSurroundings } from "./group_surroundings.ts";
import { Isolation } from "./isolation.ts";
import type { ChainUpstream, GroupUpstream, Upstream } from "./upstream.ts";
import { BLOCK, DIRECT, memberName, membersFirst, type Upstreams, wrong } from "./members_first.ts";
import type { WayOut } from "./way_out.ts";

/** What ways out are made with. */
export interface WaysOptions extends Pick<GroupSurroundings, "onHealth" | "now" | "random" | "schedule"> {
  /** How they reach what is next to them; until {@linkcode Ways.use} says otherwise. */
  readonly facilities: WayFacilities;
  /** The ways in whose place these come. Those that are written as before are the same. */
  readonly previous?: Ways | undefined;
}

/**
 * Makes ways out.
 *
 * @param upstreams What they are, by name.
 * @param options What they are made with.
 * @throws {RangeError} `Cannot use upstreams.eu.group[1]: found …, expected …`.
 */
export function openWays(upstreams: Upstreams, options: WaysOptions): Ways {
  return new Ways(upstreams, options);
}

/** A way, and what it was made of. */
export interface Made {
  /** The way. */
  readonly way: WayOut;
  /** What the operator wrote, as text to compare. */
  readonly entry: string;
}

/** The ways out of a server. `direct` and `block` are always among them. */
export class Ways {
  /** Whether any of those that were named leaves names to somebody else. */
  readonly keepNames: boolean;
  readonly #made = new Map<string, Made>();
  readonly #facilities: SharedFacilities;

  /**
   * Makes them, as {@linkcode openWays} does.
   *
   * @param upstreams What they are, by name.
   * @param options What they are made with.
   */
  constructor(upstreams: Upstreams, options: WaysOptions) {
    const { previous } = options;
    this.#facilities = previous?.shared ?? new SharedFacilities(options.facilities);
    try {
      for (const name of membersFirst(upstreams)) this.#made.set(name, this.#make(name, upstreams[name]!, options));
    } catch (error) {
      this.close(previous);
      throw error;
    }
    this.keepNames = [...this.#made.values()].some(({ way }) => way.keepsNames);
  }

  /** The names, without `direct` and `block`. */
  get names(): readonly string[] {
    return [...this.#made.keys()];
  }

  /** A way, and what it was made of. */
  made(name: string): Made | undefined {
    return this.#made.get(name);
  }

  /** What ways reach others by: of these, and of those that come in their place. */
  get shared(): SharedFacilities {
    return this.#facilities;
  }

  /**
   * Finds a way.
   *
   * @param name Its name; `direct` if absent.
   * @returns The way; `undefined` for `direct`.
   * @throws {NetError} If there is none of that name.
   */
  find(name: string | undefined): WayOut | undefined {
    if (name === undefined || name === DIRECT) return undefined;
    if (name === BLOCK) return BLOCK_WAY;
    const made = this.#made.get(name);
    if (made !== undefined) return made.way;
    throw new NetError("unknown", `Cannot go on: ${mistake(name, "the name of a way out").message}`);
  }

  /**
   * Makes sure that there is a way of a name.
   *
   * @param name The name; absent is none.
   * @param where Where it stands, such as `rules[3].via`.
   * @throws {RangeError} `Cannot use rules[3].via: found …, expected …`.
   */
  check(name: string | undefined, where: string): void {
    if (name === undefined || name === DIRECT || name === BLOCK || this.#made.has(name)) return;
    throw wrong(where, name, [DIRECT, BLOCK, ...this.#made.keys()].map((one) => `"${one}"`).join(", "));
  }

  /** From now on they reach others by these. */
  use(facilities: WayFacilities): void {
    this.#facilities.use(facilities);
  }

  /**
   * Ends what the ways do by themselves. What goes through them goes on.
   *
   * @param others Ways that are not to be ended, if these are among them.
   */
  close(others?: Ways): void {
    for (const [name, { way }] of this.#made) if (others?.made(name)?.way !== way) way.close?.();
  }

  #make(name: string, upstream: Upstream, options: WaysOptions): Made {
    const entry = JSON.stringify(upstream, (_key, value) => value instanceof URL ? value.href : value);
    const { previous } = options;
    const before = previous?.made(name);
    const isSame = before?.entry === entry &&
      this.#members(upstream).every((member) => this.#made.get(member)?.way === previous!.made(member)?.way);
    if (isSame) return before;
    const way = "group" in upstream ? this.#group(name, upstream, options) : this.#chain(name, upstream);
    return { way, entry };
  }

  /** The names of a group's members that are ways of ours. */
  #members(upstream: Upstream): readonly string[] {
    return "group" in upstream ? upstream.group.map(memberName).filter((name) => name !== DIRECT) : [];
  }

  #chain(name: string, { proxy, isolate, authorities }: ChainUpstream): WayOut {
    const list: readonly ProxyLike[] = Array.isArray(proxy) ? proxy : [proxy as ProxyLike];
    if (list.length === 0) throw wrong(`upstreams.${name}.proxy`, list, "at least one proxy");
    const hops = list.map((one, at) => {
      const path = `upstreams.${name}.proxy${Array.isArray(proxy) ? `[${at}]` : ""}`;
      return inPlace(path, () => parseProxy(one));
    });
    const isolation = isolate && inPlace(`upstreams.${name}`, () => new Isolation(isolate, hops.at(-1)!), ".");
    return new ChainWay({ name, hops, isolation, authorities, facilities: this.#facilities });
  }

  #group(name: string, entry: GroupUpstream, options: WaysOptions): WayOut {
    const members = entry.group.map((member) => {
      const its = memberName(member);
      const way = its === DIRECT ? new DirectWay(this.#facilities) : this.#made.get(its)!.way;
      return { name: its, way, weight: typeof member === "string" ? 1 : member.weight };
    });
    const { onHealth, now, random, schedule } = options;
    return groupWay(name, entry, members, {
      runtime: this.#facilities.runtime,
      lookup: (host, errand) => this.#facilities.lookup(host, errand),
      onHealth,
      now,
      random,
      schedule,
    });
  }
}

/** Says where something stands that was found to be wrong. */
function inPlace<T>(path: string, read: () => T, joint = ": "): T {
  try {
    return read();
  } catch (error) {
    const { message } = error as Error;
    throw new RangeError(`Cannot use ${path}${joint}${message.replace(/^Cannot read the proxy: /, "")}`);
  }
}

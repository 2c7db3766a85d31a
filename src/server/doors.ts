/**
 * What a server listens on.
 *
 * @module
 */

import { formatHostPort, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { exposureProblem, forwardExposureProblem } from "../policy/exposure.ts";
import type { Listener, Runtime } from "../runtime/runtime.ts";
import type { OpenForward } from "./forward.ts";
import { type ForwardPlace, forwardPlaces, type ForwardPlan } from "./forward_plan.ts";
import { ForwardPorts, type PreparedPorts } from "./forward_ports.ts";
import type { ForwardHost } from "./forward_socket.ts";
import type { ServeOptions } from "./options.ts";
import { type Place, PlaceKeys, placesOf } from "./places.ts";
import type { Service } from "./service.ts";

/** An open place. */
export interface Door {
  /** What accepts. */
  readonly listener: Listener;
  /** What rules and limits call it. */
  readonly name: string | undefined;
  /** Where it leads; absent if it serves SOCKS. */
  readonly plan: ForwardPlan | undefined;
}

/** Places that are open and not yet in use. */
export interface PreparedDoors {
  /** Puts them in the place of those before. Says which are new, to be accepted from. */
  use(): readonly [key: string, Door][];
  /** Closes those that are new. */
  discard(): void;
}

/** Places that are to be open: listeners, and UDP ports. */
interface Places {
  readonly listeners: readonly (Place & { readonly plan?: ForwardPlan | undefined })[];
  readonly ports: readonly ForwardPlace[];
  readonly forwards: readonly ForwardPlace[];
}

/** The listeners and UDP ports of a server. */
export class Doors {
  readonly #runtime: Runtime;
  readonly #ports: ForwardPorts;
  #open = new Map<string, Door>();
  #forwards: readonly OpenForward[] = [];

  /**
   * @param runtime The system.
   * @param host What clients of UDP ports are served by.
   */
  constructor(runtime: Runtime, host: ForwardHost) {
    this.#runtime = runtime;
    this.#ports = new ForwardPorts(runtime, host);
  }

  /** Where SOCKS is served. */
  get addresses(): readonly (SocketAddress | UnixAddress)[] {
    return [...this.#open.values()].flatMap(({ listener, plan }) => plan === undefined ? [listener.address] : []);
  }

  /** What leads to one target each. */
  get forwards(): readonly OpenForward[] {
    return this.#forwards;
  }

  /** An open place, by its key. */
  get(key: string): Door | undefined {
    return this.#open.get(key);
  }

  /**
   * Opens what is not open yet.
   *
   * @param options What the server was told.
   * @param service What will serve there. It is told where that is.
   * @throws What `serve` throws. Then nothing was opened.
   */
  async prepare(options: ServeOptions, service: Service): Promise<PreparedDoors> {
    options.forwards?.forEach(({ via }, at) => service.ways.check(via, `forwards[${at}].via`));
    const places = await readPlaces(options, this.#runtime);
    const check = (address: SocketAddress | UnixAddress, { name, plan }: Pick<Door, "name" | "plan">): void => {
      if (options.open === true) return;
      const problem = plan === undefined
        ? exposureProblem([address], !service.methods.allowsNobody(name))
        : plan.isOpen
        ? undefined
        : forwardExposureProblem(address);
      if (problem !== undefined) throw new TypeError(problem);
    };
    for (const place of [...places.listeners, ...places.ports]) {
      if (!("fd" in place.address)) check(place.address, { name: place.name, plan: place.plan });
    }
    const open = new Map<string, Door>();
    const fresh: Listener[] = [];
    let ports: PreparedPorts | undefined;
    const discard = (): void => {
      for (const listener of fresh) listener.close();
      ports?.discard();
    };
    try {
      for (const { key, address, name, plan } of places.listeners) {
        const listener = this.#open.get(key)?.listener ?? await this.#runtime.listen({ address });
        if (!this.#open.has(key)) fresh.push(listener);
        open.set(key, { listener, name, plan });
      }
      ports = await this.#ports.prepare(places.ports);
      for (const door of open.values()) check(door.listener.address, door);
    } catch (error) {
      discard();
      throw error;
    }
    const { addressOf, use } = ports;
    return {
      use: () => {
        const before = this.#open;
        this.#open = open;
        use();
        this.#forwards = places.forwards.map((place) =>
          openForward(place.plan, open.get(place.key)?.listener.address ?? addressOf(place))
        );
        tell(service, this.addresses, this.#forwards, places.forwards);
        for (const [key, { listener }] of before) if (!open.has(key)) listener.close();
        return [...open].filter(([key]) => !before.has(key));
      },
      discard,
    };
  }

  /** Closes them. A UDP port stays open for the clients that it has. */
  stop(): void {
    for (const { listener } of this.#open.values()) listener.close();
    this.#ports.stop();
  }
}

async function readPlaces({ listen, forwards = [] }: ServeOptions, runtime: Runtime): Promise<Places> {
  const keys = new PlaceKeys();
  const socks = await placesOf(listen ?? (forwards.length > 0 ? [] : "127.0.0.1:1080"), runtime, keys);
  const all = await forwardPlaces(forwards, runtime, keys);
  const isUdp = ({ plan }: ForwardPlace): boolean => plan.protocol === "udp";
  return {
    listeners: [...socks, ...all.filter((place) => !isUdp(place))],
    ports: all.filter(isUdp),
    forwards: all,
  };
}

function openForward({ protocol, target, via }: ForwardPlan, address: SocketAddress | UnixAddress): OpenForward {
  return { address, protocol, to: formatHostPort(target.host, target.port), via };
}

/** Tells a service where it serves. */
function tell(
  service: Service,
  addresses: readonly (SocketAddress | UnixAddress)[],
  forwards: readonly OpenForward[],
  places: readonly ForwardPlace[],
): void {
  for (const address of addresses) if (!isUnixAddress(address)) service.listeners.push(address);
  for (const { address, protocol } of forwards) if (!isUnixAddress(address)) service.forwards[protocol].push(address);
  for (const { plan } of places) service.plans.push(plan);
}

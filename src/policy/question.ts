/**
 * What rules are asked.
 *
 * @module
 */

import { formatAddress, type IpAddress, parseIp } from "../net/address.ts";
import { comparableName } from "../net/host_name.ts";
import { type IpBits, ipBits } from "../net/ip_bits.ts";
import { embeddedIpv4, isUnspecified } from "../net/ip_class.ts";
import type { Target } from "../protocol/address.ts";
import type { RequestInfo } from "./rules.ts";

/** Where traffic is to go, as far as that is known. */
export interface Destination {
  /** The name that the client gave; absent if it gave none. */
  readonly name?: string | undefined;
  /** Whether there may be a name that is not known yet, as with the datagrams of an association. Moot beside a name. */
  readonly mayHaveName?: boolean | undefined;
  /** Whether the name is left to a way out, so that nobody here learns its addresses. */
  readonly isKept?: boolean | undefined;
  /** The address that rules look at: the IPv4 address within one that carries it. Absent if it is not known yet. */
  readonly ip?: IpAddress | undefined;
  /**
   * The address as it will be dialled.
   *
   * @default The same as `ip`.
   */
  readonly dialled?: IpAddress | undefined;
  /** The port; absent if it is not known yet. */
  readonly port?: number | undefined;
}

/** A destination whose address is known as it is written. */
export function destinationOf({ type, host, port }: Target): Destination {
  return type === "name" ? { name: host, port } : { ip: innerIp(host), dialled: host, port };
}

/**
 * Where the traffic of a request is to go, as far as the request says so. That of an association, and the peer of a BIND
 * that may be anyone, will be known later.
 */
export function destinationOfRequest({ protocol, command, target }: RequestInfo): Destination {
  if (protocol === "forward") return destinationOf(target);
  if (command === "udp-associate") return { mayHaveName: true };
  if (command === "bind" && target.type !== "name" && isUnspecified(target.host)) return {};
  return destinationOf(target);
}

/** A request and a destination, in the forms that conditions compare. Costly forms are made when first asked for. */
export class Question {
  /** Who asks for what. */
  readonly request: RequestInfo;
  /** Where to, as it was given. */
  readonly destination: Destination;
  /** The name, as `comparableName` gives it. One that spells an address is no name. */
  readonly name: string | undefined;
  /** Whether there may be a name that is not known yet. */
  readonly mayHaveName: boolean;
  /** The address that rules look at. */
  readonly ip: IpBits | undefined;
  /** The address around that, if there is one. */
  readonly outer: IpBits | undefined;
  /** The port. */
  readonly port: number | undefined;
  readonly #clock: () => number;
  #now: number | undefined;
  #client: IpBits | undefined;
  #listener: string | undefined;

  /**
   * @param request Who asks for what.
   * @param destination Where to.
   * @param clock Tells the time, in milliseconds since the epoch.
   */
  constructor(request: RequestInfo, destination: Destination, clock: () => number) {
    this.request = request;
    this.destination = destination;
    this.#clock = clock;
    this.port = destination.port;
    this.mayHaveName = destination.mayHaveName === true && destination.name === undefined;
    const name = destination.name === undefined ? undefined : comparableName(destination.name);
    const spelt = name === undefined ? undefined : spelledIp(name);
    this.name = spelt === undefined ? name : undefined;
    const ip = destination.ip ?? (spelt === undefined ? undefined : innerIp(spelt));
    const dialled = destination.ip === undefined ? spelt : destination.dialled;
    this.ip = ip === undefined ? undefined : ipBits(ip);
    this.outer = dialled === undefined || dialled === ip ? undefined : ipBits(dialled);
  }

  /** When it is asked. */
  get now(): number {
    return this.#now ??= this.#clock();
  }

  /** The client's address, if it has one. */
  get client(): IpBits | undefined {
    const { client } = this.request;
    return this.#client ??= client === undefined ? undefined : ipBits(client.ip);
  }

  /** Where the listener that it came to listens, as canonical text. */
  get listener(): string | undefined {
    const { listener } = this.request;
    return this.#listener ??= listener === undefined ? undefined : formatAddress(listener);
  }
}

function innerIp(ip: IpAddress): IpAddress {
  return ip.includes(":") ? embeddedIpv4(ip) ?? ip : ip;
}

/** Only what ends in a number can be an address; asking is cheaper than trying. */
function spelledIp(name: string): IpAddress | undefined {
  const first = name.charCodeAt(name.lastIndexOf(".") + 1);
  return (first >= 0x30 && first <= 0x39) || name.includes(":") ? parseIp(name) : undefined;
}

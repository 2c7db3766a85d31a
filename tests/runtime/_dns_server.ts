/** A name server on loopback, whose zone the test writes. */

import { createSocket, type Socket } from "node:dgram";
import { ipToBytes, type SocketAddress } from "../../src/net/address.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";

const TYPES = { A: 1, CNAME: 5, PTR: 12, AAAA: 28 } as const;

/** A record: whose it is, what it says and for how many seconds. */
export interface DnsRecord {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly data: string;
  readonly ttl: number;
}

/** What the server says of a name. */
export type DnsReply = readonly DnsRecord[] | "nxdomain" | "servfail" | "refused" | "silence";

/** A name server. */
export class DnsServer implements AsyncDisposable {
  readonly address: SocketAddress;
  /** Its address as an operator writes it. */
  readonly text: string;
  /** Replies by name, or by name and type: `www.test` or `www.test AAAA`. All else is NXDOMAIN. */
  readonly zone = new Map<string, DnsReply>();
  /** What it was asked for, in order: `www.test A`. */
  readonly asked: string[] = [];
  /** The ports that questions came from. */
  readonly ports: number[] = [];
  readonly #socket: Socket;

  constructor(socket: Socket) {
    const { address: ip, port } = socket.address();
    this.#socket = socket;
    this.address = { ip, port };
    this.text = ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
    socket.on("message", (query, from) => {
      const reply = this.#reply(query);
      this.ports.push(from.port);
      if (reply !== undefined) socket.send(reply, from.port, from.address);
    });
  }

  /** Sets the records of a name. */
  set(name: string, ...records: readonly (readonly [keyof typeof TYPES, string, number])[]): void {
    let owner = name;
    this.zone.set(
      name,
      records.map(([type, data, ttl]) => {
        const record = { name: owner, type, data, ttl };
        if (type === "CNAME") owner = data; // what comes after it is the other name's
        return record;
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #reply(query: Uint8Array): Uint8Array | undefined {
    const labels: string[] = [];
    let at = 12;
    while (query[at]) {
      labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + query[at]!)));
      at += 1 + query[at]!;
    }
    const name = labels.join(".").toLowerCase();
    const code = query[at + 1]! << 8 | query[at + 2]!;
    const type = Object.entries(TYPES).find(([, value]) => value === code)?.[0] ?? `TYPE${code}`;
    this.asked.push(`${name} ${type}`);
    const reply = this.zone.get(`${name} ${type}`) ?? this.zone.get(name) ?? "nxdomain";
    if (reply === "silence") return undefined;
    const rcode = typeof reply === "string" ? { nxdomain: 3, servfail: 2, refused: 5 }[reply] : 0;
    const records = typeof reply === "string" ? [] : reply.filter((one) => one.type === type || one.type === "CNAME");
    const head = [query[0]!, query[1]!, 0x84 | query[2]! & 1, 0x80 | rcode, 0, 1, 0, records.length, 0, 0, 0, 0];
    return Uint8Array.from([...head, ...query.subarray(12, at + 5), ...records.flatMap(encodeRecord)]);
  }
}

/** Starts a name server. */
export function dnsServer(ip = "127.0.0.1"): Promise<DnsServer> {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, ip, () => resolve(new DnsServer(socket)));
  });
}

/** A runtime that gives one name server as much time as it needs, and all others as little as it is told. */
export function patientWith({ address }: DnsServer, runtime: Runtime): Runtime {
  const timeFor = <T extends { readonly timeout: number }>({ port }: SocketAddress, options: T): T =>
    port !== address.port ? options : { ...options, timeout: 60_000 };
  return {
    ...runtime,
    query: (name, version, server, options) => runtime.query!(name, version, server, timeFor(server, options)),
    reverseQuery: (ip, server, options) => runtime.reverseQuery!(ip, server, timeFor(server, options)),
  };
}

function encodeRecord({ name, type, data, ttl }: DnsRecord): number[] {
  const bytes = type === "CNAME" || type === "PTR" ? encodeName(data) : [...ipToBytes(data)];
  const age = [ttl >>> 24, ttl >>> 16 & 0xff, ttl >>> 8 & 0xff, ttl & 0xff];
  return [...encodeName(name), 0, TYPES[type], 0, 1, ...age, bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

function encodeName(name: string): number[] {
  return [...name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

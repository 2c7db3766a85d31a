/** A server of ours that leaves by other servers of ours, each on a machine of its own, in memory. */

import { formatAddress } from "../../src/net/address.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { DatagramSocket, Runtime } from "../../src/runtime/runtime.ts";
import type { HandleOptions, ServeOptions } from "../../src/server/options.ts";
import { serve, type Server } from "../../src/server/server.ts";
import type { Upstreams } from "../../src/upstream/members_first.ts";
import { Recorder, soon } from "./_harness.ts";

/** Where the server is. */
export const FRONT = "192.0.2.1";
/** Where its client is. */
export const CLIENT = "203.0.113.9";

/** The names that the proxies know, and the server does not. */
export const HOSTS: Readonly<Record<string, readonly string[]>> = {
  "dns.test": ["198.51.100.53"],
  "office.test": ["10.0.0.53"],
  "peer.test": ["198.51.100.7"],
  "up.test": ["192.0.2.11"],
};

/** A machine with an address, on a network. */
export function machine(base: Runtime, ip: string, lookup: Runtime["lookup"] = base.lookup.bind(base)): Runtime {
  return {
    name: "memory",
    listen: (options) => base.listen(options),
    connect: (to, options) => base.connect(to, { ...options, localIp: options?.localIp ?? ip }),
    bindDatagram: ({ address, onDatagram }) => {
      const from = address.ip === "0.0.0.0" ? ip : address.ip;
      return base.bindDatagram({ address: { ip: from, port: address.port }, onDatagram });
    },
    lookup,
    interfaces: () => [ip, "127.0.0.1"],
  };
}

/** A host that writes down what comes, and answers `got …`. */
export interface Host {
  readonly got: string[];
  readonly socket: DatagramSocket;
}

/** The scene. */
export interface Behind extends AsyncDisposable {
  readonly base: Runtime;
  readonly front: Server;
  readonly seen: Recorder;
  /** The client's machine, which resolves nothing. */
  readonly client: Runtime;
  /** What was looked up on the server's machine. */
  readonly lookups: string[];
  /** What the proxies saw: of the first `up`, of the second `other`. */
  readonly proxies: readonly { readonly server: Server; readonly seen: Recorder }[];
  host(ip: string, port: number): Promise<Host>;
  /** The server's options, with changes. */
  options(changes: Partial<HandleOptions>): HandleOptions;
}

/** Starts it: two proxies, `up` and `other`, and a server which leaves by `up` unless told otherwise. */
export async function behind(
  options: Partial<ServeOptions> = {},
  { scheme = "socks5h", proxy = {} }: { scheme?: string; proxy?: Partial<ServeOptions> } = {},
): Promise<Behind> {
  const base = memory({ hosts: HOSTS });
  const proxies: { server: Server; seen: Recorder }[] = [];
  for (const ip of ["192.0.2.11", "192.0.2.12"]) {
    const seen = new Recorder();
    const runtime = machine(base, ip);
    const open = { request: () => "allow" as const };
    proxies.push({
      seen,
      server: await serve({ listen: `${ip}:1080`, rules: open, open: true, runtime, observer: seen, ...proxy }),
    });
  }
  const lookups: string[] = [];
  const runtime = machine(base, FRONT, (name) => {
    lookups.push(name);
    return base.lookup(name);
  });
  const seen = new Recorder();
  const upstreams: Upstreams = {
    up: { proxy: `${scheme}://192.0.2.11` },
    other: { proxy: `${scheme}://192.0.2.12` },
  };
  const all: ServeOptions = { listen: `${FRONT}:1080`, open: true, observer: seen, upstreams, via: "up", ...options };
  const front = await serve({ ...all, runtime });
  const sockets: DatagramSocket[] = [];
  return {
    base,
    front,
    seen,
    client: machine(base, CLIENT, () => Promise.reject(new Error("A lookup by the client"))),
    lookups,
    proxies,
    async host(ip, port) {
      const got: string[] = [];
      const socket: DatagramSocket = await base.bindDatagram({
        address: { ip, port },
        onDatagram: (bytes, from, at) => {
          const text = new TextDecoder().decode(bytes);
          got.push(`${text} from ${formatAddress({ ip: from, port: 0 }).replace(/:0$/, "")}`);
          socket.send(new TextEncoder().encode(`got ${text}`), from, at);
        },
      });
      sockets.push(socket);
      return { got, socket };
    },
    options: (changes) => ({ ...all, ...changes }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await soon(front.close(), "the server's close");
      for (const { server } of proxies) await soon(server.close(), "a proxy's close");
    },
  };
}

/**
 * The servers that clients reach through the proxy, all of them real and on loopback.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";

/** A port on which nothing listens, and that browsers do not block: compressnet, which nobody serves. */
export const REFUSED_PORT = 3;

/**
 * A name with a longer label than DNS has: resolvers reject it by themselves, so that no name server is asked.
 */
export const LONG_LABEL: string = `${"x".repeat(64)}.test`;

/** The same for clients that check labels: a name that fits a request but is longer than any in DNS. */
export const NO_NAME: string = Array(4).fill("x".repeat(63)).join(".");

/** A server on loopback. */
export interface Target extends AsyncDisposable {
  /** Its address as clients write it, without brackets. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Host and port as one, an IPv6 address in brackets. */
  readonly authority: string;
  /** How many connections it has seen so far. */
  readonly connections: number;
  /** Settles when no connection is open. */
  emptied(): Promise<void>;
}

/** An address of this machine that only this machine reaches. */
export type Loopback = "127.0.0.1" | "::1";

/** Where a target listens. */
export interface TargetOptions {
  /** @default {"127.0.0.1"} */
  readonly host?: Loopback;
}

/** Deterministic bytes that no compression shortens and no shift maps onto themselves. */
export function payload(length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 0x9e3779b9;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** The SHA-256 of some bytes in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Has a server listen on a free port and count its connections. */
export async function listening(
  server: Server,
  { host = "127.0.0.1" }: TargetOptions = {},
): Promise<Target> {
  let connections = 0;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
    // Clients which leave in the middle are part of the tests.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    authority: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    get connections() {
      return connections;
    },
    emptied: async () => {
      while (sockets.size > 0) await new Promise((resolve) => [...sockets][0]!.once("close", resolve));
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A server that sends everything back. */
export function echoTarget(options: TargetOptions = {}): Promise<Target> {
  return listening(createTcpServer((socket) => void socket.pipe(socket)), options);
}

/** A server that reads until the client's end and only then answers, with the length and SHA-256 of what came. */
export function digestTarget(options: TargetOptions = {}): Promise<Target> {
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    const hash = createHash("sha256");
    let length = 0;
    socket.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      hash.update(chunk);
    });
    socket.on("end", () => socket.end(`${length} ${hash.digest("hex")}\n`));
  });
  return listening(server, options);
}

/** The answer of {@linkcode digestTarget} to some bytes. */
export function digestAnswer(bytes: Uint8Array): string {
  return `${bytes.length} ${sha256(bytes)}\n`;
}

/** An HTTP server. */
export interface HttpTarget extends Target {
  /** Its address as a URL without a path. */
  readonly origin: string;
  /** Method and path of every request so far. */
  readonly requests: readonly string[];
}

/** What the HTTP server answers on a path; paths without an entry get 404. */
export type Routes = Readonly<Record<string, { readonly type: string; readonly body: Uint8Array | string }>>;

/** Options for {@linkcode httpTarget}. */
export interface HttpTargetOptions extends TargetOptions {
  /** Pages in addition to the usual ones. */
  readonly routes?: Routes;
}

/**
 * An HTTP server: `/hello` greets, `/bytes/N` sends N bytes of {@linkcode payload}, a PUT of anything is answered with
 * its length and SHA-256, `/endless` sends until the client leaves.
 */
export async function httpTarget(options: HttpTargetOptions = {}): Promise<HttpTarget> {
  const requests: string[] = [];
  // Without limits of its own: how slow a client may be is not what is tested.
  const unlimited = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };
  const server = createHttpServer({ keepAlive: true, ...unlimited }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response, options.routes ?? {});
  });
  const target = await listening(server, options);
  return Object.assign(target, { origin: `http://${target.authority}`, requests });
}

/** What `/hello` answers. */
export const GREETING = "hello from behind the proxy\n";

function answer(request: IncomingMessage, response: ServerResponse, routes: Routes): void {
  const path = request.url ?? "";
  const bytes = /^\/bytes\/(\d+)$/.exec(path)?.[1];
  const route = routes[path];
  if (request.method === "PUT") {
    const hash = createHash("sha256");
    let length = 0;
    request.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      hash.update(chunk);
    });
    request.on("end", () => response.end(`${length} ${hash.digest("hex")}\n`));
  } else if (route !== undefined) {
    response.setHeader("content-type", route.type);
    response.end(route.body);
  } else if (path.startsWith("/hello")) {
    response.setHeader("content-type", "text/plain");
    response.end(GREETING);
  } else if (bytes !== undefined) {
    response.setHeader("content-type", "application/octet-stream");
    response.end(payload(Number(bytes)));
  } else if (path === "/endless") {
    const block = payload(65_536);
    const fill = () => {
      while (response.write(block));
    };
    response.on("drain", fill);
    fill();
  } else {
    response.statusCode = 404;
    response.end("no such page\n");
  }
}

/** A UDP server that sends every datagram back, in upper case where it is text. */
export async function udpTarget(host: Loopback = "127.0.0.1"): Promise<{ port: number } & AsyncDisposable> {
  const socket = createSocket(host === "::1" ? "udp6" : "udp4");
  socket.on("message", (message, from) => {
    socket.send(Buffer.from(message.toString("latin1").toUpperCase(), "latin1"), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, host, resolve);
  });
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

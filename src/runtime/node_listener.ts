import { createServer, type Server, Socket } from "node:net";
import { canonicalIp, formatAddress, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { descriptors } from "./descriptors.ts";
import { toNetError } from "./errno.ts";
import { type Handle, NodeConnection } from "./node_socket.ts";
import type { Connection, Listener, ListenOptions } from "./runtime.ts";
import { claimPath, type PathClaim } from "./unix_path.ts";

/** What lies under a `Server`: not public, so its use is tested for first. */
interface RawListener {
  onconnection?: (error: number | undefined, handle: Handle | undefined) => void;
}

/** What a runtime's `node:net` is capable of. */
export interface ListenTraits {
  /** Whether it reads into our buffers. */
  readonly onread: boolean;
  /** Whether its listeners are dead after they ran out of descriptors, until they are told to listen again. */
  readonly mortal: boolean;
}

/**
 * Listens over `node:net`.
 *
 * @throws {NetError} See `Runtime.listen`.
 */
export async function listen(options: ListenOptions, traits: ListenTraits): Promise<Listener> {
  const { address, backlog = 511 } = options;
  const isInherited = "fd" in address;
  const action = `Cannot listen on "${isInherited ? `fd:${address.fd}` : formatAddress(address)}"`;
  const claim = !isInherited && isUnixAddress(address) ? await claimPath(address.path, action) : undefined;
  const server = createServer({ pauseOnConnect: traits.onread, allowHalfOpen: true, noDelay: true });
  try {
    await started(server, {
      backlog,
      exclusive: true,
      ...whereOf(address),
    });
  } catch (error) {
    server.close();
    throw toNetError(error, action, "listen");
  }
  claim?.hold();
  descriptors.start();
  const listener = new NodeListener(server, boundAddress(server, address), traits.onread, claim);
  if (traits.mortal) listener.revive(backlog);
  return listener;
}

function whereOf(address: ListenOptions["address"]): Parameters<Server["listen"]>[0] {
  if ("fd" in address) return { fd: address.fd };
  return isUnixAddress(address) ? { path: address.path } : { host: address.ip, port: address.port };
}

/** Where a server listens in truth. */
function boundAddress(server: Server, asked: ListenOptions["address"]): SocketAddress | UnixAddress {
  const bound = server.address();
  if (typeof bound === "object" && bound?.address) return { ip: canonicalIp(bound.address), port: bound.port };
  // Not every runtime tells the path of an inherited one; Bun has an object without an address for it.
  if ("fd" in asked) return { path: typeof bound === "string" ? bound : `fd:${asked.fd}` };
  return asked;
}

function started(server: Server, options: Parameters<Server["listen"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

class NodeListener implements Listener {
  readonly address: SocketAddress | UnixAddress;
  readonly #server: Server;
  readonly #onread: boolean;
  readonly #claim: PathClaim | undefined;
  readonly #local: SocketAddress | undefined;
  readonly #queue: AcceptQueue<Socket | Handle, Connection>;
  #forget: (() => void) | undefined;
  #reviver: ReturnType<typeof setInterval> | undefined;

  constructor(server: Server, address: SocketAddress | UnixAddress, onread: boolean, claim: PathClaim | undefined) {
    this.address = address;
    this.#server = server;
    this.#onread = onread;
    this.#claim = claim;
    // Bound to one address, every connection's local end is that: nothing to ask the system for.
    this.#local = isUnixAddress(address) || isWildcard(address.ip) ? undefined : address;
    this.#queue = new AcceptQueue((accepted) => this.#connection(accepted), drop);
    server.on("connection", (socket) => this.#accept(socket));
    if (onread) tapHandles(server, (handle) => this.#accept(handle));
    // Out of descriptors, say: the runtime goes on accepting when it can.
    server.on("error", ignore);
  }

  [Symbol.asyncIterator](): AsyncIterator<Connection> {
    return this.#queue;
  }

  close(): void {
    if (!this.#queue.close()) return;
    // Closes the listening socket at once. Its callback would wait for connections that we took out of its books.
    this.#server.close();
    this.#claim?.release();
    this.#forget?.();
    clearInterval(this.#reviver);
  }

  /** From the first time on that descriptors ran out, sees to it that the listener is alive. */
  revive(backlog: number): void {
    this.#forget = descriptors.onExhausted(() => {
      this.#reviver ??= setInterval(() => {
        const { _handle } = this.#server as { _handle?: { listen?: (backlog: number) => number } | null };
        _handle?.listen?.(backlog); // harmless to one that is alive
      }, REVIVAL_INTERVAL);
    });
  }

  #accept(accepted: Socket | Handle): void {
    if (descriptors.fullForClients(this.#queue.length)) drop(accepted);
    else this.#queue.push(accepted);
  }

  #connection(accepted: Socket | Handle): Connection {
    const local = this.#local;
    const handle = accepted instanceof Socket ? handleOf(accepted, this.#onread) : accepted;
    const connection = handle === undefined
      ? new NodeConnection({ socket: accepted as Socket, onread: false, local })
      : new NodeConnection({ handle, onread: true, local });
    handle?.setNoDelay?.(true);
    connection.settleAddresses();
    return connection;
  }
}

/**
 * Takes accepted sockets before the server makes a `Socket` of them: only a constructor takes `onread`, so each would
 * be built twice. Where they do not come this way (Deno), the server goes on as ever.
 */
function tapHandles(server: Server, accept: (handle: Handle) => void): void {
  const { _handle: raw } = server as { _handle?: RawListener | null };
  const original = raw?.onconnection;
  if (typeof original !== "function") return;
  raw!.onconnection = (error, handle) => {
    if (error || typeof handle?.useUserBuffer !== "function") return original.call(raw, error, handle);
    accept(handle);
  };
}

/** Takes the handle out of an accepted socket, to build it anew, if it is one that we know. */
function handleOf(socket: Socket, onread: boolean): Handle | undefined {
  const owner = socket as { _handle?: Handle | null };
  const handle = owner._handle;
  if (!onread || typeof handle?.useUserBuffer !== "function") return undefined;
  owner._handle = null;
  return handle;
}

/** Closes what nobody takes. */
function drop(accepted: Socket | Handle): void {
  if (accepted instanceof Socket) accepted.destroy();
  else accepted.close();
}

/** How long a listener may stay dead, in milliseconds. */
const REVIVAL_INTERVAL = 1_000;

function isWildcard(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}

function ignore(): void {}

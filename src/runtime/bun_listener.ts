import { canonicalIp, formatAddress, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { Bun, type BunListenSocket, type BunSocket } from "./bun_api.ts";
import { BunConnection, type BunOwner, handlers } from "./bun_socket.ts";
import { descriptors } from "./descriptors.ts";
import { toNetError } from "./errno.ts";
import { listen as listenOnNode } from "./node_listener.ts";
import type { Connection, Listener, ListenOptions } from "./runtime.ts";
import { claimPath, type PathClaim } from "./unix_path.ts";

/**
 * Listens with `Bun.listen`, whose backlog is Bun's own: `options.backlog` has no effect.
 *
 * @throws {NetError} See `Runtime.listen`.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { address } = options;
  // Bun.listen takes no descriptor.
  if ("fd" in address) return await listenOnNode(options, { onread: false, mortal: false });
  const action = `Cannot listen on "${formatAddress(address)}"`;
  const claim = isUnixAddress(address) ? await claimPath(address.path, action) : undefined;
  const listener = new BunListener(claim);
  try {
    listener.start(address);
  } catch (error) {
    throw toNetError(error, action, "listen");
  }
  claim?.hold();
  descriptors.start();
  return listener;
}

/** Owns the sockets it accepts until each has its connection, which is at once. */
class BunListener implements Listener, BunOwner {
  address!: SocketAddress | UnixAddress;
  readonly #claim: PathClaim | undefined;
  readonly #queue = new AcceptQueue<BunConnection, Connection>((connection) => connection, (connection) => {
    connection.close(new Error("Nobody took the connection"));
  });
  #socket: BunListenSocket | undefined;
  /** Bound to one address, every connection's local end is that. */
  #known: { local?: SocketAddress } = {};

  constructor(claim: PathClaim | undefined) {
    this.#claim = claim;
  }

  start(asked: SocketAddress | UnixAddress): void {
    const where = isUnixAddress(asked) ? { unix: asked.path } : { hostname: asked.ip, port: asked.port };
    const socket = Bun.listen<BunOwner>({ ...where, allowHalfOpen: true, data: this, socket: handlers });
    this.#socket = socket;
    this.address = isUnixAddress(asked)
      ? asked
      : { ip: canonicalIp(socket.hostname ?? asked.ip), port: socket.port ?? asked.port };
    const isOne = !isUnixAddress(this.address) && this.address.ip !== "0.0.0.0" && this.address.ip !== "::";
    if (isOne) this.#known = { local: this.address as SocketAddress };
  }

  [Symbol.asyncIterator](): AsyncIterator<Connection> {
    return this.#queue;
  }

  close(): void {
    if (!this.#queue.close()) return;
    this.#socket?.stop();
    this.#claim?.release();
  }

  opened(socket: BunSocket<BunOwner>): void {
    if (descriptors.fullForClients(0)) return socket.terminate();
    descriptors.take();
    this.#queue.push(new BunConnection(socket, this.#known));
  }

  refused(): void {}
  lost(): void {}
  arrived(): void {}
  drain(): void {}
  ended(): void {}
}

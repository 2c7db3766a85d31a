/**
 * UDP ports that lead to a target.
 *
 * @module
 */

import type { IpAddress, SocketAddress } from "../net/address.ts";
import type { DatagramSocket, Runtime } from "../runtime/runtime.ts";
import { ForwardClients } from "./forward_clients.ts";
import { type DatagramPort, DatagramSession } from "./forward_datagram_session.ts";
import type { ForwardPlan } from "./forward_plan.ts";
import type { Service } from "./service.ts";

/** The server that a port belongs to. */
export interface ForwardHost {
  /** What serves new sessions. */
  service(): Service;
  /** Whether another session may begin. */
  hasRoom(): boolean;
  /** Begins a session. */
  begin(session: DatagramSession): void;
}

/**
 * Opens a UDP port. It takes clients once it has a plan.
 *
 * @param address Where.
 * @param runtime The system.
 * @param host The server.
 * @throws {NetError} `address-in-use`, …
 */
export async function openForwardSocket(
  address: SocketAddress,
  runtime: Runtime,
  host: ForwardHost,
): Promise<ForwardSocket> {
  let port: ForwardSocket | undefined;
  const socket = await runtime.bindDatagram({
    address,
    onDatagram: (bytes, ip, at) => port?.take(bytes, ip, at),
  });
  return port = new ForwardSocket(socket, host);
}

/** A UDP port with a session for each client address. */
export class ForwardSocket implements DatagramPort {
  readonly socket: DatagramSocket;
  readonly #host: ForwardHost;
  readonly #clients = new ForwardClients<DatagramSession>();
  /** Most datagrams come from where the one before came from. */
  #last: DatagramSession | undefined;
  #plan: ForwardPlan | undefined;
  #name: string | undefined;
  #whenClosed: (() => void) | undefined;

  /**
   * @param socket The socket.
   * @param host The server.
   */
  constructor(socket: DatagramSocket, host: ForwardHost) {
    this.socket = socket;
    this.#host = host;
  }

  /**
   * From now on new clients are led there.
   *
   * @param plan Where to.
   * @param name What rules and limits call the port.
   */
  lead(plan: ForwardPlan, name: string | undefined): void {
    this.#plan = plan;
    this.#name = name;
    this.#whenClosed = undefined;
  }

  /**
   * Takes no more clients, and is closed when the last one is gone.
   *
   * @param whenClosed Is told of that, unless the port leads somewhere again.
   */
  stop(whenClosed?: () => void): void {
    this.#plan = undefined;
    this.#whenClosed = whenClosed;
    this.#closeIfOver();
  }

  /** Takes a datagram. */
  take(bytes: Uint8Array, ip: IpAddress, port: number): void {
    let client = this.#last;
    if (client === undefined || client.port !== port || client.ip !== ip) {
      client = this.#clients.get(ip, port) ?? this.#admit(ip, port);
      if (client === undefined) return;
      this.#last = client;
    }
    client.fromClient(bytes);
  }

  forget(client: DatagramSession): void {
    if (client.position < 0) return;
    this.#clients.delete(client);
    if (this.#last === client) this.#last = undefined;
    this.#host.service().counts.associations--;
    this.#closeIfOver();
  }

  /** A client comes, if there is room. It may take the place of one that is silent. */
  #admit(ip: IpAddress, port: number): DatagramSession | undefined {
    const plan = this.#plan;
    if (plan === undefined || port === 0) return undefined;
    const service = this.#host.service();
    const { counts, bounds } = service;
    if (counts.associations >= bounds.associations || !this.#host.hasRoom()) {
      const quiet = this.#clients.quietest();
      if (quiet === undefined) return undefined;
      quiet.giveWay();
      if (counts.associations >= bounds.associations) return undefined;
    }
    const client = new DatagramSession(service, this, { ip, port }, this.#name, plan);
    counts.associations++;
    this.#clients.add(client);
    this.#host.begin(client);
    return client;
  }

  #closeIfOver(): void {
    if (this.#plan !== undefined || this.#clients.size > 0) return;
    this.socket.close();
    this.#whenClosed?.();
    this.#whenClosed = undefined;
  }
}

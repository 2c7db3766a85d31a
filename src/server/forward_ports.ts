/**
 * The UDP ports of a server.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ForwardPlace } from "./forward_plan.ts";
import { type ForwardHost, type ForwardSocket, openForwardSocket } from "./forward_socket.ts";

/** UDP ports, open and not yet in use. */
export interface PreparedPorts {
  /** Where each place listens. */
  addressOf(place: ForwardPlace): SocketAddress;
  /** From now on new clients are led where these lead, and nowhere else. */
  use(): void;
  /** Closes those that are new. */
  discard(): void;
}

/** Opens UDP ports and keeps those that other options name again. */
export class ForwardPorts {
  readonly #runtime: Runtime;
  readonly #host: ForwardHost;
  /** Also those that only serve the clients that they have. */
  readonly #open = new Map<string, ForwardSocket>();

  /**
   * @param runtime The system.
   * @param host The server.
   */
  constructor(runtime: Runtime, host: ForwardHost) {
    this.#runtime = runtime;
    this.#host = host;
  }

  /**
   * Opens what is not open yet.
   *
   * @param places Where, and where they lead.
   * @throws {NetError} `address-in-use`, … Then nothing was opened.
   */
  async prepare(places: readonly ForwardPlace[]): Promise<PreparedPorts> {
    const all = new Map<string, ForwardSocket>();
    const fresh: ForwardSocket[] = [];
    const discard = (): void => fresh.forEach((port) => port.stop());
    try {
      for (const { key, address } of places) {
        let port = this.#open.get(key);
        if (port === undefined) {
          fresh.push(port = await openForwardSocket(address as SocketAddress, this.#runtime, this.#host));
        }
        all.set(key, port);
      }
    } catch (error) {
      discard();
      throw error;
    }
    return {
      addressOf: ({ key }) => all.get(key)!.socket.address,
      use: () => {
        for (const [key, port] of this.#open) if (!all.has(key)) this.#stop(key, port);
        for (const { key, name, plan } of places) {
          const port = all.get(key)!;
          this.#open.set(key, port);
          port.lead(plan, name);
        }
      },
      discard,
    };
  }

  /** Takes no more clients. Each port is closed when its last client is gone. */
  stop(): void {
    for (const [key, port] of this.#open) this.#stop(key, port);
  }

  #stop(key: string, port: ForwardSocket): void {
    port.stop(() => this.#open.delete(key));
  }
}

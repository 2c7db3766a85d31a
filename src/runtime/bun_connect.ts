import { formatAddress, type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import { type NetError, netErrorCode } from "../net/errors.ts";
import { Bun, type BunSocket } from "./bun_api.ts";
import { BunConnection, type BunOwner, handlers } from "./bun_socket.ts";
import { descriptors } from "./descriptors.ts";
import { abortError, newNetError, toNetError } from "./errno.ts";
import type { Abortable, ConnectOptions } from "./runtime.ts";

/**
 * Connects with `Bun.connect`.
 *
 * @throws {NetError} See `Runtime.connect`.
 */
export function connect(to: SocketAddress, options: ConnectOptions = {}): Promise<BunConnection> {
  return new Promise((resolve, reject) => {
    const { signal, localIp } = options;
    if (signal?.aborted) return reject(abortError(signal, actionOf(to, localIp)));
    // Once Bun has run out in earnest, it spins over the clients it cannot accept.
    if (descriptors.fullForTargets) return reject(newNetError("too-many-files", actionOf(to, localIp)));
    const attempt = new Attempt(to, options, resolve, reject);
    try {
      Bun.connect<BunOwner>({
        hostname: to.ip,
        port: to.port,
        allowHalfOpen: true,
        data: attempt,
        socket: handlers,
        ...(localIp === undefined ? {} : { localAddress: localIp }),
      }).catch((error) => attempt.refused(error));
    } catch (error) {
      attempt.refused(error);
    }
  });
}

/** Owns a socket until it is open. */
class Attempt implements BunOwner {
  readonly #to: SocketAddress;
  readonly #localIp: IpAddress | undefined;
  readonly #signal: Abortable | undefined;
  readonly #resolve: (connection: BunConnection) => void;
  readonly #reject: (error: NetError) => void;
  readonly #onAbort: () => void;
  #settled = false;
  #given = false;

  constructor(
    to: SocketAddress,
    { localIp, signal }: ConnectOptions,
    resolve: (connection: BunConnection) => void,
    reject: (error: NetError) => void,
  ) {
    this.#to = to;
    this.#localIp = localIp;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onAbort = () => this.#settle() && reject(abortError(signal!, actionOf(to, localIp)));
    signal?.addEventListener("abort", this.#onAbort);
    descriptors.take();
  }

  opened(socket: BunSocket<BunOwner>): void {
    if (this.#settle()) this.#resolve(new BunConnection(socket, { remote: this.#to }));
    // Bun cannot call a connect off; nobody waits for this one any more.
    else {
      this.#give();
      socket.terminate();
    }
  }

  refused(error: unknown): void {
    this.#give();
    if (this.#settle()) refusal(error, this.#to, this.#localIp).then(this.#reject);
  }

  lost(error: unknown): void {
    this.refused(error);
  }

  arrived(): void {}
  drain(): void {}
  ended(): void {}

  #give(): void {
    if (this.#given) return;
    this.#given = true;
    descriptors.give();
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

/**
 * Bun reports every failed connect as refused. Connecting a UDP socket to the same address sends nothing, but the
 * system looks for a route, and says so if there is none.
 */
async function refusal(error: unknown, to: SocketAddress, localIp: IpAddress | undefined): Promise<NetError> {
  const action = actionOf(to, localIp);
  const told = toNetError(error, action, "connect");
  if (netErrorCode(told) !== "refused") return told;
  const found = await routeError(to.ip, localIp);
  const meant = found === undefined ? told : toNetError(found, action, "connect");
  return ["unreachable-network", "unreachable-host", "permission-denied"].includes(meant.code) ? meant : told;
}

async function routeError(ip: IpAddress, localIp: IpAddress | undefined): Promise<unknown> {
  try {
    // Not by node:dgram, whose connect on Bun keeps the error to itself.
    const hostname = localIp ?? (ipVersion(ip) === 4 ? "0.0.0.0" : "::"); // by itself it would be an IPv4 socket
    (await Bun.udpSocket({ hostname, connect: { hostname: ip, port: 9 } })).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

function actionOf(to: SocketAddress, localIp: IpAddress | undefined): string {
  return `Cannot connect to "${formatAddress(to)}"${localIp === undefined ? "" : ` from "${localIp}"`}`;
}

import { formatAddress, type SocketAddress } from "../net/address.ts";
import { descriptors } from "./descriptors.ts";
import { abortError, toNetError } from "./errno.ts";
import { NodeConnection } from "./node_socket.ts";
import type { ConnectOptions } from "./runtime.ts";

/**
 * Connects over `node:net`.
 *
 * @param onread Whether this runtime reads into our buffers.
 * @throws {NetError} See `Runtime.connect`.
 */
export function connect(to: SocketAddress, options: ConnectOptions, onread: boolean): Promise<NodeConnection> {
  return new Promise((resolve, reject) => {
    const { signal, localIp } = options;
    const action = `Cannot connect to "${formatAddress(to)}"${localIp === undefined ? "" : ` from "${localIp}"`}`;
    if (signal?.aborted) return reject(abortError(signal, action));

    const connection = new NodeConnection({ onread });
    const { socket } = connection;
    const settle = (): void => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
    };
    const onAbort = (): void => {
      settle();
      socket.destroy(); // frees the descriptor now, with the SYN still unanswered
      reject(abortError(signal!, action));
    };
    const onError = (error: unknown): void => {
      settle();
      socket.destroy();
      const told = toNetError(error, action, "connect");
      if (told.code === "too-many-files") descriptors.exhausted();
      reject(told);
    };
    signal?.addEventListener("abort", onAbort);
    socket.once("error", onError);
    socket.setNoDelay(true); // before it connects this is only a wish, and costs nothing
    try {
      socket.connect({
        host: to.ip,
        port: to.port,
        autoSelectFamily: false,
        ...(localIp === undefined ? {} : { localAddress: localIp }),
      }, () => {
        settle();
        connection.settleAddresses(to);
        resolve(connection);
      });
    } catch (error) {
      onError(error);
    }
  });
}

import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { parseIp } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { abortError, toNetError } from "./errno.ts";
import { NodeConnection } from "./node_socket.ts";
import { NodeStream } from "./node_stream.ts";
import type { Duplex, TlsOptions } from "./runtime.ts";

/**
 * Speaks TLS over any connection, with `node:tls`.
 *
 * @throws {NetError} See `Runtime.startTls`.
 */
export function startTls(connection: Duplex, options: TlsOptions): Promise<TlsConnection> {
  const { serverName, authorities, signal } = options;
  const action = `Cannot speak TLS with "${serverName}"`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      connection.close();
      return reject(abortError(signal, action));
    }
    const ip = parseIp(serverName);
    const tlsOptions: ConnectionOptions & { allowHalfOpen: boolean } = {
      socket: new NodeStream(connection),
      host: ip ?? serverName, // whom the certificate must name
      ...(ip === undefined ? { servername: serverName } : {}), // an address is never sent
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
      allowHalfOpen: true,
    };
    const socket = connect(tlsOptions);
    const settle = (): void => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError).off("close", onClose);
    };
    const fail = (error: NetError): void => {
      settle();
      socket.on("error", ignore);
      socket.destroy();
      connection.close();
      reject(error);
    };
    const onAbort = (): void => fail(abortError(signal!, action));
    const onError = (error: unknown): void => fail(asNetError(error, action));
    const onClose = (): void => fail(new NetError("closed", `${action}: connection closed`));
    signal?.addEventListener("abort", onAbort);
    socket.on("error", onError).on("close", onClose).once("secureConnect", () => {
      settle();
      resolve(new TlsConnection(socket));
    });
  });
}

/** A connection within TLS. It cannot reset: closing with an error closes, without TLS's own end. */
class TlsConnection extends NodeConnection {
  constructor(socket: TLSSocket) {
    super({ socket, onread: false });
  }

  protected override reset(): void {
    this.socket.destroy();
  }
}

function asNetError(error: unknown, action: string): NetError {
  const told = toNetError(error, action);
  if (told.code !== "unknown" || error instanceof NetError) return told;
  // What has no errno comes from TLS itself: its text says more than its code.
  const { message = "", code = "" } = error as { message?: string; code?: string };
  const isCertificate = /CERT|ISSUER|SELF_SIGNED|VERIFY|ALTNAME/.test(code);
  return new NetError(isCertificate ? "not-allowed" : "unknown", `${action}: ${message}`, { cause: error });
}

function ignore(): void {}

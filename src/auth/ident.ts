/**
 * Asking the client's host who the client is (RFC 1413).
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { encodeIdentQuery, IDENT_PORT, MAX_IDENT_ANSWER, parseIdentAnswer } from "../protocol/ident.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";

/** Where a client and the server are connected. */
export interface IdentQuestion {
  /** The client's end. */
  readonly client: SocketAddress;
  /** The server's end. */
  readonly server: SocketAddress;
  /** Gives up when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Asks identd on the client's host for the user of a connection.
 *
 * @param runtime The system to connect with.
 * @param question The connection.
 * @returns The user's name, a character for each byte ({@linkcode latin1}), or `undefined` if identd knows none.
 * @throws {NetError} If no identd answers.
 */
export async function askIdent(runtime: Runtime, question: IdentQuestion): Promise<string | undefined> {
  const { client, server, signal } = question;
  const connection = await runtime.connect({ ip: client.ip, port: IDENT_PORT }, { signal, localIp: server.ip });
  const abort = () => connection.close(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const duplex = duplexOf(connection);
    await duplex.write(encodeIdentQuery(client.port, server.port));
    let answer = "";
    while (!answer.includes("\n") && answer.length <= MAX_IDENT_ANSWER) {
      const chunk = await duplex.read();
      if (chunk === null) break;
      answer += latin1(chunk);
    }
    return parseIdentAnswer(answer.split(/\r?\n/, 1)[0]!, client.port, server.port);
  } finally {
    signal.removeEventListener("abort", abort);
    connection.close();
  }
}

/** Bytes as characters, one for one: two texts are equal exactly if their bytes are. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/**
 * The Identification Protocol's query and answer (RFC 1413).
 *
 * @module
 */

/** The port that identd listens on. */
export const IDENT_PORT = 113;
/** The longest answer that RFC 1413 allows. */
export const MAX_IDENT_ANSWER = 1000;

/**
 * Writes the query.
 *
 * @param portOnClient The port of the connection as the asked host sees its own end.
 * @param portOnServer The port of the connection's other end.
 */
export function encodeIdentQuery(portOnClient: number, portOnServer: number): Uint8Array {
  return new TextEncoder().encode(`${portOnClient} , ${portOnServer}\r\n`);
}

/**
 * Reads the answer's line.
 *
 * @param line The line, without its end.
 * @returns The user's name, or `undefined` for an ERROR, a wrong port pair or any other text.
 */
export function parseIdentAnswer(line: string, portOnClient: number, portOnServer: number): string | undefined {
  const match = /^\s*(\d+)\s*,\s*(\d+)\s*:\s*USERID\s*:[^:]*:\s*(.*)$/i.exec(line);
  if (match === null || Number(match[1]) !== portOnClient || Number(match[2]) !== portOnServer) return undefined;
  return match[3];
}

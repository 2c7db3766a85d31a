/**
 * A glance at the HTTP side of a proxy.
 *
 * @module
 */

import { formatHostPort } from "../net/address.ts";
import type { Target } from "../protocol/address.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";
import { giveBack } from "../stream/give_back.ts";
import { NoGood } from "./check_finding.ts";
import type { Proxy } from "./proxy.ts";

/** A head that is longer has something to hide. */
const MAX_HEAD = 16_384;

/**
 * Asks for a tunnel with CONNECT.
 *
 * @param connection The way to the proxy.
 * @param proxy Its login.
 * @param to Where to.
 * @returns The connection, which now leads there.
 * @throws {NoGood} If the answer is no, or no HTTP.
 */
export async function httpProbe(
  connection: Connection & Duplex,
  { user, password }: Proxy,
  to: Target,
): Promise<Connection & Duplex> {
  const authority = formatHostPort(to.host, to.port);
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (user !== undefined) lines.push(`Proxy-Authorization: Basic ${base64(`${user}:${password ?? ""}`)}`);
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  let head = "";
  for (;;) {
    const chunk = await connection.read();
    if (chunk === null) throw new NoGood("no", head === "" ? "it closed the connection" : "it closed in the middle");
    head += Array.from(chunk, (byte) => String.fromCharCode(byte)).join("");
    if (!"HTTP/1.".startsWith(head.slice(0, 7))) throw new NoGood("no", "what it answers is no HTTP");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length < MAX_HEAD) continue;
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
    if (end < 0 || status === undefined) throw new NoGood("no", "what it answers is no HTTP");
    if (!status.startsWith("2")) throw new NoGood("no", `it answers with ${status}`);
    return giveBack(connection, Uint8Array.from(head.slice(end + 4), (letter) => letter.charCodeAt(0)));
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

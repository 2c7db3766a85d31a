/**
 * What a browser is told that takes this port for an HTTP proxy or a web site.
 *
 * @module
 */

const BODY = `This is a SOCKS proxy, and your program spoke HTTP to it.

Set it up as a SOCKS proxy ("SOCKS host" in a browser, not "HTTP proxy"), for example:

    curl --socks5-hostname HOST:PORT https://example.com/
    ALL_PROXY=socks5h://HOST:PORT
`;

/** The answer, as HTTP/1.1. */
export const HTTP_ANSWER: Uint8Array = new TextEncoder().encode(
  [
    "HTTP/1.1 501 This is a SOCKS proxy, not an HTTP proxy",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${BODY.length}`,
    "Cache-Control: no-store",
    "Connection: close",
    "",
    BODY,
  ].join("\r\n"),
);

/** Whether a connection that begins with this byte may be HTTP: methods are written in capital letters. */
export function looksLikeHttp(firstByte: number): boolean {
  return firstByte >= 0x41 && firstByte <= 0x5a;
}

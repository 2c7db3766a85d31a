/**
 * The SOCKS messages as bytes and back: SOCKS4, 4a (the NEC texts), SOCKS5 (RFC 1928), username/password (RFC 1929),
 * CHAP and the UDP header. No I/O, no clock, no runtime. A decoder answers `undefined` while it needs more bytes and throws
 * a {@linkcode ProtocolError} for bytes that no RFC allows.
 *
 * @example Read a request that arrives in two parts
 * ```ts
 * import { Command, decodeRequest, encodeRequest, targetOf } from "@x/socks/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeRequest({ command: Command.CONNECT, flag: 0, target: targetOf("example.com", 443) });
 * assertEquals(decodeRequest(bytes.subarray(0, 7)), undefined);
 * assertEquals(decodeRequest(bytes)?.value.target, { type: "name", host: "example.com", port: 443 });
 * ```
 *
 * @module
 */

export { NetError, type NetErrorCode } from "../net/errors.ts";
export * from "./address.ts";
export * from "./chap.ts";
export * from "./constants.ts";
export * from "./decoded.ts";
export * from "./ident.ts";
export * from "./reply_code.ts";
export * from "./socks4.ts";
export * from "./socks5.ts";
export * from "./udp.ts";
export * from "./username_password.ts";

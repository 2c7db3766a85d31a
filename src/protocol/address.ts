/**
 * ATYP, DST.ADDR and DST.PORT (RFC 1928 sections 4 and 5).
 *
 * @module
 */

import { ipFromBytes, ipToBytes, parseIp } from "../net/address.ts";
import { AddressType } from "./constants.ts";
import { type Decoded, ProtocolError } from "./decoded.ts";

/** A host, by IP address or by name, and a port: what DST.ADDR, DST.PORT, BND.ADDR and BND.PORT hold. */
export interface Target {
  /** Whether `host` is an IP address or a name. A name that spells an IP address is that address (RFC 3089 section 3). */
  readonly type: "ipv4" | "ipv6" | "name";
  /** A canonical IP address, or a name of 1 to 255 bytes without control characters. */
  readonly host: string;
  /** The port, 0 to 65535. */
  readonly port: number;
}

/** The zeros that stand for an address that is not known or not needed. */
export const NO_ADDRESS: Target = { type: "ipv4", host: "0.0.0.0", port: 0 };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Control, format and unassigned characters, and every kind of space: none is of a name, some forge log lines. */
const NOT_OF_A_NAME = /[\p{C}\p{Z}]/u;
const encoder = new TextEncoder();

/**
 * Makes a target from a host that may be an IP address in any form, or a name.
 *
 * @param host The host, as a person or a peer wrote it.
 * @param port The port, 0 to 65535.
 * @returns The target.
 */
export function targetOf(host: string, port: number): Target {
  const ip = parseIp(host);
  if (ip === undefined) return { type: "name", host, port };
  return { type: ip.includes(":") ? "ipv6" : "ipv4", host: ip, port };
}

/**
 * Reads ATYP, address and port.
 *
 * @param bytes The message so far.
 * @param offset Where ATYP stands.
 * @returns The target and the bytes it took from `offset`, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `address-type` for an ATYP of no RFC, `address` for a name that cannot be one.
 */
export function decodeAddress(bytes: Uint8Array, offset: number): Decoded<Target> | undefined {
  if (bytes.length < offset + 2) {
    if (bytes.length > offset) checkType(bytes[offset]!);
    return undefined;
  }
  const type = bytes[offset]!;
  checkType(type);
  const start = type === AddressType.DOMAINNAME ? offset + 2 : offset + 1;
  const size = type === AddressType.IPV4 ? 4 : type === AddressType.IPV6 ? 16 : bytes[offset + 1]!;
  const end = start + size;
  if (type === AddressType.DOMAINNAME && size === 0) {
    throw new ProtocolError("address", "Cannot read DST.ADDR: empty name");
  }
  if (bytes.length < end + 2) return undefined;
  const port = bytes[end]! << 8 | bytes[end + 1]!;
  const length = end + 2 - offset;
  if (type === AddressType.DOMAINNAME) {
    return { value: targetOf(decodeName(bytes.subarray(start, end)), port), length };
  }
  const host = ipFromBytes(bytes.subarray(start, end));
  return { value: { type: host.includes(":") ? "ipv6" : "ipv4", host, port }, length };
}

/**
 * Reads a name: UTF-8 without control characters or spaces.
 *
 * @param bytes The bytes of the name alone.
 * @returns The name.
 * @throws {ProtocolError} `address` if it cannot be a name.
 */
export function decodeName(bytes: Uint8Array): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch {
    throw new ProtocolError("address", "Cannot read a name: it is not UTF-8");
  }
  if (NOT_OF_A_NAME.test(name)) {
    throw new ProtocolError("address", "Cannot read a name: control character or space in it");
  }
  return name;
}

/** How many bytes {@linkcode encodeAddress} writes for a target. */
export function addressSize(target: Target): number {
  if (target.type === "ipv4") return 7;
  return target.type === "ipv6" ? 19 : 4 + encodeName(target.host).length;
}

/**
 * Writes ATYP, address and port.
 *
 * @param target What to write.
 * @param into Where to.
 * @param offset Where ATYP goes.
 * @throws {RangeError} If a name is longer than 255 bytes, the port is none, or `into` is too short.
 */
export function encodeAddress(target: Target, into: Uint8Array, offset: number): void {
  checkPort(target.port);
  let end: number;
  if (target.type === "name") {
    const name = encodeName(target.host);
    into[offset] = AddressType.DOMAINNAME;
    into[offset + 1] = name.length;
    into.set(name, offset + 2);
    end = offset + 2 + name.length;
  } else {
    const ip = ipToBytes(target.host);
    into[offset] = target.type === "ipv4" ? AddressType.IPV4 : AddressType.IPV6;
    into.set(ip, offset + 1);
    end = offset + 1 + ip.length;
  }
  into[end] = target.port >> 8;
  into[end + 1] = target.port & 0xff;
}

/**
 * Makes sure that a number fits a port field.
 *
 * @throws {RangeError} Unless it is 0 to 65535.
 */
export function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`Cannot write the port ${port}: expected 0 to 65535`);
  }
}

function encodeName(name: string): Uint8Array {
  const bytes = encoder.encode(name);
  if (bytes.length === 0 || bytes.length > 255) {
    throw new RangeError(`Cannot write the name "${name}": ${bytes.length} bytes, expected 1 to 255`);
  }
  return bytes;
}

function checkType(type: number): void {
  if (type === AddressType.IPV4 || type === AddressType.DOMAINNAME || type === AddressType.IPV6) return;
  throw new ProtocolError("address-type", `Cannot read DST.ADDR: ATYP ${type} is of no RFC`);
}

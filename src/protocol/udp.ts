/**
 * The header of a relayed UDP datagram (RFC 1928 section 7).
 *
 * @module
 */

import { addressSize, decodeAddress, encodeAddress, type Target } from "./address.ts";
import { ProtocolError } from "./decoded.ts";

/** The longest header: a name of 255 bytes. */
export const MAX_DATAGRAM_HEADER = 262;
/** The bit of FRAG that marks the last fragment. */
export const LAST_FRAGMENT = 0x80;

/** RSV, FRAG, ATYP, DST.ADDR, DST.PORT, DATA. */
export interface SocksDatagram {
  /** FRAG: 0 stands alone; else a position 1 to 127, with {@linkcode LAST_FRAGMENT} set on the last one. */
  readonly fragment: number;
  /** DST.ADDR and DST.PORT. */
  readonly target: Target;
  /** DATA: a view on the datagram, good for as long as the datagram's buffer is. May be empty. */
  readonly data: Uint8Array;
}

/**
 * Reads a datagram with its header. A datagram is whole or it is wrong: there is no asking for more.
 *
 * @throws {ProtocolError} `address` if it is cut short, `reserved` if RSV is not 0; `address-type` or `address` as in a
 * request.
 */
export function decodeDatagram(datagram: Uint8Array): SocksDatagram {
  if (datagram.length >= 2 && (datagram[0] !== 0 || datagram[1] !== 0)) {
    throw new ProtocolError("reserved", "Cannot read the datagram: RSV is not 0");
  }
  const address = decodeAddress(datagram, 3);
  if (address === undefined) throw new ProtocolError("address", "Cannot read the datagram: header cut short");
  return { fragment: datagram[2]!, target: address.value, data: datagram.subarray(3 + address.length) };
}

/** Writes the header of a datagram, to be followed by its DATA. */
export function encodeDatagramHeader(target: Target, fragment = 0): Uint8Array {
  const header = new Uint8Array(3 + addressSize(target));
  header[2] = fragment;
  encodeAddress(target, header, 3);
  return header;
}

/** Writes a datagram with its header. */
export function encodeDatagram(datagram: SocksDatagram): Uint8Array {
  const header = encodeDatagramHeader(datagram.target, datagram.fragment);
  const bytes = new Uint8Array(header.length + datagram.data.length);
  bytes.set(header);
  bytes.set(datagram.data, header.length);
  return bytes;
}

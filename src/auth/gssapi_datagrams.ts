/**
 * Datagrams in tokens (RFC 1961 section 5).
 *
 * @module
 */

import { decodeGssapiFrame, GssapiMessage } from "../protocol/gssapi.ts";
import { dataFrame, type GssapiProtection } from "./gssapi_duplex.ts";
import type { DatagramCodec } from "./method.ts";

const NOTHING = new Uint8Array(0);

/**
 * Puts each datagram into a token of the client's context. One that came before is dropped, one that comes late is not.
 *
 * @param protection What protects the client's stream.
 */
export function gssapiDatagrams(protection: GssapiProtection): DatagramCodec {
  const { context, confidential } = protection;
  return {
    wrap(datagram) {
      protection.hasDatagrams = true;
      try {
        return context.wrap(datagram, confidential, dataFrame);
      } catch {
        return NOTHING; // too long, or the end has come: the other end drops what is nothing
      }
    },
    unwrap(bytes) {
      protection.hasDatagrams = true;
      try {
        const frame = decodeGssapiFrame(bytes);
        if (frame?.length !== bytes.length || frame.value.type !== GssapiMessage.DATA) return undefined;
        const unwrapped = context.unwrap(frame.value.token);
        return unwrapped.replayed || confidential && !unwrapped.confidential ? undefined : unwrapped.data;
      } catch {
        return undefined;
      }
    },
  };
}

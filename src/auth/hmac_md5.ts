/**
 * HMAC-MD5 (RFC 2104), which WebCrypto does not have.
 *
 * @module
 */

import type { IHasher } from "hash-wasm";

let md5: Promise<IHasher> | undefined;

/**
 * Computes a code. It takes some microseconds once the library is there.
 *
 * @param key The key, of any length.
 * @param data What the code is of.
 * @returns 16 bytes.
 */
export async function hmacMd5(key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  const { createHMAC, createMD5 } = await import("hash-wasm");
  const hmac = await createHMAC(md5 ??= createMD5(), key);
  // All share one hasher: from its beginning to its end nothing is waited for.
  return hmac.init().update(data).digest("binary");
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(sent === 0 ? bytes : bytes.subarray(sent));
  }
}

/**
 * Fills the first `length` bytes of `buffer`.
 *
 * @throws {Deno.errors.UnexpectedEof} If the other side closes before.
 */
export async function readFull(conn: Deno.Conn, buffer: Uint8Array, length: number): Promise<void> {
  for (let filled = 0; filled < length;) {
    const count = await conn.read(buffer.subarray(filled, length));
    if (count === null) throw new Deno.errors.UnexpectedEof(`Expected ${length} bytes, found the end after ${filled}`);
    filled += count;
  }
}

/** Closes what may be closed already. */
export function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}

/**
 * argon2id (RFC 9106), which makes each guess at a password dear.
 *
 * @module
 */

/** What one computation costs. */
export interface Argon2Cost {
  /** Memory, in KiB: at least 8 for each lane. */
  readonly memory: number;
  /** Passes over the memory, at least 1. */
  readonly passes: number;
  /** Lanes, at least 1. They are computed one after the other. */
  readonly lanes: number;
}

/** One computation. */
export interface Argon2Job extends Argon2Cost {
  /** The password, at least 1 byte. */
  readonly password: Uint8Array;
  /** The salt, at least 8 bytes. */
  readonly salt: Uint8Array;
  /** How many bytes to compute, at least 4. */
  readonly length: number;
}

/**
 * Computes argon2id.
 *
 * @param job What to compute.
 * @param signal Aborts when nobody waits for the result any more.
 * @returns {@linkcode Argon2Job.length} bytes.
 */
export type Argon2 = (job: Argon2Job, signal?: AbortSignal) => Promise<Uint8Array>;

/**
 * Computes argon2id in this thread, in WebAssembly. With usual costs that takes some 50 ms, in which this thread does
 * nothing else.
 *
 * @param job What to compute.
 */
export async function argon2Here(job: Argon2Job): Promise<Uint8Array> {
  // Loaded when it is needed: most servers check no hash.
  const { argon2id } = await import("hash-wasm");
  return await argon2id({
    password: job.password,
    salt: job.salt,
    memorySize: job.memory,
    iterations: job.passes,
    parallelism: job.lanes,
    hashLength: job.length,
    outputType: "binary",
  });
}

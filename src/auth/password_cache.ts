/**
 * Passwords that were right a moment ago.
 *
 * @module
 */

import type { IHasher } from "hash-wasm";

/** Options for {@linkcode PasswordCache}. */
export interface PasswordCacheOptions {
  /**
   * How many users it remembers; then it forgets the one who logged in longest ago.
   *
   * @default {1000}
   */
  readonly size?: number | undefined;
  /**
   * How long it remembers, in milliseconds.
   *
   * @default {300_000}
   */
  readonly life?: number | undefined;
  /** The time in milliseconds, from any start. */
  readonly now?: (() => number) | undefined;
}

interface Remembered {
  readonly mac: Uint8Array;
  readonly until: number;
}

/**
 * Remembers who logged in with which password, so that a check that is made to be slow is not made for each connection.
 * It keeps no password, but an HMAC-SHA-256 under a random key of its own.
 */
export class PasswordCache {
  readonly #size: number;
  readonly #life: number;
  readonly #now: () => number;
  readonly #remembered = new Map<string, Remembered>();
  #hmac: IHasher | undefined;

  /** @param options How much, and for how long. */
  constructor(options: PasswordCacheOptions = {}) {
    this.#size = options.size ?? 1000;
    this.#life = options.life ?? 300_000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How many users it remembers. */
  get size(): number {
    return this.#remembered.size;
  }

  /**
   * Whether this user logged in with this password a moment ago. It takes some microseconds, the same for every answer.
   *
   * @param name The name's bytes, at most 255.
   * @param password The password's bytes.
   */
  has(name: Uint8Array, password: Uint8Array): boolean {
    if (this.#hmac === undefined) return false;
    const mac = macOf(this.#hmac, name, password);
    const key = name.join();
    const found = this.#remembered.get(key);
    if (found === undefined || !sameBytes(found.mac, mac)) return false;
    this.#remembered.delete(key);
    if (this.#now() >= found.until) return false;
    this.#remembered.set(key, found); // now the last to be forgotten
    return true;
  }

  /**
   * Remembers a password that was right.
   *
   * @param name The name's bytes, at most 255.
   * @param password The password's bytes.
   */
  async add(name: Uint8Array, password: Uint8Array): Promise<void> {
    if (this.#life <= 0 || this.#size <= 0) return;
    // WebCrypto could answer only later, and a login that is remembered is answered at once.
    const { createHMAC, createSHA256 } = await import("hash-wasm");
    this.#hmac ??= await createHMAC(createSHA256(), crypto.getRandomValues(new Uint8Array(32)));
    const key = name.join();
    this.#remembered.delete(key);
    this.#remembered.set(key, { mac: macOf(this.#hmac, name, password), until: this.#now() + this.#life });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > this.#size && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function macOf(hmac: IHasher, name: Uint8Array, password: Uint8Array): Uint8Array {
  hmac.init();
  hmac.update(Uint8Array.of(name.length)); // or "ab" and "c" were "a" and "bc"
  hmac.update(name);
  hmac.update(password);
  return hmac.digest("binary");
}

/**
 * Compares in a time that tells nothing of where they differ.
 *
 * @param a Bytes.
 * @param b As many bytes, or they differ.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}

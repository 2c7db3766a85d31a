/**
 * Checking a password at the cost of argon2id, whoever it is said to be of.
 *
 * @module
 */

import type { Argon2 } from "./argon2.ts";
import { sameBytes } from "./password_cache.ts";
import type { PasswordHash } from "./password_hash.ts";
import { padded, type UserWithPassword } from "./user_entry.ts";

/** Hashed in the place of an empty password, which argon2id does not take here and nobody with a hash has. */
const EMPTY = Uint8Array.of(0);

/** Checks that run, so that many logins of one user at once cost one. */
export class PasswordCheck {
  readonly #argon2: Argon2;
  readonly #decoy: PasswordHash;
  readonly #running = new Map<string, Running>();

  /**
   * @param argon2 What computes.
   * @param cost A hash that costs what checks of unknown users and plain text shall cost.
   */
  constructor(argon2: Argon2, cost: PasswordHash) {
    this.#argon2 = argon2;
    const { salt, hash } = cost;
    this.#decoy = {
      ...cost,
      salt: crypto.getRandomValues(new Uint8Array(salt.length)),
      hash: crypto.getRandomValues(new Uint8Array(hash.length)),
    };
  }

  /**
   * Checks.
   *
   * @param known The user; `undefined` if there is none of this name, or it has no password.
   * @param name The name's bytes.
   * @param password The password's bytes.
   * @param signal Aborts when the client no longer waits.
   * @returns Whether this user has this password.
   */
  async run(
    known: UserWithPassword | undefined,
    name: Uint8Array,
    password: Uint8Array,
    signal: AbortSignal,
  ): Promise<boolean> {
    signal.throwIfAborted();
    const key = `${name.join()};${password.join()}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      const cancel = new AbortController();
      running = { clients: 0, cancel, answer: this.#check(known, password, cancel.signal) };
      this.#running.set(key, running);
    }
    const check = running;
    const settle = (): void => {
      if (this.#running.get(key) === check) this.#running.delete(key);
    };
    const leave = (): void => {
      if (--check.clients > 0) return;
      settle();
      check.cancel.abort(signal.reason);
    };
    check.clients++;
    signal.addEventListener("abort", leave);
    try {
      return await check.answer;
    } finally {
      signal.removeEventListener("abort", leave);
      settle();
    }
  }

  async #check(known: UserWithPassword | undefined, password: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const secret = known?.secret ?? this.#decoy;
    const hash = secret instanceof Uint8Array ? this.#decoy : secret;
    const { memory, passes, lanes, salt } = hash;
    const job = { memory, passes, lanes, salt, length: hash.hash.length };
    const found = await this.#argon2({ ...job, password: password.length > 0 ? password : EMPTY }, signal);
    const isHashed = sameBytes(found, hash.hash) && password.length > 0;
    const isPlain = secret instanceof Uint8Array && sameBytes(padded(password), secret);
    return known !== undefined && (isPlain || hash === secret && isHashed);
  }
}

interface Running {
  clients: number;
  readonly cancel: AbortController;
  readonly answer: Promise<boolean>;
}

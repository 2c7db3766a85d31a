/**
 * Keeps count of our sockets, so that a flood of clients stops short of the last descriptor. No runtime tells us when
 * accepting failed for want of one: Bun then spins, and Deno never accepts again. A client too many is accepted and
 * dropped instead, and those who are served already find descriptors for their targets.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";

/** Descriptors kept from clients, for targets and for everything else in the process. */
const CLIENT_RESERVE = 32;

/** Descriptors kept from targets too. */
const RESERVE = 8;

class Descriptors {
  readonly #waiters = new Set<() => void>();
  #budget: number | undefined;
  #open = 0;

  /** Reads the limit, where the system tells it. */
  start(): void {
    if (this.#budget !== undefined) return;
    this.#budget = Infinity;
    if (!mayRead()) return;
    try {
      const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
      if (limit !== undefined) this.#budget = Number(limit) - readdirSync("/proc/self/fd").length + this.#open;
    } catch {
      // No Linux, or no leave to look.
    }
  }

  /** A socket is there. */
  take(): void {
    this.#open++;
  }

  /** A socket is gone. */
  give(): void {
    this.#open--;
  }

  /**
   * Whether one client more would be one too many.
   *
   * @param waiting Clients that are not counted yet.
   */
  fullForClients(waiting: number): boolean {
    const full = this.#open + waiting >= (this.#budget ?? Infinity) - CLIENT_RESERVE;
    if (full) this.exhausted();
    return full;
  }

  /** Whether one target more would be one too many. */
  get fullForTargets(): boolean {
    return this.#open >= (this.#budget ?? Infinity) - RESERVE;
  }

  /** Tells who waits that the system has, or nearly has, run out. */
  exhausted(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Calls `waiter` whenever descriptors run out, until the function returned is called. */
  onExhausted(waiter: () => void): () => void {
    this.#waiters.add(waiter);
    return () => this.#waiters.delete(waiter);
  }
}

/** The count of this process. */
export const descriptors: Descriptors = new Descriptors();

/** Without leave to read, Deno would ask at the terminal. */
function mayRead(): boolean {
  const { Deno } = globalThis as {
    Deno?: { permissions: { querySync(descriptor: { name: "read"; path: string }): { state: string } } };
  };
  return Deno === undefined || Deno.permissions.querySync({ name: "read", path: "/proc" }).state === "granted";
}

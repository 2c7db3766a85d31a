import type { IpAddress } from "../net/address.ts";

/** What a table of clients needs of one. It is in one table at most. */
export interface ForwardClient {
  /** Where it sends from. */
  readonly ip: IpAddress;
  /** The port that it sends from. */
  readonly port: number;
  /** Whether anything went through since somebody last looked. */
  isFresh: boolean;
  /** The next of those that share its bucket. */
  nextClient: ForwardClient | undefined;
  /** Its place among all, -1 once it has left. */
  position: number;
}

/** The fewest buckets; a power of two, as any number of them. */
const FEWEST = 256;

/**
 * The clients of a UDP port, by their address.
 *
 * A `Map` would do but for its memory, see `Roster`: a program that asks a name server comes from another port each time.
 */
export class ForwardClients<T extends ForwardClient> {
  #buckets: (ForwardClient | undefined)[] = newBuckets(FEWEST);
  readonly #all: T[] = [];
  /** Not to be known: who knows it could fill one bucket. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);
  #hand = 0;

  /** How many there are. */
  get size(): number {
    return this.#all.length;
  }

  /** The client that sends from an address. */
  get(ip: IpAddress, port: number): T | undefined {
    let client = this.#buckets[this.#bucketOf(ip, port)];
    while (client !== undefined && (client.port !== port || client.ip !== ip)) client = client.nextClient;
    return client as T | undefined;
  }

  /** One comes, whose address is not here yet. */
  add(client: T): void {
    client.position = this.#all.length;
    this.#all.push(client);
    if (this.#all.length > this.#buckets.length) this.#grow();
    else this.#put(client);
  }

  /** One leaves, or has left before. */
  delete(client: T): void {
    if (client.position < 0) return;
    const last = this.#all.pop()!;
    if (last !== client) {
      last.position = client.position;
      this.#all[client.position] = last;
    }
    client.position = -1;
    const at = this.#bucketOf(client.ip, client.port);
    let before = this.#buckets[at];
    if (before === client) this.#buckets[at] = client.nextClient;
    else {
      while (before!.nextClient !== client) before = before!.nextClient;
      before!.nextClient = client.nextClient;
    }
    client.nextClient = undefined;
  }

  /**
   * The one to make room: the next in turn through which nothing went since its last turn (the clock algorithm, second
   * chance).
   */
  quietest(): T | undefined {
    if (this.#all.length === 0) return undefined;
    for (;;) {
      if (this.#hand >= this.#all.length) this.#hand = 0;
      const client = this.#all[this.#hand++]!;
      if (!client.isFresh) return client;
      client.isFresh = false;
    }
  }

  /** All who are there now. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#all].values();
  }

  #put(client: ForwardClient): void {
    const at = this.#bucketOf(client.ip, client.port);
    client.nextClient = this.#buckets[at];
    this.#buckets[at] = client;
  }

  #grow(): void {
    this.#buckets = newBuckets(2 * this.#buckets.length);
    for (const client of this.#all) this.#put(client);
  }

  #bucketOf(ip: IpAddress, port: number): number {
    let hash = Math.imul(this.#seed ^ port, 0x01000193);
    for (let i = 0; i < ip.length; i++) hash = Math.imul(hash ^ ip.charCodeAt(i), 0x01000193);
    return (hash ^ hash >>> 15) & (this.#buckets.length - 1);
  }
}

function newBuckets(count: number): undefined[] {
  return new Array<undefined>(count).fill(undefined);
}

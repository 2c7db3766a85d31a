/** A place in a {@linkcode Roster}. */
export interface Seat<T> {
  readonly member: T;
  /** Where it is, -1 once it is given up. */
  index: number;
}

/**
 * Who is there, where thousands come and go in a second.
 *
 * A `Set` would do but for its memory: it makes a new table whenever the old one is full of holes, and the old one goes
 * on pointing to the new one. A single table that has grown old keeps all that follow from being collected, with
 * everybody who was in them, until the next full collection.
 */
export class Roster<T> implements Iterable<T> {
  readonly #seats: Seat<T>[] = [];

  /** How many there are. */
  get size(): number {
    return this.#seats.length;
  }

  /** Somebody comes. */
  add(member: T): Seat<T> {
    const seat = { member, index: this.#seats.length };
    this.#seats.push(seat);
    return seat;
  }

  /** Somebody leaves, or has left before. */
  delete(seat: Seat<T>): void {
    if (seat.index < 0) return;
    const last = this.#seats.pop()!;
    if (last !== seat) {
      last.index = seat.index;
      this.#seats[seat.index] = last;
    }
    seat.index = -1;
  }

  /** Calls for each who is there now and does not leave before its turn. */
  forEach(call: (member: T) => void): void {
    // From the end: into the place of one who leaves comes one who has been called already.
    for (let index = this.#seats.length - 1; index >= 0; index--) {
      const seat = this.#seats[index];
      if (seat !== undefined) call(seat.member);
    }
  }

  /** All who are there now. */
  [Symbol.iterator](): Iterator<T> {
    return this.#seats.map(({ member }) => member).values();
  }
}

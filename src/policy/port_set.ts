/**
 * Ports in a rule.
 *
 * @module
 */

import { mistake } from "./mistake.ts";

/** Ports next to each other. */
export interface PortSpan {
  /** The first, 0 to 65535. */
  readonly from: number;
  /** The last, not below the first. */
  readonly to: number;
}

/**
 * Reads a port or `FROM-TO`.
 *
 * @param item What the operator wrote.
 * @returns The ports.
 * @throws {RangeError} `found …, expected …`.
 */
export function parsePorts(item: number | string): PortSpan {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(item));
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match !== null && to <= 65535 && from <= to) return { from, to };
  if (match !== null && to <= 65535) throw mistake(item, `"${to}-${from}", if that is meant`);
  throw mistake(item, "a port from 0 to 65535, or a range such as 8000-8999");
}

/** Some of all ports. */
export class PortSet {
  /** The ports, in order, none next to or in another. */
  readonly spans: readonly PortSpan[];

  /** @param spans The ports, in any order. */
  constructor(spans: readonly PortSpan[]) {
    const merged: PortSpan[] = [];
    for (const span of [...spans].sort((one, other) => one.from - other.from)) {
      const last = merged.at(-1);
      if (last === undefined || span.from > last.to + 1) merged.push(span);
      else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    }
    this.spans = merged;
  }

  /** Whether it is all of them. */
  get isAll(): boolean {
    return this.spans[0]?.from === 0 && this.spans[0].to === 65535;
  }

  /** How many they are. */
  get size(): number {
    return this.spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  }

  /** Whether a port is one of them. */
  has(port: number): boolean {
    let [low, high] = [0, this.spans.length - 1];
    while (low <= high) {
      const middle = low + high >> 1;
      const { from, to } = this.spans[middle]!;
      if (port < from) high = middle - 1;
      else if (port > to) low = middle + 1;
      else return true;
    }
    return false;
  }
}

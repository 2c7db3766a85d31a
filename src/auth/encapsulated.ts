import type { Connection, Duplex } from "../runtime/runtime.ts";
import { Within } from "../stream/within.ts";
import type { DatagramCodec, Encapsulation } from "./method.ts";

/** A connection within what a method put around it. */
export class Encapsulated extends Within {
  /** What becomes of the datagrams of an association. */
  readonly datagrams: DatagramCodec | undefined;

  /**
   * @param base The connection without, which is closed with this one.
   * @param encapsulation What was put around it.
   */
  constructor(base: Connection & Duplex, { duplex, datagrams }: Encapsulation) {
    super(base, duplex);
    this.datagrams = datagrams;
  }
}

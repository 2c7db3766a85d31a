/**
 * Memory that the GSSAPI library reads its arguments from and writes its answers to.
 *
 * @module
 */

/** Where what lies, from the beginning, in the layout of LP64. */
const AT = {
  minor: 0,
  context: 8,
  name: 16,
  flags: 24,
  state: 28,
  moreStatus: 32,
  input: 40,
  output: 56,
  oid: 72,
  credential: 88,
  set: 96,
  store: 112,
  element: 128,
  text: 160,
} as const;

/** The largest token. */
const MOST = 65_535;
const DATA = 1024;

/**
 * A block that stays where it is: one for calls that are over when they return, another for those that are not.
 */
export class GssapiMemory {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #base: bigint;

  /** @param addressOf Tells where bytes lie. */
  constructor(addressOf: (bytes: Uint8Array) => bigint) {
    // A small array may be moved by its engine, the buffer of a large one is not.
    this.bytes = new Uint8Array(new ArrayBuffer(DATA + MOST));
    this.#view = new DataView(this.bytes.buffer);
    this.#base = BigInt(addressOf(this.bytes));
  }

  /** The address of a field. */
  at(field: keyof typeof AT): bigint {
    return this.#base + BigInt(AT[field]);
  }

  /** A field of 32 bits. */
  number(field: keyof typeof AT): number {
    return this.#view.getUint32(AT[field], true);
  }

  /** A field that holds an address. */
  pointer(field: keyof typeof AT): bigint {
    return this.#view.getBigUint64(AT[field], true);
  }

  /** Writes a field that holds an address. */
  setPointer(field: keyof typeof AT, value: bigint): void {
    this.#view.setBigUint64(AT[field], value, true);
  }

  /** Writes a field of 32 bits. */
  setNumber(field: keyof typeof AT, value: number): void {
    this.#view.setUint32(AT[field], value, true);
  }

  /** Puts bytes into the input buffer. */
  setInput(bytes: Uint8Array): bigint {
    if (bytes.length > MOST) {
      throw new RangeError(`Cannot use GSSAPI: found ${bytes.length} bytes, expected ${MOST} at most`);
    }
    this.bytes.set(bytes, DATA);
    this.#view.setBigUint64(AT.input, BigInt(bytes.length), true);
    this.#view.setBigUint64(AT.input + 8, this.#base + BigInt(DATA), true);
    return this.at("input");
  }

  /** Empties the output buffer. */
  clearOutput(): bigint {
    this.#view.setBigUint64(AT.output, 0n, true);
    this.#view.setBigUint64(AT.output + 8, 0n, true);
    return this.at("output");
  }

  /** What the output buffer tells: how long the answer is, and where. */
  output(): { readonly length: number; readonly address: bigint } {
    return {
      length: Number(this.#view.getBigUint64(AT.output, true)),
      address: this.#view.getBigUint64(AT.output + 8, true),
    };
  }

  /**
   * Writes an object identifier.
   *
   * @param elements Its bytes in DER, without tag and length; at most 16.
   */
  setOid(elements: Uint8Array): bigint {
    this.bytes.set(elements, AT.element);
    this.#view.setBigUint64(AT.oid, BigInt(elements.length), true);
    this.#view.setBigUint64(AT.oid + 8, this.#base + BigInt(AT.element), true);
    return this.at("oid");
  }

  /** A set with the object identifier that was written last. */
  setOidSet(): bigint {
    this.#view.setBigUint64(AT.set, 1n, true);
    this.#view.setBigUint64(AT.set + 8, this.at("oid"), true);
    return this.at("set");
  }

  /** A store of credentials with one entry; `key` is short, `value` a path. */
  setStore(key: string, value: string): bigint {
    const encoder = new TextEncoder();
    const [name, path] = [encoder.encode(`${key}\0`), encoder.encode(`${value}\0`)];
    if (AT.text + 16 + name.length > DATA || path.length > MOST) {
      throw new RangeError("Cannot use GSSAPI: a path is too long");
    }
    this.bytes.set(name, AT.text + 16);
    this.bytes.set(path, DATA);
    this.#view.setBigUint64(AT.text, this.#base + BigInt(AT.text + 16), true);
    this.#view.setBigUint64(AT.text + 8, this.#base + BigInt(DATA), true);
    this.#view.setUint32(AT.store, 1, true);
    this.#view.setBigUint64(AT.store + 8, this.at("text"), true);
    return this.at("store");
  }
}

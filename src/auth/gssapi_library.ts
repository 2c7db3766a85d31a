/**
 * The system's GSSAPI library, through `koffi`.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { GssapiMemory } from "./gssapi_memory.ts";
import { HOST_SERVICE, KRB5, PRINCIPAL } from "./gssapi_oids.ts";
import {
  type CopyFrom,
  type Koffi,
  loadCopy,
  loadKoffi,
  loadRoutines,
  type Routines,
  settled,
} from "./gssapi_routines.ts";
import { ERRORS, reasonOf } from "./gssapi_status.ts";
import type { GssapiStep } from "./gssapi_step.ts";

/** What a routine answers beside errors. */
const CONTINUE = 1;
const DUPLICATE_OR_OLD = 2 | 4;
const UNSEQUENCED_OR_GAP = 8 | 16;

/** The routines that are needed, with their memory. One thing at a time may wait: see `GssapiQueue`. */
export class GssapiLibrary {
  readonly #routines: Routines;
  readonly #copy: CopyFrom;
  /** For calls that are over when they return. */
  readonly #memory: GssapiMemory;
  /** For the one that is not. */
  readonly #waiting: GssapiMemory;

  /** See {@linkcode loadGssapi}. */
  constructor(koffi: Koffi) {
    this.#routines = loadRoutines(koffi);
    this.#copy = loadCopy(koffi);
    this.#memory = new GssapiMemory((bytes) => koffi.address(bytes));
    this.#waiting = new GssapiMemory((bytes) => koffi.address(bytes));
  }

  /**
   * Gets what is needed to accept.
   *
   * @param keytab The path of a keytab.
   * @param service The service whose key is to be used; any of the keytab's if it is not given.
   * @returns The credential.
   * @throws {Error} What the library says.
   */
  acceptor(keytab: string, service?: string): bigint {
    const memory = this.#memory;
    const name = service === undefined ? 0n : this.importName(service);
    try {
      memory.setOid(KRB5);
      memory.setPointer("credential", 0n);
      const major = this.#routines.gss_acquire_cred_from(
        memory.at("minor"),
        name === 0n ? null : name,
        0xffffffff,
        memory.setOidSet(),
        2,
        memory.setStore("keytab", keytab),
        memory.at("credential"),
        null,
        null,
      );
      this.#check(major, memory);
      return memory.pointer("credential");
    } finally {
      if (name !== 0n) this.releaseName(name);
    }
  }

  /** Lets go of a credential. */
  releaseCredential(credential: bigint): void {
    const memory = this.#memory;
    memory.setPointer("credential", credential);
    this.#routines.gss_release_cred(memory.at("minor"), memory.at("credential"));
  }

  /**
   * Reads the name of a service: `rcmd`, `rcmd@proxy.example` or, with a slash, that of its principal.
   *
   * @throws {Error} What the library says.
   */
  importName(name: string): bigint {
    const memory = this.#memory;
    memory.setPointer("name", 0n);
    const input = memory.setInput(new TextEncoder().encode(name));
    const type = memory.setOid(name.includes("/") ? PRINCIPAL : HOST_SERVICE);
    this.#check(this.#routines.gss_import_name(memory.at("minor"), input, type, memory.at("name")), memory);
    return memory.pointer("name");
  }

  /** Lets go of a name. */
  releaseName(name: bigint): void {
    const memory = this.#memory;
    memory.setPointer("name", name);
    this.#routines.gss_release_name(memory.at("minor"), memory.at("name"));
  }

  /**
   * Takes a client's token. Only one call of this and of {@linkcode initiate} may be under way.
   *
   * @param credential That of {@linkcode acceptor}.
   * @param context The context so far; 0 at first. It is deleted if this fails.
   * @param token The token.
   * @throws {Error} What the library says.
   */
  async accept(credential: bigint, context: bigint, token: Uint8Array): Promise<GssapiStep> {
    const memory = this.#waiting;
    memory.setPointer("context", context);
    memory.setPointer("name", 0n);
    memory.setNumber("flags", 0);
    const major = await settled(
      this.#routines.gss_accept_sec_context,
      memory.at("minor"),
      memory.at("context"),
      credential,
      memory.setInput(token),
      null,
      memory.at("name"),
      null,
      memory.clearOutput(),
      memory.at("flags"),
      null,
      null,
    );
    return this.#step(major, memory);
  }

  /**
   * Makes a token for a server, with the credentials that the system has.
   *
   * @param target The name of the server.
   * @param context The context so far; 0 at first. It is deleted if this fails.
   * @param flags The services to ask for.
   * @param token What the server answered.
   * @throws {Error} What the library says.
   */
  async initiate(
    target: bigint,
    context: bigint,
    flags: number,
    token: Uint8Array | undefined,
  ): Promise<GssapiStep> {
    const memory = this.#waiting;
    memory.setPointer("context", context);
    memory.setPointer("name", 0n);
    memory.setNumber("flags", 0);
    const major = await settled(
      this.#routines.gss_init_sec_context,
      memory.at("minor"),
      null,
      memory.at("context"),
      target,
      memory.setOid(KRB5),
      flags,
      0,
      null,
      token === undefined ? null : memory.setInput(token),
      null,
      memory.clearOutput(),
      memory.at("flags"),
      null,
    );
    return this.#step(major, memory);
  }

  /** See `GssapiContext.wrap`. */
  wrap(
    context: bigint,
    data: Uint8Array,
    confidential: boolean,
    frame: (length: number) => Uint8Array,
  ): Uint8Array {
    const memory = this.#memory;
    const major = this.#routines.gss_wrap(
      memory.at("minor"),
      context,
      confidential ? 1 : 0,
      0,
      memory.setInput(data),
      memory.at("state"),
      memory.clearOutput(),
    );
    this.#check(major, memory);
    try {
      if (confidential && memory.number("state") === 0) throw new Error("the mechanism has no confidentiality");
      const { length, address } = memory.output();
      const bytes = frame(length);
      this.#copy(bytes.subarray(bytes.length - length), address, length);
      return bytes;
    } finally {
      this.#release(memory);
    }
  }

  /** See `GssapiContext.unwrap`. */
  unwrap(
    context: bigint,
    token: Uint8Array,
  ): { data: Uint8Array; confidential: boolean; replayed: boolean; outOfOrder: boolean } {
    const memory = this.#memory;
    const major = this.#routines.gss_unwrap(
      memory.at("minor"),
      context,
      memory.setInput(token),
      memory.clearOutput(),
      memory.at("state"),
      null,
    );
    this.#check(major, memory);
    const data = this.#take(memory);
    return {
      data,
      confidential: memory.number("state") !== 0,
      replayed: (major & DUPLICATE_OR_OLD) !== 0,
      outOfOrder: (major & UNSEQUENCED_OR_GAP) !== 0,
    };
  }

  /** Deletes a context. */
  deleteContext(context: bigint, memory: GssapiMemory = this.#memory): void {
    memory.setPointer("context", context);
    this.#routines.gss_delete_sec_context(memory.at("minor"), memory.at("context"), null);
  }

  /** What a step came to. What it made is let go of if it failed. */
  #step(major: number, memory: GssapiMemory): GssapiStep {
    const context = memory.pointer("context");
    const source = memory.pointer("name");
    try {
      this.#check(major, memory);
      const token = this.#take(memory);
      return {
        context,
        token,
        complete: (major & CONTINUE) === 0,
        flags: memory.number("flags"),
        name: source === 0n ? undefined : this.#nameOf(source),
      };
    } catch (error) {
      if (context !== 0n) this.deleteContext(context);
      throw error;
    } finally {
      if (source !== 0n) this.releaseName(source);
    }
  }

  #nameOf(name: bigint): string {
    const memory = this.#memory;
    this.#check(
      this.#routines.gss_display_name(memory.at("minor"), name, memory.clearOutput(), null),
      memory,
    );
    return new TextDecoder().decode(this.#take(memory));
  }

  /** Copies the output and lets go of it. */
  #take(memory: GssapiMemory): Uint8Array {
    const { length, address } = memory.output();
    const bytes = new Uint8Array(length);
    if (length > 0) this.#copy(bytes, address, length);
    this.#release(memory);
    return bytes;
  }

  #release(memory: GssapiMemory): void {
    this.#routines.gss_release_buffer(memory.at("minor"), memory.at("output"));
  }

  #check(major: number, memory: GssapiMemory): void {
    if ((major & ERRORS) === 0) return;
    const minor = memory.number("minor");
    this.#release(memory); // an error token may be there
    const take = (memory: GssapiMemory): Uint8Array => this.#take(memory);
    throw new NetError("unknown", reasonOf(this.#routines, this.#memory, take, major, minor));
  }
}

let loading: Promise<GssapiLibrary> | undefined;

/**
 * Loads the library, once.
 *
 * @throws {Error} If `koffi` or the library is not installed; the message says which.
 */
export function loadGssapi(): Promise<GssapiLibrary> {
  return loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
}

async function load(): Promise<GssapiLibrary> {
  return new GssapiLibrary(await loadKoffi());
}

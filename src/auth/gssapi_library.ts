/**
 * The system's GSSAPI library, through `koffi`.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { GssapiMemory } from "./gssapi_memory.ts";

/** What a routine answers: the error in the upper half, what else there is to say in the lower one. */
const ERRORS = 0xffff0000;
const FAILURE = 0x000d0000;
const CONTINUE = 1;
const DUPLICATE_OR_OLD = 2 | 4;
const UNSEQUENCED_OR_GAP = 8 | 16;

/** The object identifier of Kerberos. */
const KRB5 = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02);
/** That of names such as `rcmd@proxy.example`. */
const HOST_SERVICE = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04);

/** That of names such as `rcmd/proxy.example@EXAMPLE.ORG`. */
const PRINCIPAL = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01);

/** Where the library is, by system. */
const LIBRARIES = ["libgssapi_krb5.so.2", "libgssapi_krb5.so", "libgssapi_krb5.dylib", "/usr/lib/libgssapi_krb5.dylib"];

/** Numbers of arguments are checked by nobody: each routine with what it takes. */
const ROUTINES = {
  gss_acquire_cred_from: ["p", "p", "u", "p", "i", "p", "p", "p", "p"],
  gss_accept_sec_context: ["p", "p", "p", "p", "p", "p", "p", "p", "p", "p", "p"],
  gss_init_sec_context: ["p", "p", "p", "p", "p", "u", "u", "p", "p", "p", "p", "p", "p"],
  gss_import_name: ["p", "p", "p", "p"],
  gss_display_name: ["p", "p", "p", "p"],
  gss_display_status: ["p", "u", "i", "p", "p", "p"],
  gss_wrap: ["p", "p", "i", "u", "p", "p", "p"],
  gss_unwrap: ["p", "p", "p", "p", "p", "p"],
  gss_delete_sec_context: ["p", "p", "p"],
  gss_release_name: ["p", "p"],
  gss_release_cred: ["p", "p"],
  gss_release_buffer: ["p", "p"],
} as const;

const TYPES = { p: "void *", u: "uint32_t", i: "int" } as const;

/** An argument: an address, a number, or nothing. */
type Argument = bigint | number | null;

/** A routine of the library. */
interface Routine {
  (...args: readonly Argument[]): number;
  async: (...args: readonly (Argument | ((error: unknown, result: number) => void))[]) => void;
}

/** What is used of `koffi`. */
interface Koffi {
  load(path: string | null): { func(name: string, result: string, types: readonly string[]): unknown };
  address(bytes: Uint8Array): bigint;
}

/** What a step towards a context came to. */
export interface GssapiStep {
  /** The context, which goes on until it is deleted; 0 if there is none. */
  readonly context: bigint;
  /** What to send to the other end; it may be empty. */
  readonly token: Uint8Array;
  /** Whether the context is established. */
  readonly complete: boolean;
  /** The services of the context: flags of RFC 2744. */
  readonly flags: number;
  /** Who is at the other end, once it is known. */
  readonly name: string | undefined;
}

/** The routines that are needed, with their memory. One thing at a time may wait: see `GssapiQueue`. */
export class GssapiLibrary {
  readonly #routines: { readonly [Name in keyof typeof ROUTINES]: Routine };
  readonly #copy: (to: Uint8Array, from: bigint, length: number) => void;
  /** For calls that are over when they return. */
  readonly #memory: GssapiMemory;
  /** For the one that is not. */
  readonly #waiting: GssapiMemory;

  /** See {@linkcode loadGssapi}. */
  constructor(koffi: Koffi) {
    const library = loadAny(koffi);
    this.#routines = Object.fromEntries(
      Object.entries(ROUTINES).map((
        [name, types],
      ) => [name, library.func(name, "uint32_t", types.map((type) => TYPES[type]))]),
    ) as { [Name in keyof typeof ROUTINES]: Routine };
    const memcpy = koffi.load(null).func("memcpy", "void *", ["void *", "void *", "size_t"]) as (
      to: Uint8Array,
      from: bigint,
      length: number,
    ) => unknown;
    this.#copy = (to, from, length) => void memcpy(to, from, length);
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
    throw new NetError("unknown", this.#reason(major, minor));
  }

  /** What the library says of an error, and what the mechanism has to add; a mere "failure" adds nothing to that. */
  #reason(major: number, minor: number): string {
    const memory = this.#memory;
    const told = (status: number, type: number): string => {
      memory.setNumber("moreStatus", 0);
      const [at, more] = [memory.at("minor"), memory.at("moreStatus")];
      const output = memory.clearOutput();
      if ((this.#routines.gss_display_status(at, status, type, null, more, output) & ERRORS) !== 0) return "";
      return new TextDecoder().decode(this.#take(memory));
    };
    const detail = minor === 0 ? "" : told(minor, 2);
    const general = detail !== "" && (major & ERRORS) === FAILURE ? "" : told(major, 1);
    return [general, detail].filter((text) => text !== "").join(": ") || `error ${(major >>> 0).toString(16)}`;
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
  let koffi: Koffi;
  try {
    const loaded = await import("koffi");
    koffi = (loaded.default ?? loaded) as unknown as Koffi;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(`Cannot use GSSAPI: the package "koffi" is not there (npm install koffi): ${reason}`, {
      cause: error,
    });
  }
  return new GssapiLibrary(koffi);
}

function loadAny(koffi: Koffi): ReturnType<Koffi["load"]> {
  for (const name of LIBRARIES) {
    try {
      return koffi.load(name);
    } catch {
      // Perhaps the next one is there.
    }
  }
  throw new Error(
    `Cannot use GSSAPI: the library "${LIBRARIES[0]}" is not there (on Debian: apt install libgssapi-krb5-2)`,
  );
}

function settled(routine: Routine, ...args: readonly Argument[]): Promise<number> {
  return new Promise((resolve, reject) => {
    routine.async(...args, (error: unknown, result: number) => error === null ? resolve(result) : reject(error));
  });
}

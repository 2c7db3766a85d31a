/**
 * The routines of the system's GSSAPI library, through `koffi`.
 *
 * @module
 */

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
export type Argument = bigint | number | null;

/** A routine of the library. */
export interface Routine {
  (...args: readonly Argument[]): number;
  async: (...args: readonly (Argument | ((error: unknown, result: number) => void))[]) => void;
}

/** What is used of `koffi`. */
export interface Koffi {
  load(path: string | null): { func(name: string, result: string, types: readonly string[]): unknown };
  address(bytes: Uint8Array): bigint;
}

/** Every routine that is used. */
export type Routines = { readonly [Name in keyof typeof ROUTINES]: Routine };

/**
 * Loads the routines.
 *
 * @throws {Error} If the library is not installed.
 */
export function loadRoutines(koffi: Koffi): Routines {
  const library = loadAny(koffi);
  const load = ([name, types]: [string, readonly (keyof typeof TYPES)[]]): [string, unknown] => [
    name,
    library.func(name, "uint32_t", types.map((type) => TYPES[type])),
  ];
  return Object.fromEntries(Object.entries(ROUTINES).map(load)) as Routines;
}

/** Copies from memory that is not the engine's. */
export type CopyFrom = (to: Uint8Array, from: bigint, length: number) => void;

/** Loads that. */
export function loadCopy(koffi: Koffi): CopyFrom {
  return koffi.load(null).func("memcpy", "void *", ["void *", "void *", "size_t"]) as CopyFrom;
}

/**
 * Loads the package.
 *
 * @throws {Error} If it is not installed, or Deno does not let it call libraries.
 */
export async function loadKoffi(): Promise<Koffi> {
  try {
    const loaded = await import(KOFFI).catch((error) => import(KOFFI_ON_NPM).catch(() => Promise.reject(error)));
    return loaded.default ?? loaded;
  } catch (error) {
    if (!mayCallLibraries()) {
      throw new Error("Cannot use GSSAPI: Deno does not allow it, start it with --allow-ffi", { cause: error });
    }
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(`Cannot use GSSAPI: the package "koffi" is not there (npm install koffi): ${reason}`, {
      cause: error,
    });
  }
}

// Not written where they are imported: what a program imports by name Deno fetches before it starts, used or not.
const KOFFI: string = "koffi";
/** By this name Deno knows it where no deno.json does. */
const KOFFI_ON_NPM: string = "npm:koffi@3";

/** Without the permission the package says that a part of it is not there. */
function mayCallLibraries(): boolean {
  return typeof Deno === "undefined" || Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Waits for a routine on a thread of its own. */
export function settled(routine: Routine, ...args: readonly Argument[]): Promise<number> {
  return new Promise((resolve, reject) => {
    routine.async(...args, (error: unknown, result: number) => error === null ? resolve(result) : reject(error));
  });
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

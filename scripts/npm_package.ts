/**
 * The npm package, described once: what deno.json does not already say. Name, version, exports and dependencies of the
 * sources stand in deno.json; `scripts/build_npm.ts` joins the two.
 *
 * Where JSR can be reached, `@deno/dnt` can take over with the same values:
 *
 * ```ts ignore
 * import { build } from "jsr:@deno/dnt";
 * await build({
 *   entryPoints: [
 *     ...Object.entries(config.exports).map(([name, path]) => ({ kind: "export", name, path })),
 *     ...npmPackage.bin.map(({ name, path }) => ({ kind: "bin", name, path })),
 *   ],
 *   outDir: "./npm",
 *   package: { ...npmPackage.package, version: config.version, license: config.license },
 *   scriptModule: false, // ESM only
 *   shims: {}, // The sources choose their runtime themselves
 *   test: false,
 * });
 * ```
 *
 * It must not empty `npm/` first: the program's source stands there.
 *
 * @module
 */

/** A program which the package installs, in the shape of dnt's `EntryPoint`. */
export interface NpmProgram {
  /** The command. */
  readonly name: string;
  /** Its source, from the root of the repository. */
  readonly path: string;
}

/** What {@linkcode npmPackage} holds. */
export interface NpmPackage {
  /** Fields of package.json, as dnt's `package` option takes them. */
  readonly package: {
    readonly name: string;
    readonly description: string;
    readonly keywords: readonly string[];
    readonly engines: Readonly<Record<string, string>>;
  };
  /** Dependencies that one can do without, imported by a name that nobody sees before: what needs them says so. */
  readonly optional: readonly string[];
  /** The programs. */
  readonly bin: readonly NpmProgram[];
}

/** The description of the npm package. */
export const npmPackage: NpmPackage = {
  package: {
    name: "socks-server",
    description:
      "SOCKS4, 4a, 5 and HTTP proxy server, client and library for Node, Bun and Deno: CONNECT, BIND and UDP",
    keywords: ["socks", "socks4", "socks4a", "socks5", "proxy", "proxy-server", "socks-server", "udp", "deno", "bun"],
    engines: { node: ">=20" },
  },
  optional: ["koffi"],
  bin: [{ name: "socks-server", path: "./npm/bin.ts" }],
};

import { assert, assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The rooms from the top of the house down: imports run downward. */
const LAYERS = [
  "mod",
  "cli",
  "config",
  "admin",
  "server",
  "upstream",
  "client",
  "policy",
  "auth",
  "relay",
  "adapters",
  "stream",
  "protocol",
  "net",
  "contract",
];

/** The ground floor: what may be imported from anywhere but itself imports nothing above. */
const GROUND = ["protocol", "net", "contract"];

/** Who may import an adapter: the rest of the house gets the runtime passed in. */
const MAY_CHOOSE_RUNTIME: Record<string, readonly string[]> = {
  "mod.ts": ["src/runtime/memory.ts", "src/runtime/detect.ts", "src/runtime/deno_conn.ts"],
  "src/server/": ["src/runtime/detect.ts"],
  "src/client/": ["src/runtime/detect.ts", "src/runtime/node_stream.ts"],
  "src/cli/": ["src/runtime/detect.ts"],
};

/** Rooms whose files may name `Deno`, `Bun`, `process` and `node:` modules. */
const MAY_NAME_RUNTIMES = ["src/runtime/", "src/cli/"];

/** Files whose one purpose is to wrap a facility of the system, each with its reason. */
const WRAPPERS: Record<string, string> = {
  "src/policy/store_file.ts": "a file of counts; loaded when one is configured, and can be given from outside",
  "src/auth/argon2_thread.ts": "starts a thread; loaded when a hash is checked, and done without where that fails",
  "src/client/node_dial.ts": "sockets for Node's HTTP clients; no part of what `./client` loads",
  "src/client/node_agents.ts": "agents for node:http; no part of what `./client` loads",
  "src/client/undici_connector.ts": "types of Node's sockets; no part of what `./client` loads",
  "src/auth/argon2_worker.ts": "runs in that thread",
  "src/auth/gssapi_routines.ts": "calls a library of the system, for which Deno wants a permission",
};

interface Import {
  readonly to: string;
  readonly isType: boolean;
}

interface Source {
  readonly path: string;
  /** The text without comments. */
  readonly code: string;
  /** The text without comments, and with empty strings. */
  readonly bare: string;
  /** Files of ours that it imports or exports from. */
  readonly imports: readonly Import[];
  /** Everything else that it imports: packages and `node:` modules. */
  readonly packages: readonly string[];
}

const sources = new Map<string, Source>();
for (const path of ["mod.ts", ...files("src")]) {
  if (existsSync(join(ROOT, path))) sources.set(path, read(path));
}

/** The TypeScript files below a folder, from the root. */
function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? files(path) : entry.name.endsWith(".ts") ? [path] : [];
  }).sort();
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  const isComment = (found: string): boolean => found.startsWith("/");
  const code = text.replace(token, (found) => isComment(found) ? " " : found);
  const bare = text.replace(token, (found) => isComment(found) ? " " : '""');
  const imports: Import[] = [];
  const packages: string[] = [];
  const statement = /\b(?:import|export)\s+(type\s)?(?:[\w*\s{},]+?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;
  for (const [, type, from, dynamic] of code.matchAll(statement)) {
    const specifier = (from ?? dynamic)!;
    if (specifier.endsWith(".json")) continue; // data
    if (!specifier.startsWith(".")) packages.push(specifier);
    else {
      const to = relative(ROOT, resolve(ROOT, dirname(path), specifier)).replaceAll("\\", "/");
      imports.push({ to, isType: type !== undefined });
    }
  }
  return { path, code, bare, imports, packages };
}

/** The layer that a file belongs to. */
function layerOf(path: string): string {
  if (!path.startsWith("src/")) return "mod";
  const room = path.split("/")[1]!;
  if (room !== "runtime") return room;
  return path === "src/runtime/runtime.ts" ? "contract" : "adapters";
}

/** Says where `what` is found among the sources, except where `isAllowed`. */
function offenders(what: RegExp, isAllowed: (path: string) => boolean): string[] {
  return [...sources.values()].filter(({ path, bare }) => what.test(bare) && !isAllowed(path)).map(({ path }) => path);
}

test("the sources are found, and so are their imports", () => {
  assert(sources.size > 40, `${sources.size} files`);
  const all = [...sources.values()].flatMap(({ imports }) => imports);
  assert(all.length > 150, `${all.length} imports`);
  assert(sources.get("src/server/connect.ts")?.imports.some(({ to }) => to === "src/server/happy_eyeballs.ts"));
});

test("every import names a file that is there, with its extension", () => {
  const missing: string[] = [];
  for (const { path, imports } of sources.values()) {
    for (const { to } of imports) if (!sources.has(to) && !existsSync(join(ROOT, to))) missing.push(`${path} → ${to}`);
  }
  assertEquals(missing, []);
});

test("every file lives in a room of the house", () => {
  assertEquals([...sources.keys()].filter((path) => !LAYERS.includes(layerOf(path))), []);
});

test("imports run downward", () => {
  const upward: string[] = [];
  for (const { path, imports } of sources.values()) {
    const from = layerOf(path);
    for (const { to } of imports) {
      const layer = layerOf(to);
      if (layer === from || LAYERS.indexOf(layer) > LAYERS.indexOf(from)) continue;
      if (to.startsWith("src/") && GROUND.includes(layer) && from !== "contract") continue;
      // The contract speaks of addresses.
      if (from === "contract" && layer === "net") continue;
      upward.push(`${path} (${from}) → ${to} (${layer})`);
    }
  }
  assertEquals(upward, []);
});

test("the ground floor imports nothing above it", () => {
  const above: string[] = [];
  for (const { path, imports } of sources.values()) {
    if (!GROUND.includes(layerOf(path))) continue;
    for (const { to } of imports) if (!GROUND.includes(layerOf(to))) above.push(`${path} → ${to}`);
  }
  assertEquals(above, []);
});

test("the core gets its runtime passed in", () => {
  const chosen: string[] = [];
  for (const { path, imports } of sources.values()) {
    if (layerOf(path) === "adapters") continue;
    const [, allowed] = Object.entries(MAY_CHOOSE_RUNTIME).find(([where]) => path.startsWith(where)) ?? [];
    for (const { to } of imports) {
      if (layerOf(to) === "adapters" && !allowed?.includes(to)) chosen.push(`${path} → ${to}`);
    }
  }
  assertEquals(chosen, []);
});

test("no import leads back to where it came from", () => {
  const cycles: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      return;
    }
    state.set(path, "open");
    // Types are gone when the program runs: only what remains can go in a circle.
    for (const { to, isType } of sources.get(path)?.imports ?? []) if (!isType) visit(to, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of sources.keys()) visit(path, []);
  assertEquals(cycles, []);
});

test("rooms do not go in a circle, not even by types", () => {
  const roomOf = (path: string): string => layerOf(path);
  const leadsTo = new Map<string, Set<string>>();
  for (const { path, imports } of sources.values()) {
    for (const { to } of imports) {
      const [from, into] = [roomOf(path), roomOf(to)];
      if (from === into || GROUND.includes(into)) continue;
      leadsTo.set(from, (leadsTo.get(from) ?? new Set()).add(into));
    }
  }
  const circles: string[] = [];
  for (const [from, into] of leadsTo) {
    for (const room of into) if (leadsTo.get(room)?.has(from)) circles.push(`${from} ⇄ ${room}`);
  }
  assertEquals(circles, []);
});

test("only the adapters, the command line and named wrappers name a runtime", () => {
  const isAllowed = (path: string): boolean =>
    path in WRAPPERS || MAY_NAME_RUNTIMES.some((room) => path.startsWith(room)) && path !== "src/runtime/runtime.ts";
  const named = offenders(/(?<![\w.])(?:Deno|Bun|process|Buffer|require|__dirname)\b(?!\s*[:(])/, isAllowed);
  assertEquals(named, []);
  const imported = [...sources.values()].filter(({ path, packages }) =>
    packages.some((name) => /^(?:node:|bun\b|cloudflare:|deno)/.test(name)) && !isAllowed(path)
  ).map(({ path }) => path);
  assertEquals(imported, []);
});

test("the named wrappers are there, and need to be named", () => {
  const idle = Object.keys(WRAPPERS).filter((path) => {
    const source = sources.get(path);
    return source === undefined ||
      !(source.packages.some((name) => name.startsWith("node:")) || /\b(?:Deno|Bun|process)\b/.test(source.bare));
  });
  assertEquals(idle, []);
});

test("packages stay in their rooms", () => {
  const rooms: Record<string, readonly string[]> = {
    "commander": ["cli"],
    "@logtape/logtape": ["cli"],
    "zod": ["config"],
    "yaml": ["config"],
    "smol-toml": ["config"],
    "jsonc-parser": ["config"],
    "hash-wasm": ["auth"],
    "koffi": ["auth"],
    "rate-limiter-flexible": ["policy"],
    "@redis/client": ["policy"],
    "hono": ["admin"],
    "ipaddr.js": ["net"],
  };
  const astray: string[] = [];
  for (const { path, packages } of sources.values()) {
    for (const name of packages) {
      if (/^(?:node:|bun$)/.test(name)) continue;
      const allowed = Object.entries(rooms).find(([start]) => name === start || name.startsWith(`${start}/`));
      if (!allowed?.[1].includes(layerOf(path))) astray.push(`${path} → ${name}`);
    }
  }
  assertEquals(astray, []);
});

test("nothing but the command line writes to the console", () => {
  assertEquals(offenders(/\bconsole\b/, (path) => path.startsWith("src/cli/") || path === "mod.ts"), []);
});

test("there are no default exports", () => {
  assertEquals(offenders(/\bexport\s+default\b|\bas\s+default\b/, () => false), []);
});

test("there are no enums, namespaces or parameter properties: types vanish without a trace", () => {
  assertEquals(
    offenders(/(?:^|[\n;}])\s*(?:export\s+|declare\s+|const\s+)*(?:enum|namespace)\s+\w+\s*\{/, () => false),
    [],
  );
  assertEquals(
    offenders(/constructor\s*\(\s*[^)]*\b(?:private|public|protected|readonly)\s+\w+\s*[?:]/, () => false),
    [],
  );
});

test("privacy is the language's, not TypeScript's", () => {
  assertEquals(offenders(/(?:^|[\n;{}])\s*private\s+\w/, () => false), []);
});

test("nothing is left unfinished or ignored", () => {
  const comment = /\b(?:TODO|FIXME|XXX)\b|@ts-ignore|@ts-nocheck/;
  const marked = [...sources.keys()].filter((path) => comment.test(readFileSync(join(ROOT, path), "utf8")));
  assertEquals(marked, []);
});

test("every source file is reachable from an export of the package", () => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")) as { exports: Record<string, string> };
  const queue = Object.values(exports).map((path) => path.replace(/^\.\//, ""));
  const reached = new Set<string>(queue);
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const { to } of sources.get(path)?.imports ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      queue.push(to);
    }
  }
  assertEquals([...sources.keys()].filter((path) => !reached.has(path)), []);
});

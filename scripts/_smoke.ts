import { npmPackage } from "./npm_package.ts";
import type { TestCase } from "./_junit.ts";
import { run, type RunResult } from "./_run.ts";
import type { Runtime } from "./_runtimes.ts";
import { npmInstall, patiently } from "./_scratch.ts";
import { ownLoopback } from "../tests/runtime/_own_loopback.ts";
import { join } from "node:path";

const NAME = npmPackage.package.name;

/** Installs the tarball in a fresh folder, with the runtime's own package manager where it has one that takes tarballs. */
export async function installTarball(runtime: Runtime, tarball: string, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  if (runtime.kind !== "bun") return await npmInstall(folder, [tarball]);
  await patiently(async () => must(await run(runtime.binary!, ["add", "--no-progress", tarball], { cwd: folder })));
}

/** Tries the installed package on one runtime: the program, the library, its types. */
export async function smokeTest(runtime: Runtime, folder: string, version: string): Promise<TestCase[]> {
  const cases: TestCase[] = [];
  const attempt = async (name: string, body: () => Promise<void>) => {
    try {
      await body();
      cases.push({ name, outcome: "passed", detail: "" });
    } catch (error) {
      cases.push({ name, outcome: "failed", detail: error instanceof Error ? error.message : String(error) });
    }
  };
  const flags = runtime.kind === "deno" ? ["run", "-A"] : [];
  const program = [...flags, join(folder, "node_modules", NAME, "bin.js")];
  const start = (args: readonly string[], signal?: AbortSignal) =>
    run(runtime.binary!, args, {
      cwd: folder,
      env: { NO_COLOR: "1" },
      timeoutMs: 300_000,
      ...signal ? { signal } : {},
    });

  await attempt("the program tells its version", async () => {
    const { stdout } = must(await start([...program, "--version"]));
    if (!stdout.includes(version)) throw new Error(`Expected version "${version}", found "${stdout.trim()}"`);
  });
  await attempt("the program tells its flags", async () => {
    const { stdout } = must(await start([...program, "--help"]));
    if (!stdout.includes("--listen")) throw new Error(`Expected "--listen" in "${stdout.trim()}"`);
  });
  await attempt("the library and its protocol part load", async () => {
    await Deno.writeTextFile(join(folder, "library.mjs"), LIBRARY);
    must(await start([...flags, "library.mjs"]));
  });
  await attempt("the program carries an HTTP request, and ends on SIGTERM", () => carryRequest(program, start));
  if (runtime.kind === "node") {
    await attempt("npx finds the program", async () => {
      const path = `${join(runtime.binary!, "..")}:${Deno.env.get("PATH") ?? ""}`;
      const npx = await run("npx", ["--no", "--", NAME, "--version"], { cwd: folder, env: { PATH: path } });
      if (!must(npx).stdout.includes(version)) throw new Error(`Expected "${version}", found "${npx.stdout.trim()}"`);
    });
  }
  if (runtime.kind === "bun") {
    await attempt("bunx finds the program", async () => {
      const { stdout } = must(await start(["x", "--bun", "--no-install", NAME, "--version"]));
      if (!stdout.includes(version)) throw new Error(`Expected "${version}", found "${stdout.trim()}"`);
    });
  }
  if (runtime.kind === "deno") {
    await attempt("the declarations check", async () => {
      await Deno.writeTextFile(join(folder, "types.ts"), TYPES);
      must(await start(["check", "--node-modules-dir=manual", "types.ts"]));
    });
  }
  return cases;
}

const LIBRARY = `
import * as socks from "${NAME}";
import * as protocol from "${NAME}/protocol";
if (typeof socks.serve !== "function") throw new Error("Expected a function serve");
if (Object.keys(protocol).length === 0) throw new Error("Expected the codecs");
`;

/** Fails to check where the declarations are missing: `serve` would be `any` then. */
const TYPES = `
import { serve } from "${NAME}";
import * as protocol from "${NAME}/protocol";
type IsAny<T> = 0 extends 1 & T ? true : false;
export const typed: IsAny<typeof serve> = false;
export const codecs: IsAny<typeof protocol> = false;
`;

/** Returns a result that is a success, throws otherwise. */
function must(result: RunResult): RunResult {
  if (result.code === 0) return result;
  throw new Error(`The process failed with exit code ${result.code}: ${result.output.trim()}`);
}

/** Fetches a page from an HTTP server on loopback through the program. */
async function carryRequest(
  program: readonly string[],
  start: (args: readonly string[], signal: AbortSignal) => Promise<RunResult>,
): Promise<void> {
  const web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("page"));
  const stop = new AbortController();
  const at = freeAddress();
  const ended = start([...program, "--listen", `${at.hostname}:${at.port}`], stop.signal);
  let late: ReturnType<typeof setTimeout> | undefined;
  try {
    const page = await fetchThrough(await connect(at, ended), web.addr.port);
    if (!page.endsWith("page")) throw new Error(`Expected the page, found "${page}"`);
    stop.abort();
    const timeout = new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => reject(new Error("Did not end within 60 s of SIGTERM")), 60_000);
    });
    await Promise.race([ended, timeout]);
  } finally {
    clearTimeout(late);
    stop.abort();
    await web.shutdown();
  }
}

/** A TCP address. */
interface Address {
  readonly hostname: string;
  readonly port: number;
}

function freeAddress(): Address {
  const hostname = ownLoopback();
  using listener = Deno.listen({ hostname, port: 0 });
  return { hostname, port: listener.addr.port };
}

/** Connects as soon as the server listens. */
async function connect(at: Address, ended: Promise<RunResult>): Promise<Deno.Conn> {
  let end: RunResult | undefined;
  ended.then((result) => end = result, () => {});
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (end) throw new Error(`The server ended with exit code ${end.code}: ${end.output.trim()}`);
    try {
      return await Deno.connect({ ...at });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`The server does not listen on ${at.hostname}:${at.port}`);
}

/** SOCKS5 CONNECT to a port of 127.0.0.1, then one HTTP request; returns the response's bytes as text. */
async function fetchThrough(conn: Deno.Conn, port: number): Promise<string> {
  using socket = conn;
  await write(socket, [5, 1, 0]);
  expect("method selection", await read(socket, 2), [5, 0]);
  await write(socket, [5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff]);
  const reply = await read(socket, 10);
  expect("reply", reply.slice(0, 3), [5, 0, 0]);
  await write(socket, new TextEncoder().encode("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"));
  return await new Response(socket.readable).text();
}

async function write(conn: Deno.Conn, bytes: ArrayLike<number>): Promise<void> {
  const data = Uint8Array.from(bytes);
  for (let sent = 0; sent < data.length;) sent += await conn.write(data.subarray(sent));
}

async function read(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const data = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = await conn.read(data.subarray(filled));
    if (count === null) throw new Error(`Expected ${length} bytes, found the end after ${filled}`);
    filled += count;
  }
  return data;
}

function expect(what: string, found: Uint8Array, wanted: readonly number[]): void {
  if (`${found}` !== `${wanted}`) throw new Error(`Expected ${what} ${wanted}, found ${found}`);
}

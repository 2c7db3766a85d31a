/** Programs that go through a proxy, each with what its runtime has for it. */

import { assertEquals, assertMatch } from "@std/assert";
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { onPath, repository, runtimes } from "../conformance/_server.ts";
import { type Bench, clients, sessionLine } from "./_case.ts";
import { GREETING, REFUSED_PORT } from "./_targets.ts";

const EXAMPLES = join(repository, "tests/clients/examples");

/** A runtime's program. */
function binaryOf(name: "deno" | "bun" | "node"): string | undefined {
  return runtimes.find((runtime) => runtime.name === name)?.command[0] ?? onPath(name);
}

/** Where the npm package is, as a program that depends on it finds it. */
async function installed(bench: Bench, file: string): Promise<string> {
  const folder = await bench.folder();
  const [, program] = runtimes.find(({ name }) => name === "node")!.command;
  await mkdir(join(folder, "node_modules", "@x"), { recursive: true });
  await symlink(dirname(program!), join(folder, "node_modules", "@x", "socks"));
  await copyFile(join(EXAMPLES, file), join(folder, file));
  return join(folder, file);
}

const npmIsThere = () => {
  const { available, reason } = runtimes.find(({ name }) => name === "node")!;
  return available ? undefined : reason;
};
const isThere = (name: "deno" | "bun" | "node") => () =>
  binaryOf(name) === undefined ? `${name} is not installed` : undefined;

/** Runs an example, by which a page comes, from a name that the proxy looks up. */
async function fetches(bench: Bench, command: readonly string[], scheme: string): Promise<void> {
  const server = await bench.server();
  const http = await bench.http();
  const proxy = `${scheme}://127.0.0.1:${server.port}`;
  const url = `http://localhost:${http.port}/hello`;
  const { code, stdout, stderr } = await bench.run([...command, proxy, url]);
  assertEquals([code, stdout, stderr], [0, `200 ${GREETING}\n`, ""]);
  await sessionLine(server, `localhost:${http.port}`);
}

clients("the client examples", [], (it) => {
  it("fetch on Deno, through SOCKS", async (bench) => {
    await fetches(bench, [binaryOf("deno")!, "run", "-A", "--no-config", join(EXAMPLES, "fetch_deno.ts")], "socks5h");
  }, { needs: [isThere("deno")] });

  it("fetch on Bun, through the HTTP side", async (bench) => {
    await fetches(bench, [binaryOf("bun")!, join(EXAMPLES, "fetch_bun.mjs")], "http");
  }, { needs: [isThere("bun")] });

  it("undici on Deno, with our connector", async (bench) => {
    const command = [binaryOf("deno")!, "run", "-A", "--quiet", join(EXAMPLES, "fetch_undici.mjs")];
    await fetches(bench, command, "socks5h");
  }, { needs: [isThere("deno")] });

  for (const name of ["node", "bun"] as const) {
    it(`node:http on ${name}, with our agent`, async (bench) => {
      const command = [binaryOf(name)!, await installed(bench, "request_node.mjs")];
      await fetches(bench, command, "socks5h");
      const { port } = await bench.server();
      const refused = [`socks5h://127.0.0.1:${port}`, `http://127.0.0.1:${REFUSED_PORT}/`];
      const { code, stderr } = await bench.run([...command, ...refused]);
      assertEquals(code, 1);
      assertMatch(stderr, /\(reply\): connection refused/);
    }, { needs: [isThere(name), npmIsThere] });
  }
});

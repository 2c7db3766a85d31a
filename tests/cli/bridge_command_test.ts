import { assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { run } from "../../src/cli/run.ts";
import type { ServeStart } from "../../src/cli/start.ts";
import { runWords } from "./_run.ts";
import { FakeTerminal } from "./_terminal.ts";

/** What a bridge would be served with. */
async function started(
  words: string,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<{ start: ServeStart; terminal: FakeTerminal }> {
  const terminal = new FakeTerminal(files, undefined, env);
  let start: ServeStart | undefined;
  const code = await run(`bridge ${words}`.trim().split(" "), terminal, {
    serve: (given) => {
      start = given;
      return Promise.resolve(0);
    },
  });
  assertEquals([code, terminal.stderr], [0, []]);
  return { start: start!, terminal };
}

async function viaOf(words: string, files = {}, env = {}): Promise<readonly string[] | undefined> {
  return (await started(words, files, env)).start.config.via;
}

async function mistake(words: string, files = {}, env = {}): Promise<string> {
  const { code, stdout, stderr } = await runWords(`bridge ${words}`.trim(), files, env);
  assertEquals([code, stdout, stderr.at(-1)], [2, [""], "Flags and examples: socks-server bridge --help"]);
  return stderr[0]!;
}

test("it is a mixed port without users, all through the proxy", async () => {
  const { start } = await started("--via socks5://ada:lovelace@proxy.example:1081");
  const { via, mixed, users, listen } = start.config;
  assertEquals([via, mixed, users, listen], [
    ["socks5h://ada:lovelace@proxy.example:1081"],
    true,
    undefined,
    undefined,
  ]);
  const other = await started("--via http://a --listen 127.0.0.1:1 --listen [::1]:1 --log-level debug");
  assertEquals(other.start.config.listen, [{ address: "127.0.0.1:1" }, { address: "[::1]:1" }]);
  assertEquals(other.start.config.logLevel, "debug");
});

test("a bridge for others needs a word that it is one, and no user", async () => {
  assertEquals(
    await mistake("--via socks5://a --listen 0.0.0.0:1080"),
    'Cannot listen on "0.0.0.0:1080" without users: anyone who reaches it could use this proxy; ' +
      "serve everybody on purpose (--open), or listen on loopback",
  );
});

test("names are left to the last proxy, unless they are to be resolved here", async () => {
  assertEquals(await viaOf("--via socks5+tls://a"), ["socks5h+tls://a"]);
  assertEquals(await viaOf("--via socks5h://a"), ["socks5h://a"]);
  assertEquals(await viaOf("--via socks4://a"), ["socks4://a"]);
  assertEquals(await viaOf("--via socks5://a --lookup-here"), ["socks5://a"]);
  assertEquals(await viaOf("--via socks5://a --via socks5://b"), ["socks5://a", "socks5h://b"]);
});

test("the proxy comes from a flag, a file or a variable; the file is read again", async () => {
  const files: Record<string, string> = { f: "# mine\nsocks5://ada:a,b@one\n" };
  const { start } = await started("--via-file f", files);
  assertEquals(start.config.via, ["socks5h://ada:a%2Cb@one"]);
  const again = await start.load(() => Promise.resolve(new TextEncoder().encode("http://two")));
  assertEquals(again.config.via, ["http://two"]);
  assertEquals(await viaOf("", {}, { SOCKS_VIA: "socks5://a,socks5://b" }), ["socks5://a", "socks5h://b"]);
  assertEquals(await viaOf("--via socks5://c", {}, { SOCKS_VIA: "socks5://a", SOCKS_CONFIG: "none" }), ["socks5h://c"]);
});

test("mistakes are told where they were made, without a secret", async () => {
  assertEquals(await mistake(""), "Found no proxy, expected --via URL, or one in SOCKS_VIA");
  assertMatch(await mistake("--via ftp://ada:secret@b"), /^--via: found another scheme, (?!.*secret)/);
  assertMatch(await mistake("--via-file f", { f: "ftp://ada:secret@b" }), /^f: found another scheme, (?!.*secret)/);
  assertMatch(
    await mistake("--via socks5://a --listen 0.0.0.0:1080"),
    /^Cannot listen on "0\.0\.0\.0:1080" without users/,
  );
  assertEquals((await started("--via socks5://a --listen 0.0.0.0:1080 --open")).start.config.open, true);
});

test("a command comes first", async () => {
  const { code, stderr } = await runWords("--log-level debug bridge");
  assertEquals([code, stderr[0]], [2, "Found the command bridge after flags, expected it first"]);
});

import { assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { runCheck } from "../../src/cli/check.ts";
import { type CheckArguments, checkCommand } from "../../src/cli/check_command.ts";
import { findingLines, speedLine, verdictLine } from "../../src/cli/check_report.ts";
import type { Finding } from "../../src/client/check_finding.ts";
import { judge } from "../../src/client/check_verdict.ts";
import { targetOf } from "../../src/protocol/address.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { runWords } from "./_run.ts";
import { FakeTerminal } from "./_terminal.ts";

async function mistake(words: string, files = {}, env = {}): Promise<string> {
  const { code, stdout, stderr } = await runWords(`check ${words}`.trim(), files, env);
  assertEquals([code, stdout, stderr[1]], [2, [""], "Flags and examples: socks-server check --help"]);
  return stderr[0]!;
}

async function read(words: string): Promise<CheckArguments> {
  let read: CheckArguments | undefined;
  const command = checkCommand((given) => {
    read = given;
    return Promise.resolve();
  });
  await command.parseAsync(words.split(" "), { from: "user" });
  return read!;
}

test("what is given is read", async () => {
  assertEquals(await read("socks5://a --target b:1 --timeout 1s --quick --json"), {
    url: "socks5://a",
    target: targetOf("b", 1),
    timeout: 1_000,
    quick: true,
    json: true,
  });
  assertEquals(await read("socks5://a"), { url: "socks5://a", timeout: 5_000, quick: false, json: false });
});

test("mistakes are told by their flags, without a secret", async () => {
  assertEquals(await mistake(""), "Found no proxy, expected a URL, or one in SOCKS_VIA or ALL_PROXY");
  assertMatch(await mistake("ftp://ada:secret@b"), /^url: found another scheme, expected socks4(?!.*secret)/);
  assertEquals(await mistake("socks5://a --via-file f"), "--via-file: found a URL as well, expected one of them");
  assertEquals(
    await mistake("--via-file f", { f: "socks5://a\nsocks5://b\n" }),
    "f: found 2 proxies, expected one",
  );
  assertMatch(await mistake("", {}, { ALL_PROXY: "ftp://a:secret@b" }), /^ALL_PROXY: found another(?!.*secret)/);
  assertEquals(await mistake("socks5://a --target b"), '--target: found "b", expected HOST:PORT or [IPv6]:PORT');
});

/** Checks what `start` starts, in memory. */
async function checked(
  start: (runtime: Runtime) => Promise<{ close(): unknown }>,
  given: Partial<CheckArguments> = {},
): Promise<{ code: number; out: string; err: readonly string[] }> {
  const runtime = memory();
  const proxy = await start(runtime);
  const terminal = new FakeTerminal();
  let clock = 0;
  try {
    const code = await runCheck(
      { url: "socks5://ada:lovelace@127.0.0.1:1080", timeout: 600_000, quick: true, json: false, ...given },
      terminal,
      { runtime: () => Promise.resolve(runtime), now: () => clock += 2 },
    );
    return { code, out: terminal.stdout.join("\n"), err: terminal.stderr };
  } finally {
    await proxy.close();
  }
}

function server(options: Partial<ServeOptions> = {}): (runtime: Runtime) => Promise<{ close(): unknown }> {
  return (runtime) => serve({ listen: "127.0.0.1:1080", rules: { request: () => undefined }, runtime, ...options });
}

test("our own server is good, and a person can read so", async () => {
  const { code, out, err } = await checked(server(), { quick: false });
  assertEquals([code, err], [0, []]);
  const lines = out.split("\n");
  assertEquals(lines.slice(0, 7), [
    "socks5://127.0.0.1:1080",
    "",
    "Protocols",
    "  SOCKS5                      yes",
    "  SOCKS4                      yes",
    "  SOCKS4a                     yes",
    "  HTTP CONNECT                yes",
  ]);
  assertEquals(lines.at(-1), "Good: all that programs rely on works");
  assertMatch(lines.at(-3)!, /^Speed: 2\.00 ms to connect, 2\.00 ms there and back, .*\/s up, .*\/s down$/);
  assertMatch(out, /wants one {19}no {5}anybody who reaches it may use it/);
});

test("one that refuses everything is unusable, and JSON says why", async () => {
  const { code, out } = await checked(server({ rules: { request: () => ({ deny: "closed" }) } }), { json: true });
  const { verdict, faults, findings, proxy } = JSON.parse(out);
  assertEquals([code, verdict, proxy], [1, "unusable", "socks5://127.0.0.1:1080"]);
  assertEquals(faults, ["nothing comes through: reply: not allowed, reply 2"]);
  assertEquals(findings.length, 19);
  assertEquals(findings.find(({ name }: Finding) => name === "bind").outcome, "skipped");
});

test("one that any password opens is told so", async () => {
  const users = { authenticate: () => Promise.resolve({ name: "anybody" }) };
  const { code, out } = await checked(server(users as Partial<ServeOptions>));
  assertEquals(code, 0);
  assertMatch(out, /refuses a wrong password {4}no {5}any password will do/);
  assertMatch(out, /\nUsable: any password will do$/);
});

test("what answers in a foreign language is none", async () => {
  const { code, out } = await checked(async (runtime) => {
    const listener = await runtime.listen({ address: { ip: "127.0.0.1", port: 1080 } });
    (async () => {
      for await (const connection of listener) {
        const end = duplexOf(connection);
        end.read().then(async () => {
          await end.write(new TextEncoder().encode("220 mail.example ESMTP\r\n"));
          end.close();
        }).catch(() => {});
      }
    })();
    return listener;
  });
  assertEquals(code, 1);
  assertMatch(out, /\nUnusable: nothing comes through: /);
});

test("nobody there is unusable", async () => {
  const { code, out, err } = await checked(() => Promise.resolve({ close: () => {} }));
  assertEquals([code, out], [1, "socks5://127.0.0.1:1080"]);
  assertMatch(err[0]!, /^Unusable: .*connection refused/);
});

test("the verdict is by what programs rely on", () => {
  const yes = (name: string): Finding => ({ name: name as Finding["name"], outcome: "yes", detail: "" });
  const no = (name: string, detail = ""): Finding => ({ ...yes(name), outcome: "no", detail });
  assertEquals(judge([yes("socks5"), no("bind"), no("udp"), no("http")], "socks5"), { verdict: "good", faults: [] });
  assertEquals(judge([no("socks5"), yes("http")], "http").verdict, "usable");
  assertEquals(judge([yes("socks5"), no("split"), { ...no("refused"), outcome: "unclear" }], "socks5").faults, [
    "a handshake in pieces fails",
    "a refusal cannot be told from other failures",
  ]);
  assertEquals(judge([no("socks5", "what"), no("http", "why")], "http"), {
    verdict: "unusable",
    faults: ["nothing comes through: why"],
  });
});

test("lines", () => {
  const bind: Finding = { name: "bind", outcome: "unclear", detail: "why" };
  assertEquals(findingLines(bind, undefined), ["", "Reach", "  BIND                        vague  why"]);
  assertEquals(findingLines({ ...bind, name: "udp", detail: "" }, bind), ["  UDP ASSOCIATE               vague"]);
  assertEquals(speedLine({ connect: 12.6 }), "Speed: 13 ms to connect");
  assertEquals(verdictLine({ verdict: "usable", faults: ["a", "b"], findings: [] }), "Usable: a; b");
});

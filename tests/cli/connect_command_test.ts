import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { runConnect } from "../../src/cli/connect.ts";
import { type ConnectArguments, connectCommand } from "../../src/cli/connect_command.ts";
import { NOBODY_READS } from "../../src/cli/standard_streams.ts";
import { readWays } from "../../src/cli/via_settings.ts";
import { NetError } from "../../src/net/errors.ts";
import { targetOf } from "../../src/protocol/address.ts";
import { connectionPair, memory } from "../../src/runtime/memory.ts";
import type { Connection, Duplex } from "../../src/runtime/runtime.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { runWords } from "./_run.ts";
import { FakeTerminal } from "./_terminal.ts";

/** What the command line is read as. */
async function read(words: string): Promise<ConnectArguments> {
  let read: ConnectArguments | undefined;
  const command = connectCommand((given) => {
    read = given;
    return Promise.resolve();
  });
  await command.parseAsync(words.split(" "), { from: "user" });
  return read!;
}

async function mistake(words: string, files = {}, env = {}): Promise<string> {
  const { code, stdout, stderr } = await runWords(`connect ${words}`, files, env);
  assertEquals([code, stdout, stderr[1]], [2, [""], "Flags and examples: socks-server connect --help"]);
  return stderr[0]!;
}

test("a target, and what it is reached through", async () => {
  assertEquals(await read("[2001:DB8::1]:22 --via socks5://a,b --via socks4://c --timeout 5s"), {
    target: targetOf("2001:db8::1", 22),
    via: ["socks5://a,b", "socks4://c"],
    timeout: 5_000,
  });
  assertEquals(await read("example.com:22"), { target: targetOf("example.com", 22), timeout: 30_000 });
});

test("mistakes are told by their flags, without a secret", async () => {
  assertEquals(await mistake("example.com"), 'target: found "example.com", expected HOST:PORT or [IPv6]:PORT');
  assertEquals(await mistake("example.com:0"), 'target: found "example.com:0", expected HOST:PORT or [IPv6]:PORT');
  assertEquals(await mistake("a:1 --timeout 0"), '--timeout: found "0", expected a time such as 10s or 500ms');
  for (const env of [{}, { ALL_PROXY: "" }, { all_proxy: "", ALL_PROXY: "socks5://a" }]) {
    const none = "Found no proxy, expected --via URL, or one in SOCKS_VIA or ALL_PROXY";
    assertEquals(await mistake("a:1", {}, env), none);
  }
  assertStringIncludes(await mistake("a:1 --via ftp://ada:secret@b"), "--via: found another scheme, expected socks4");
  assertStringIncludes(await mistake("a:1", {}, { SOCKS_VIA: "socks5://a,socks9://b" }), "SOCKS_VIA (number 2): found");
  assertStringIncludes(
    await mistake("a:1", {}, { ALL_PROXY: "ftp://ada:secret@b" }),
    "ALL_PROXY: found another scheme",
  );
  assertEquals(await mistake("a:1 --via-file none"), "--via-file: none cannot be read: no such file");
  assertEquals(await mistake("a:1 --via-file f", { f: "# a\n\n" }), "--via-file: found no URL in f, expected one");
  assertEquals(
    await mistake("a:1 --via-file f --via socks5://b", { f: "socks5://a" }),
    "--via-file: found --via as well, expected one of them",
  );
  for (const words of ["a:1 --via socks5://ada:se%cret@b", "a:1 --via-file f"]) {
    assertEquals((await mistake(words, { f: "socks5://ada:se%cret@b\n" })).includes("cret"), false);
  }
});

/** Runs it in memory, with a server at proxy:1080 and a peer behind it; `talk` is at the other end of the streams. */
async function trial(
  given: Partial<ConnectArguments>,
  behind: (connection: Connection & Duplex) => Promise<void>,
  talk: (end: Connection & Duplex) => Promise<void>,
  env: Record<string, string> = {},
  streams?: Duplex,
): Promise<{ code: number; err: readonly string[] }> {
  const runtime = memory();
  const rules = { request: () => undefined };
  const servers = [
    await serve({ listen: "127.0.0.1:1080", rules, runtime }),
    await serve({ listen: "127.0.0.1:1081", rules, runtime }),
  ];
  const listener = await runtime.listen({ address: { ip: "127.0.0.2", port: 7 } });
  const accepted = (async () => {
    for await (const connection of listener) await behind(duplexOf(connection));
  })();
  const [ours, theirs] = connectionPair();
  const terminal = new FakeTerminal({}, undefined, env);
  try {
    const ran = runConnect({ target: targetOf("127.0.0.2", 7), timeout: 600_000, ...given }, terminal, {
      runtime: () => Promise.resolve(runtime),
      streams: () => streams ?? duplexOf(ours),
    }).finally(() => ours.close());
    await Promise.all([ran, talk(duplexOf(theirs))]);
    return { code: await ran, err: terminal.stderr };
  } finally {
    listener.close();
    await accepted;
    await Promise.all(servers.map((server) => server.close()));
  }
}

const via = ["socks5h://127.0.0.1:1080"];
const bytes = (text: string) => new TextEncoder().encode(text);

async function rest(end: Duplex): Promise<string> {
  let text = "";
  for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) text += new TextDecoder().decode(chunk);
  return text;
}

/** Answers after the end of what came. */
async function answer(connection: Connection & Duplex): Promise<void> {
  const came = await rest(connection);
  await connection.write(bytes(`got ${came}`));
  connection.closeWrite();
}

test("both ends pass: that of standard input first, or that of the target", async () => {
  for (const proxies of [{ via }, { via: [...via, "socks4://127.0.0.1:1081"] }]) {
    let heard = "";
    const talked = await trial(proxies, answer, async (end) => {
      await end.write(bytes("hello"));
      end.closeWrite();
      heard = await rest(end);
    });
    assertEquals([talked, heard], [{ code: 0, err: [] }, "got hello"]);
  }
  const seen: string[] = [];
  const talked = await trial({ via }, async (connection) => {
    await connection.write(bytes("bye"));
    connection.closeWrite();
    seen.push(await rest(connection));
  }, async (end) => {
    seen.push(await rest(end));
    await end.write(bytes("and you"));
    end.closeWrite();
  });
  assertEquals([talked, seen], [{ code: 0, err: [] }, ["bye", "and you"]]);
});

test("a refusal is told with its place and its reply", async () => {
  const { code, err } = await trial({ via, target: targetOf("127.0.0.2", 8) }, answer, () => Promise.resolve());
  assertEquals([code, err], [1, [
    'Cannot go through proxy 1, "socks5h://127.0.0.1:1080" (reply): connection refused (reply 5)',
  ]]);
});

test("a reader who leaves is nothing to tell", async () => {
  let leave = (_end: null): void => {};
  const left = new Promise<null>((resolve) => leave = resolve);
  const streams: Duplex = {
    read: () => left,
    write: () => Promise.reject(new NetError("closed", NOBODY_READS)),
    closeWrite: () => {},
    close: () => leave(null),
  };
  let reset: unknown;
  const behind = async (connection: Connection & Duplex): Promise<void> => {
    await connection.write(bytes("hello"));
    await connection.read().catch((error) => reset = error);
  };
  assertEquals(await trial({ via }, behind, () => Promise.resolve(), {}, streams), { code: 1, err: [] });
  assertEquals((reset as NetError).code, "reset");
});

test("NO_PROXY is gone to directly", async () => {
  let heard = "";
  const env = { ALL_PROXY: "socks5h://127.0.0.9:1", NO_PROXY: "127.0.0.0/8" };
  const talked = await trial({}, answer, async (end) => {
    end.closeWrite();
    heard = await rest(end);
  }, env);
  assertEquals([talked, heard], [{ code: 0, err: [] }, "got "]);
});

test("settings name ways out, with their logins and authorities", async () => {
  const settings = `
upstreams:
  - { name: near, proxy: "socks5h://127.0.0.1:1082" }
  - { name: both, proxy: ["socks5://127.0.0.1:1082", "socks4://127.0.0.1:1083"] }
  - { name: apart, proxy: "socks5h+tls://ada:lovelace@a", isolate: { user: "ada-{user}-{session}" }, authorities: [ca] }
  - { name: any, group: [near, both] }
via: both
`;
  const authority = "-----BEGIN CERTIFICATE-----\n";
  const files = { "a.yaml": settings, ca: authority, "b.yaml": "via: direct" };
  const terminal = new FakeTerminal(files);
  const near = { scheme: "socks5h", host: "127.0.0.1", port: 1082 } as const;
  assertEquals(await readWays({ config: "a.yaml", via: ["near"] }, terminal), { proxies: [near] });
  assertEquals(await readWays({ config: "a.yaml" }, terminal), {
    proxies: [{ ...near, scheme: "socks5" }, { ...near, scheme: "socks4", port: 1083 }],
  });
  const { proxies, authorities } = (await readWays({ config: "a.yaml", via: ["near", "apart"] }, terminal))!;
  assertEquals([proxies[0], proxies[1]?.password, authorities], [near, "lovelace", [authority]]);
  assertMatch(`${proxies[1]?.user}`, /^ada-anonymous-[\da-f]{16}$/);
  assertEquals(await readWays({ config: "b.yaml" }, terminal), { proxies: [] });
  assertEquals(await mistake("a:1 --config a.yaml --via nera", files), '--via: found "nera", did you mean near?');
  assertEquals(
    await mistake("a:1 --config a.yaml --via any", files),
    '--via: found the group "any", expected a way with proxies',
  );
  assertEquals(
    await mistake("a:1 --config a.yaml --via block", files),
    '--via: found "block", expected a way that leads somewhere',
  );
});

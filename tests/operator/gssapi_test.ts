import { assert, assertEquals, assertMatch } from "@std/assert";
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../clients/_process.ts";
import { eventually, Target, Udp } from "../conformance/_client.ts";
import { repository, type RuntimeUnderTest, runToExit } from "../conformance/_server.ts";
import { suite } from "../conformance/_suite.ts";
import { Kdc, noKerberos, PYTHON, type RealmEnvironment } from "./_kdc.ts";
import { Operated, type Settings } from "./_operated.ts";

const CLIENT = join(dirname(fileURLToPath(import.meta.url)), "gssapi_client.py");
const MIB = 1024 * 1024;

/** How long a client may take, in milliseconds: what takes longer hangs. */
const PATIENCE = 140_000;

/** What the client saw. */
type Seen = Readonly<Record<string, unknown>>;

let kdc: Kdc;
let other: Kdc;
let alice: RealmEnvironment;

if (noKerberos === undefined) {
  before(async () => {
    kdc = await Kdc.start();
    other = await Kdc.start("OTHER.LOCAL");
    alice = await kdc.ticket();
  });
  after(async () => {
    await kdc[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });
}

/** Runs the client of others. */
async function client(env: RealmEnvironment, what: string, port: number, ...more: (string | number)[]): Promise<Seen> {
  const command = [PYTHON, CLIENT, what, `${port}`, ...more.map(String)];
  const { code, stdout, stderr } = await run(command, { signal: AbortSignal.timeout(PATIENCE), env });
  if (code !== 0) throw new Error(`The client ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Seen;
}

/** A server of the realm. */
function operated(
  of: { readonly runtime: RuntimeUnderTest; readonly folder: string },
  gssapi: Settings = {},
  settings: Settings = {},
  env: RealmEnvironment = kdc.env,
): Promise<Operated> {
  const auth = {
    gssapi: { keytab: kdc.keytab, users: { "*@TEST.LOCAL": "*" }, ...gssapi },
    ...settings.auth as object,
  };
  return Operated.start(of, { ...settings, auth }, { env });
}

suite("GSSAPI", ({ bare }) => {
  const options = { skip: noKerberos, deadlineMs: 300_000 };

  for (const level of [1, 2]) {
    bare(`64 MiB go there and back at level ${level}, and both ends half-close`, async (of) => {
      using echo = await Target.echo();
      await using it = await operated(of);
      const { seconds, ...seen } = await client(alice, "bulk", it.place.port, level, echo.port, 64 * MIB);
      assertEquals(seen, { level, reply: 0, count: 64 * MIB, same: true });
      assert(typeof seconds === "number");
      const session = await it.entry("the session", ({ event }) => event === "session");
      const { end, user, sent, received } = session as typeof session & { sent: number; received: number };
      assertEquals([end, user, sent, received], ["finished", "alice", 64 * MIB, 64 * MIB]);
    }, options);

    bare(`datagrams and BIND at level ${level}`, async (of) => {
      using udp = await Udp.echo();
      await using it = await operated(of);
      const seen = await client(alice, "udp", it.place.port, level, udp.port);
      // What is in the clear, changed or sent twice is dropped; what comes in another order is not.
      assertEquals(seen, { came: ["big".repeat(400), "one", "three", "two"] });
      assertEquals(await client(alice, "bind", it.place.port, level), {
        replies: [0, 0],
        came: "from the peer",
        went: "to the peer",
        rest: "",
      });
    }, options);
  }

  bare("what was tampered with ends the session, and the target sees a reset", async (of) => {
    await using it = await operated(of);
    for (const how of ["tampered", "replayed", "missing", "oversized", "clear", "garbage", "truncated", "vanished"]) {
      let ending: string | undefined;
      using echo = await Target.listen({
        handle: async (wire) => {
          for (let data = await wire.readSome(PATIENCE); data.length > 0; data = await wire.readSome(PATIENCE)) {
            await wire.send(data);
          }
          ending = wire.ending;
        },
      });
      const seen = await client(alice, "broken", it.place.port, how, echo.port);
      assertEquals(seen.echo, "good", how);
      if (how !== "vanished") assertEquals(seen.ending, "reset", how);
      const entry = await it.entry(how, ({ event, targetPort }) => event === "session" && targetPort === echo.port);
      assert(entry.end !== "finished", `${how}: ${entry.end}`);
      if (how === "replayed") assertMatch(entry.reason!, /second time/);
      if (how === "missing") assertMatch(entry.reason!, /out of its order/);
      if (how === "clear") assertMatch(entry.reason!, /in the clear/);
      assertEquals(await eventually(`the end of ${how}`, () => ending), "reset", how);
    }
    assertEquals((await client(alice, "login", it.place.port, 2)).level, 2);
  }, options);

  bare("what is no token gets 01 FF and no more, and the next client is served", async (of) => {
    await using it = await operated(of);
    const { port } = it.place;
    for (const token of ["0101000401020304", "01010000", "0103000401020304", "0102000102", "0501000141", "oversized"]) {
      assertEquals(await client(alice, "token", port, token), { answer: "01ff" }, token);
    }
    for (const token of ["0101", "01010100", "01"]) {
      assertEquals(await client(alice, "token", port, token), { answer: "" }, token);
    }
    assertEquals(await client(alice, "login", port, 1), { level: 1 });
  }, options);

  bare("a first token counts once, and those of many clients are taken one after the other", async (of) => {
    await using it = await operated(of);
    assertEquals(await client(alice, "twice", it.place.port), { answers: ["0101", "01ff"] });
    await it.entry("the replay", ({ reason }) => /^Cannot log in by GSSAPI: .*replay/i.test(reason ?? ""));
    assertEquals(await client(alice, "crowd", it.place.port, 60), { levels: new Array(60).fill(2) });
  }, options);

  bare("another realm, another service and a principal that is no user are refused", async (of) => {
    await using it = await operated(of, { users: { "alice@TEST.LOCAL": { name: "al", groups: ["staff"] } } });
    const { port } = it.place;
    const stranger = await other.ticket();
    const bob = await kdc.ticket("bob/admin");
    const refusal = (reason: RegExp) => it.entry(`${reason}`, (entry) => reason.test(entry.reason ?? ""));
    assertEquals(await client(stranger, "login", port, 2), { error: "Aborted" });
    await refusal(/^Cannot log in by GSSAPI: .*The ticket isn't for us$/);
    assertEquals(await client(alice, "login", port, 2, "service=other@localhost"), { error: "Aborted" });
    assertEquals(await client(bob, "login", port, 2), { error: "Aborted" });
    await refusal(/^Cannot log in as "bob\/admin@TEST.LOCAL": no such user$/);
    assertEquals(await client(alice, "login", port, 2, "flags=few"), { error: "Aborted" });
    await refusal(/^Cannot protect what "alice@TEST.LOCAL" sends: /);
    assertEquals(await client(alice, "login", port, 2), { level: 2 });
  }, options);

  bare("a stale token is refused, whether its ticket is over or not", async (of) => {
    await using it = await operated(of, {}, {}, kdc.strictEnv);
    const stale = (...ticket: string[]) => client(alice, "login", it.place.port, 2, "hold=8", ...ticket);
    const seen = await Promise.all([stale("lasts=5s", `users=${kdc.file("users.keytab")}`), stale()]);
    assertEquals(seen, [{ error: "Aborted" }, { error: "Aborted" }]);
    await eventually("both refusals", () => {
      return it.entries().filter(({ reason }) => /expired|Clock skew/i.test(reason ?? "")).length === 2;
    });
  }, options);

  bare("the level is the operator's, and so are curl's and NEC's ways", async (of) => {
    using echo = await Target.echo();
    const level = async (gssapi: Settings, wanted: number, ...more: string[]) => {
      await using it = await operated(of, gssapi);
      const seen = await client(alice, "login", it.place.port, wanted, `target=${echo.port}`, ...more);
      if (seen.error === undefined) assertEquals([seen.reply, seen.echo], [0, "hello"]);
      return seen.level ?? seen.error;
    };
    assertEquals(await level({}, 0), 2);
    assertEquals(await level({}, 3), 2);
    assertEquals(await level({ levels: ["integrity"] }, 2), 1);
    assertEquals(await level({ curl: true }, 0), 0);
    assertEquals(await level({ curl: true }, 2), 2);
    assertEquals(await level({ curl: true, levels: [] }, 2), 0);
    assertEquals(await level({}, 1, "nec=1"), "Aborted");
    assertEquals(await level({ nec: true }, 1, "nec=1"), 1);
    assertEquals(await level({ nec: true }, 1), 1);
  }, options);

  bare("what rules and limits say of users holds, and other clients need a password", async (of) => {
    using echo = await Target.echo();
    const users = { "alice@TEST.LOCAL": { name: "al", groups: ["staff"] }, "bob/admin@TEST.LOCAL": "bob" };
    const rules = [{ name: "staff", action: "allow", groups: ["staff"] }];
    await using it = await operated(of, { users }, { rules, otherwise: "deny" });
    const { port } = it.place;
    assertEquals((await client(alice, "login", port, 2, `target=${echo.port}`)).reply, 0);
    const entry = await it.entry("the session", ({ user }) => user === "al");
    assertEquals(entry.rule, "staff");
    const bob = await kdc.ticket("bob/admin");
    const seen = await client(bob, "login", port, 2, `target=${echo.port}`);
    assertEquals(seen, { level: 2, reply: 2, ending: "fin" });
    await it.entry("bob's session", ({ user }) => user === "bob");
    const curl = await run(["curl", "-sS", "-x", `socks4://127.0.0.1:${port}`, `http://127.0.0.1:${echo.port}/`], {
      signal: AbortSignal.timeout(PATIENCE),
    });
    assertEquals(curl.code, 97);
  }, options);

  bare("logins leave nothing behind", async (of) => {
    using echo = await Target.echo();
    await using it = await operated(of, {}, { logLevel: "warning" });
    // A context alone is 5 KiB and more: what stays grows with each round. The engine's garbage and heap do so for some.
    const logins = 300, leak = logins * 5;
    const grown: number[] = [];
    for (let before = it.server.rssKiB(); grown.length === 0 || grown.at(-1)! >= leak;) {
      assert(grown.length < 20, `It grew by ${grown.join(", ")} KiB`);
      await client(alice, "logins", it.place.port, logins, echo.port);
      const now = it.server.rssKiB();
      grown.push(now - before);
      before = now;
    }
  }, options);

  bare("what is missing is one line at the start", async (of) => {
    const start = async (gssapi: Settings, env: RealmEnvironment = kdc.env, runtime = of.runtime) => {
      const path = join(of.folder, "missing.json");
      writeFileSync(path, JSON.stringify({ listen: ["127.0.0.1:0"], auth: { gssapi } }), { mode: 0o600 });
      const { code, output } = await runToExit(runtime, ["--config", path], { env });
      return `${code} ${output.trim()}`;
    };
    const missing = kdc.file(`${of.runtime.name}-missing.keytab`);
    assertMatch(
      await start({ keytab: missing }),
      /^2 .*missing\.json:\d+:\d+: auth\.gssapi\.keytab: .*missing\.keytab cannot be read: no such file\n/,
    );
    copyFileSync(kdc.file("krb5.conf"), missing);
    assertMatch(await start({ keytab: missing }), /^1 Cannot use the keytab ".*" \(auth\.gssapi\.keytab\): [^\n]*$/);
    assertMatch(
      await start({ keytab: kdc.keytab, service: "http" }),
      /^1 Cannot use the keytab ".*" \(auth\.gssapi\.keytab\): .*No key table entry found matching http/,
    );
    if (of.runtime.name === "deno") {
      const command = of.runtime.command.flatMap((word) => word === "-A" ? ["-A", "--deny-ffi"] : [word]);
      assertEquals(
        await start({ keytab: kdc.keytab }, kdc.env, { ...of.runtime, command }),
        "1 Cannot use GSSAPI: Deno does not allow it, start it with --allow-ffi",
      );
    }
    assertMatch(await start({ keytab: kdc.keytab, levels: ["none"] }), /^2 .*auth\.gssapi\.levels\[0\]: found "none"/);
  }, options);

  bare("a reload asks again about users that GSSAPI named", async (of) => {
    let heard = "";
    using echo = await Target.listen({
      handle: async (wire) => {
        for (let data = await wire.readSome(PATIENCE); data.length > 0; data = await wire.readSome(PATIENCE)) {
          heard += new TextDecoder().decode(data);
          await wire.send(data);
        }
      },
    });
    const settings = (users: Settings) => ({ reload: "recheck", auth: { gssapi: { keytab: kdc.keytab, users } } });
    await using it = await Operated.start(of, settings({ "*@TEST.LOCAL": "*" }), { env: kdc.env });
    const staying = client(alice, "stay", it.place.port, echo.port);
    await eventually("the client's bytes", () => heard === "here, and staying");
    await it.reload(settings({ "alice@TEST.LOCAL": { name: "alice", groups: ["staff"] }, "bob@TEST.LOCAL": "bob" }));
    assertEquals((await client(alice, "login", it.place.port, 2)).level, 2);
    await it.reload(settings({ "bob@TEST.LOCAL": "bob" }));
    assertEquals((await staying).reply, 0);
    const entry = await it.entry("the session", ({ end }) => end === "revoked");
    assertEquals([entry.user, entry.reason], ["alice", "Not allowed any more: there is no such user any more"]);
    assertEquals(await client(alice, "login", it.place.port, 2), { error: "Aborted" });
  }, options);

  bare("our client carries bytes, datagrams and a peer", async (of) => {
    using echo = await Target.echo();
    using udp = await Udp.echo();
    await using it = await operated(of);
    const peer = join(dirname(CLIENT), "_gssapi_peer.ts");
    const proxy = `socks5+gssapi://localhost:${it.place.port}`;
    const command = [process.execPath, "run", "-A", "--no-check", peer, proxy];
    const { stdout, stderr } = await run([...command, `127.0.0.1:${echo.port}`, `127.0.0.1:${udp.port}`], {
      signal: AbortSignal.timeout(PATIENCE),
      env: alice,
      cwd: repository,
    });
    assertEquals(stdout.trim(), '{"same":true,"datagrams":["one","three","two"],"bind":"hello"}', stderr);
  }, options);

  bare("our client goes there and back with the tickets that the system has", async (of) => {
    using echo = await Target.echo();
    await using it = await operated(of);
    const target = `127.0.0.1:${echo.port}`;
    const through = async (env: RealmEnvironment, host = "localhost") => {
      const proxy = `socks5+gssapi://${host}:${it.place.port}`;
      const command = [...of.runtime.command, "connect", target, "--via", proxy];
      return await run(command, { signal: AbortSignal.timeout(PATIENCE), env, input: "hello", cwd: repository });
    };
    const { code, stdout, stderr } = await through(alice);
    assertEquals([code, stdout, stderr], [0, "hello", ""]);
    const short = await kdc.ticket("alice", "-l", "1s");
    // Its end is at most as late as this, in whole seconds.
    const end = Date.now() + 3_000;
    await eventually("the end of the ticket", () => Date.now() > end);
    const expired = await through(short);
    assert(expired.code !== 0);
    assertMatch(expired.stderr, /\(authentication\): .*expired/i);
    const without = await through({ ...kdc.env });
    assert(without.code !== 0);
    assertMatch(without.stderr, /\(authentication\): No credentials were supplied, .*: Matching credential not found/);
  }, options);
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytes, hex, type Part, Target, type To, Wire } from "./_client.ts";
import { repository, startServer } from "./_server.ts";
import { assertEnds, assertServes, CONNECT, negotiated, password, readReply, request5 } from "./_socks.ts";
import { suite } from "./_suite.ts";

/** Its logins fail more often than the server would stand for from one address. */
const UNGUARDED = join(repository, "tests/conformance/unguarded.json");
const USERS = ["--config", UNGUARDED, "--user", "alice:secret", "--user", "bob:pass:with:colons"];

/** Sends a greeting with these methods and gives the answer. */
async function greet(to: To, ...methods: number[]): Promise<{ wire: Wire; answer: string }> {
  const wire = await Wire.connect(to);
  await wire.send(5, methods.length, methods);
  return { wire, answer: hex(await wire.read(2)) };
}

/** Logs in and gives the two bytes of the answer. */
async function logIn(to: To, user: Part, secret: Part): Promise<{ wire: Wire; answer: Uint8Array }> {
  const { wire, answer } = await greet(to, 2);
  assertEquals(answer, "05 02");
  await wire.write(password(user, secret));
  return { wire, answer: await wire.read(2) };
}

async function assertLogsIn(to: To, user: Part, secret: Part): Promise<void> {
  const { wire, answer } = await logIn(to, user, secret);
  wire.close();
  assertEquals(hex(answer), "01 00");
}

async function assertRefused(to: To, user: Part, secret: Part): Promise<void> {
  const { wire, answer } = await logIn(to, user, secret);
  assertEquals(answer[0], 1);
  assert(answer[1] !== 0, "a refusal has a status that is not zero");
  await assertEnds(wire);
}

suite("methods", ({ test, bare }) => {
  test("no authentication is chosen among many methods when there are no users", async ({ server }) => {
    for (const methods of [[0], [0, 2], [2, 0], [1, 2, 3, 0x80, 0], [0, 0, 0]]) {
      const { wire, answer } = await greet(server, ...methods);
      wire.close();
      assertEquals(answer, "05 00", `methods ${methods}`);
    }
  });

  test("255 methods are read whole", async ({ server }) => {
    using target = await Target.echo();
    using wire = await Wire.connect(server);
    const methods = Array.from({ length: 255 }, (_, i) => 254 - i);
    await wire.send(5, 255, methods, request5(CONNECT, "127.0.0.1", target.port), "x");
    assertEquals(hex(await wire.read(2)), "05 00");
    assertEquals((await readReply(wire)).code, 0);
    assertEquals(hex(await wire.read(1)), "78");
  });

  test("a method that was not offered is never chosen: exactly 05 FF and a close", async ({ server }) => {
    for (const methods of [[2], [1], [3], [0x7f], [0x80, 0xfe], [0xff]]) {
      const { wire, answer } = await greet(server, ...methods);
      assertEquals(answer, "05 ff", `methods ${methods}`);
      await assertEnds(wire);
    }
  });

  test("what follows 05 FF is not listened to", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    await wire.send(5, 1, 9, request5(CONNECT, "127.0.0.1", target.port));
    const { data } = await wire.readToEnd();
    assertEquals(hex(data), "05 ff");
    assertEquals(target.accepted, 0);
  });

  test("a greeting without methods gets 05 FF or a close", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.send(5, 0);
    const { data } = await wire.readToEnd();
    assert(["", "05 ff"].includes(hex(data)), hex(data));
  });

  test("with users, no authentication is never chosen", async ({ server }) => {
    const only = await greet(server, 0);
    assertEquals(only.answer, "05 ff");
    await assertEnds(only.wire);
    for (const methods of [[0, 2], [2, 0], [0, 0, 2]]) {
      const { wire, answer } = await greet(server, ...methods);
      wire.close();
      assertEquals(answer, "05 02");
    }
  }, { args: USERS });

  test("a user with the right password is let in and served", async ({ server }) => {
    using target = await Target.echo();
    await assertServes(server, target, { user: ["alice", "secret"] });
  }, { args: USERS });

  test("the first colon splits a user from a password that holds colons", async ({ server }) => {
    await assertLogsIn(server, "bob", "pass:with:colons");
    await assertRefused(server, "bob:pass", "with:colons");
    await assertRefused(server, "bob", "pass");
  }, { args: USERS });

  test("a wrong password, a wrong user and another's password are refused and closed", async ({ server }) => {
    await assertRefused(server, "alice", "Secret");
    await assertRefused(server, "alice", "secret ");
    await assertRefused(server, "alice", "secre");
    await assertRefused(server, "mallory", "secret");
    await assertRefused(server, "bob", "secret");
    await assertRefused(server, "alice", "secret\0");
    await assertRefused(server, "alice\0", "secret");
  }, { args: USERS });

  test("empty fields are allowed on the wire and match nobody who is not so called", async ({ server }) => {
    await assertRefused(server, "", "");
    await assertRefused(server, "alice", "");
    await assertRefused(server, "", "secret");
  }, { args: USERS });

  test("fields of 255 bytes and bytes that are not UTF-8 are refused like any other", async ({ server }) => {
    await assertRefused(server, "a".repeat(255), "b".repeat(255));
    await assertRefused(server, new Uint8Array(255).fill(0xff), new Uint8Array(255).fill(0xfe));
    await assertRefused(server, "__proto__", "constructor");
    await assertRefused(server, "toString", "toString");
  }, { args: USERS });

  test("a request behind a refused login is not carried out", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    await wire.send(5, 1, 2, password("alice", "wrong"), request5(CONNECT, "127.0.0.1", target.port));
    const { data } = await wire.readToEnd();
    assertEquals(hex(data.subarray(0, 3)), "05 02 01");
    assertEquals([data.length, data[3] !== 0, target.accepted], [4, true, 0]);
  }, { args: USERS });

  test("a login whose version is not 01 does not get in", async ({ server }) => {
    for (const version of [0, 2, 5]) {
      const { wire } = await greet(server, 2);
      await wire.send(version, 5, "alice", 6, "secret");
      const { data } = await wire.readToEnd();
      assert(data.length === 0 || (data.length === 2 && data[0] === 1 && data[1] !== 0), hex(data));
    }
  }, { args: USERS });

  test("SOCKS4 is refused with 91 while passwords are required, whatever the user id", async ({ server }) => {
    for (const user of ["", "alice", "alice:secret"]) {
      using wire = await Wire.connect(server);
      await wire.send(4, 1, [0, 9], [127, 0, 0, 1], user, 0);
      const answer = await wire.read(8);
      assertEquals([answer[0], answer[1]], [0, 91]);
      await assertEnds(wire);
    }
  }, { args: USERS });

  test("neither passwords nor raw control characters reach the log", async ({ server }) => {
    const before = server.output().length;
    await assertRefused(server, "mallory", "pa55-of-mallory");
    await assertRefused(server, "evil\n\x1b[31mname", "pa55-of-mallory");
    await assertLogsIn(server, "alice", "secret");
    // A later session's line: what came before it has been written by then.
    using target = await Target.echo();
    await assertServes(server, target, { user: ["bob", "pass:with:colons"] });
    await server.waitForOutput(new RegExp(`:${target.port}\\b`), { since: before });
    const log = server.output();
    for (const secret of ["pa55-of-mallory", "secret", "pass:with:colons"]) {
      assert(!log.includes(secret), `the log holds a password:\n${log}`);
    }
    assert(!log.includes("\x1b"), "the log holds an escape character");
    assert(!/^\s*.?\[31mname/m.test(log), "a client began a line of the log");
  }, { args: [...USERS, "--log-level", "debug"] });

  bare(
    "a config file's users may have colons, empty passwords, 255 bytes and any script",
    async ({ runtime, folder }) => {
      const file = join(folder, "users.json");
      const long = "u".repeat(255), longWord = "é".repeat(127) + "x";
      writeFileSync(
        file,
        JSON.stringify({
          listen: ["127.0.0.1:0"],
          users: [
            { name: "colon:name", password: "pass:word" },
            { name: "empty", password: "" },
            { name: long, password: longWord },
            { name: "köln", password: "пароль" },
          ],
        }),
      );
      await using server = await startServer(runtime, ["--config", file], { listen: false });
      await assertLogsIn(server, "colon:name", "pass:word");
      await assertRefused(server, "colon", "name:pass:word");
      await assertLogsIn(server, "empty", "");
      await assertRefused(server, "empty", "x");
      await assertLogsIn(server, long, longWord);
      await assertRefused(server, long, longWord.slice(0, -1) + "y");
      await assertRefused(server, long.slice(1), longWord);
      await assertLogsIn(server, "köln", "пароль");
      await assertRefused(server, "koln", "пароль");
    },
  );

  test("a login of a client that waits in between is not a new connection's business", async ({ server }) => {
    // Two logins interleaved byte by byte: state belongs to its connection.
    const [one, two] = [(await greet(server, 2)).wire, (await greet(server, 2)).wire];
    using _one = one;
    using _two = two;
    const [right, wrong] = [password("alice", "secret"), password("alice", "secres")];
    for (let i = 0; i < right.length; i++) {
      await one.write(bytes(right[i]!));
      await two.write(bytes(wrong[i]!));
    }
    assertEquals(hex(await one.read(2)), "01 00");
    assert((await two.read(2))[1] !== 0);
  }, { args: USERS });

  test("a session's log line names the user", async ({ server }) => {
    using target = await Target.echo();
    const before = server.output().length;
    await assertServes(server, target, { user: ["alice", "secret"] });
    const line = await server.waitForOutput(new RegExp(`.*:${target.port}\\b.*`), { since: before });
    assertStringIncludes(line, "alice");
  }, { args: USERS });

  test("a client that negotiates and then says nothing does not hold up others", async ({ server }) => {
    using target = await Target.echo();
    using _idle = await negotiated(server, { user: ["alice", "secret"] });
    await assertServes(server, target, { user: ["alice", "secret"] });
  }, { args: USERS });
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytes, closedPort, eventually, hex, PATIENCE, Target, type To, Wire, within } from "./_client.ts";
import { type RuntimeUnderTest, runToExit, startServer } from "./_server.ts";
import {
  asked,
  assertEnds,
  assertServes,
  ASSOCIATE,
  BIND,
  GREETING,
  negotiated,
  readReply,
  request5,
  tunnel,
} from "./_socks.ts";
import { suite } from "./_suite.ts";

/** Whether a connection there is refused. */
async function isRefused(to: To): Promise<boolean> {
  try {
    (await Wire.connect(to)).close();
    return false;
  } catch {
    return true;
  }
}

/** Runs the server with arguments that it must not accept. */
async function assertMistake(runtime: RuntimeUnderTest, args: string[], ...words: (string | RegExp)[]): Promise<void> {
  const { code, output } = await runToExit(runtime, args);
  assertEquals(code, 2, `${args.join(" ")}\n${output}`);
  for (const word of words) {
    if (typeof word === "string") assertStringIncludes(output, word);
    else assertMatch(output, word);
  }
  assert(!/^\s+at /m.test(output), `a stack trace:\n${output}`);
}

suite("listening", ({ bare, test }) => {
  bare("an IPv6 listener serves", async ({ runtime }) => {
    using echo = await Target.echo();
    await using server = await startServer(runtime, ["--listen", "[::1]:0"]);
    assertEquals(server.host, "::1");
    await assertServes(server, echo);
  });

  bare("a UNIX socket listener serves, and its path is gone after SIGTERM", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "server.sock");
    await using server = await startServer(runtime, ["--listen", `unix:${path}`]);
    const to = { host: "", port: 0, path };
    assertEquals(server.addresses[0]?.path, path);
    await assertServes(to, echo);
    assertEquals(await server.stop("SIGTERM"), 0);
    assert(!existsSync(path), "the path is still there");
  });

  bare("a UNIX socket that a killed server left behind is taken over", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "stale.sock");
    const first = await startServer(runtime, ["--listen", `unix:${path}`]);
    await first.stop("SIGKILL");
    assert(existsSync(path), "the killed server tidied up?");
    await using _second = await startServer(runtime, ["--listen", `unix:${path}`]);
    await assertServes({ host: "", port: 0, path }, echo);
  });

  bare("a UNIX socket that a server serves is not taken from it", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "taken.sock");
    await using _first = await startServer(runtime, ["--listen", `unix:${path}`]);
    const { code, output } = await runToExit(runtime, ["--listen", `unix:${path}`]);
    assertEquals(code, 1, output);
    assertStringIncludes(output, path);
    await assertServes({ host: "", port: 0, path }, echo);
  });

  bare("a file that is no socket is not overwritten", async ({ runtime, folder }) => {
    const path = join(folder, "precious.txt");
    writeFileSync(path, "precious");
    const { code, output } = await runToExit(runtime, ["--listen", `unix:${path}`]);
    assertEquals(code, 1, output);
    assert(existsSync(path));
  });

  bare("UDP and BIND over a UNIX socket are granted or refused, never left unanswered", async ({ runtime, folder }) => {
    const path = join(folder, "commands.sock");
    await using _server = await startServer(runtime, ["--listen", `unix:${path}`]);
    for (const command of [BIND, ASSOCIATE]) {
      const { wire } = await asked({ host: "", port: 0, path }, command, "0.0.0.0", 0);
      wire.close();
    }
  });

  bare("several listeners serve side by side", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "several.sock");
    const args = ["127.0.0.1:0", "[::1]:0", `unix:${path}`, "127.0.0.2:0"].flatMap((at) => ["--listen", at]);
    await using server = await startServer(runtime, args);
    assertEquals(server.addresses.length, 4);
    for (const address of server.addresses) await assertServes(address, echo);
    // A CONNECT to any of them would loop.
    const { reply } = await asked(
      server,
      1,
      "127.0.0.2",
      server.addresses.find(({ host }) => host === "127.0.0.2")!.port,
    );
    assertEquals(reply.code, 2);
  });

  bare("behind a wildcard listener, none of the machine's addresses leads back to it", async ({ runtime }) => {
    await using server = await startServer(runtime, ["--listen", "0.0.0.0:0", "--open"]);
    for (const host of ["127.0.0.1", "127.0.0.77"]) {
      const { wire, reply } = await asked({ host: "127.0.0.1", port: server.port }, 1, host, server.port);
      wire.close();
      assertEquals(reply.code, 2, host);
    }
  });

  bare("a port in use ends it with 1 and a sentence that names it", async ({ runtime }) => {
    using taken = await Target.listen();
    const { code, output } = await runToExit(runtime, ["--listen", `127.0.0.1:${taken.port}`]);
    assertEquals(code, 1, output);
    assertStringIncludes(output, `127.0.0.1:${taken.port}`);
    assertMatch(output, /in use/i);
    assert(!/^\s+at /m.test(output), `a stack trace:\n${output}`);
  });

  bare("an address that is not this machine's ends it with 1", async ({ runtime }) => {
    const { code, output } = await runToExit(runtime, ["--listen", "192.0.2.99:0", "--open"]);
    assertEquals(code, 1, output);
    assertStringIncludes(output, "192.0.2.99");
  });

  bare("of several listeners, one that fails ends them all", async ({ runtime }) => {
    using taken = await Target.listen();
    const { code } = await runToExit(runtime, ["--listen", "127.0.0.1:0", "--listen", `127.0.0.1:${taken.port}`]);
    assertEquals(code, 1);
  });

  bare("a wider listener without users is refused with 2, and says what would help", async ({ runtime }) => {
    for (const address of ["0.0.0.0:0", "[::]:0", "192.0.2.99:0"]) {
      await assertMistake(runtime, ["--listen", address], "--open", "--user");
    }
    await assertMistake(runtime, ["--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0"], "--open");
  });

  bare("a wider listener with users, or with --open, serves", async ({ runtime }) => {
    using echo = await Target.echo();
    await using closed = await startServer(runtime, ["--listen", "0.0.0.0:0", "--user", "alice:secret"]);
    await assertServes({ host: "127.0.0.1", port: closed.port }, echo, { user: ["alice", "secret"] });
    using stranger = await Wire.connect({ host: "127.0.0.1", port: closed.port });
    await stranger.write(GREETING);
    assertEquals(hex(await stranger.read(2)), "05 ff");
    await using open = await startServer(runtime, ["--listen", "[::]:0", "--open"]);
    await assertServes({ host: "::1", port: open.port }, echo);
    await assertServes({ host: "127.0.0.1", port: open.port }, echo);
  });

  bare("mistakes in the flags name the flag and end it with 2", async ({ runtime }) => {
    await assertMistake(runtime, ["--listen", "127.0.0.1:99999"], "--listen");
    await assertMistake(runtime, ["--listen", "nonsense"], "--listen");
    await assertMistake(runtime, ["--user", "nocolon"], "--user");
    await assertMistake(runtime, ["--idle-timeout", "soon"], "--idle-timeout");
    await assertMistake(runtime, ["--udp-ports", "9-1"], "--udp-ports");
    await assertMistake(runtime, ["--advertise", "not-an-address"], "--advertise");
    await assertMistake(runtime, ["--log-level", "loud"], "--log-level");
    await assertMistake(runtime, ["--no-such-flag"], "--no-such-flag");
    await assertMistake(runtime, ["--config", "/nonexistent/config.json"], "/nonexistent/config.json");
  }, { deadlineMs: 600_000 });

  bare("mistakes in a config file name the path in it and end it with 2", async ({ runtime, folder }) => {
    const file = join(folder, "wrong.json");
    for (
      const [content, word] of [
        ["{", "wrong.json"],
        ['{ "listen": 5 }', "listen"],
        ['{ "users": [{ "name": "alice" }] }', /users[.[]?0?.*password/],
        ['{ "idleTimeout": "soon" }', "idleTimeout"],
        ['{ "noSuchThing": 1 }', "noSuchThing"],
      ] as const
    ) {
      writeFileSync(file, content);
      await assertMistake(runtime, ["--config", file], word);
    }
  }, { deadlineMs: 600_000 });

  bare("--help and --version end it with 0", async ({ runtime }) => {
    const help = await runToExit(runtime, ["--help"]);
    assertEquals(help.code, 0);
    for (const flag of ["--listen", "--user", "--open", "--config"]) assertStringIncludes(help.output, flag);
    const version = await runToExit(runtime, ["--version"]);
    assertEquals(version.code, 0);
    assertMatch(version.output, /\d+\.\d+\.\d+/);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    bare(`${signal} stops listening, lets sessions finish, and ends with 0`, async ({ runtime }) => {
      using target = await Target.listen();
      await using server = await startServer(runtime);
      using wire = await tunnel(server, "127.0.0.1", target.port);
      using peer = await target.accept();
      server.signal(signal);
      await eventually("the listener to be closed", () => isRefused(server));
      await wire.send("still here");
      await peer.read(10);
      await peer.send("me too");
      await wire.read(6);
      wire.finish();
      peer.finish();
      await assertEnds(wire);
      assertEquals(await within(PATIENCE, "the end of the server", server.exited), 0);
    });

    bare(`a second ${signal} ends at once`, async ({ runtime }) => {
      using target = await Target.listen();
      await using server = await startServer(runtime);
      using wire = await tunnel(server, "127.0.0.1", target.port);
      using _peer = await target.accept();
      server.signal(signal);
      // Signals that come together count as one. This line invites the second.
      await server.waitForOutput(/drain/i);
      server.signal(signal);
      const code = await within(PATIENCE, "the end of the server", server.exited);
      assert(code !== 0 && code < 256, `code ${code}`);
      await wire.readToEnd();
    });

    bare(`${signal} without sessions ends at once with 0`, async ({ runtime }) => {
      using echo = await Target.echo();
      await using server = await startServer(runtime);
      await assertServes(server, echo);
      server.signal(signal);
      assertEquals(await within(PATIENCE, "the end of the server", server.exited), 0);
    });
  }

  bare("SIGTERM gives clients that have asked for nothing no more than the handshake's time", async ({ runtime }) => {
    await using server = await startServer(runtime, ["--handshake-timeout", "2"]);
    using silent = await Wire.connect(server);
    using greeted = await Wire.connect(server);
    await greeted.write(GREETING);
    await greeted.readSome(); // the answer; on a slow machine the end may be there already
    using half = await Wire.connect(server);
    await half.write(bytes(4, 1, 0));
    server.signal("SIGTERM");
    await eventually("the listener to be closed", () => isRefused(server));
    await Promise.all([silent, greeted, half].map((wire) => wire.readToEnd()));
    assertEquals(await within(PATIENCE, "the end of the server", server.exited), 0);
  });

  bare("the process that is killed leaves its port free for the next", async ({ runtime }) => {
    using echo = await Target.echo();
    const first = await startServer(runtime, ["--listen", `127.0.0.1:${await closedPort()}`]);
    using _wire = await tunnel(first, "127.0.0.1", echo.port);
    await first.stop("SIGKILL");
    await using second = await startServer(runtime, ["--listen", `127.0.0.1:${first.port}`]);
    assertEquals(second.port, first.port);
    await assertServes(second, echo);
  });

  test("it says where it listens, and one line for a session", async ({ server }) => {
    using echo = await Target.echo();
    assertStringIncludes(server.output(), `${server.host}:${server.port}`);
    await assertServes(server, echo);
    await server.waitForOutput(new RegExp(`127\\.0\\.0\\.1:${echo.port}\\b`));
    using other = await Target.echo();
    await assertServes(server, other);
    await server.waitForOutput(new RegExp(`127\\.0\\.0\\.1:${other.port}\\b`));
    assertEquals(server.output().split("\n").filter((line) => line.includes(`:${echo.port}`)).length, 1);
  });

  test("a session's line names the target by the name that was asked for", async ({ server }) => {
    using echo = await Target.echo();
    using wire = await negotiated(server);
    await wire.write(request5(1, "localhost", echo.port));
    await readReply(wire);
    wire.close();
    await server.waitForOutput(new RegExp(`localhost:${echo.port}\\b`));
  });
});

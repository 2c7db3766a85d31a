import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Target, type Wire } from "../conformance/_client.ts";
import { type RunningServer, runtimes } from "../conformance/_server.ts";
import { tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { assertCarries, byteSource, ended, failToServe, monthly, refusal, serveWith, type Who } from "./_limited.ts";

const ADA = { user: ["ada", "lovelace"] } as const, BOB = { user: ["bob", "dylan"] } as const;

const USERS = [{ name: "ada", password: "lovelace" }, { name: "bob", password: "dylan" }];

/** Has a source send so many bytes through a server, and waits until the session is over and counted. */
async function download(server: RunningServer, source: Target, bytes: number, who: Who = {}): Promise<void> {
  const wire = await tunnel(server, source.host, source.port, who);
  const port = wire.localPort;
  await wire.send(`${bytes}\n`);
  assertEquals((await wire.readToEnd()).data.length, bytes);
  wire.close();
  await ended(server, port);
}

/** Uses so many bytes up, until the server ends the session. */
async function untilEnded(wire: Wire): Promise<void> {
  try {
    for (;;) await assertCarries(wire, "x".repeat(1000));
  } catch (error) {
    if (wire.ending === undefined) throw error;
  }
}

suite("quotas", ({ bare }) => {
  bare("a quota that is used up refuses new sessions and lets running ones go on", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    using source = await byteSource();
    await using server = await serveWith(runtime, folder, {
      users: USERS,
      limits: [{ name: "plan", per: "user", quota: monthly("100kB") }],
    });
    using running = await tunnel(server, echo.host, echo.port, ADA);
    await download(server, source, 60_000, ADA);
    await download(server, source, 60_000, ADA);
    const line = await refusal(server, server, echo, ADA);
    assertStringIncludes(line, 'Cannot admit: limit "plan": 100000 bytes a month are used up for user "ada"');
    await assertCarries(running);
    await download(server, source, 60_000, BOB);
    await assertCarries(running);
  });

  bare("one that ends sessions ends those that use it up, and no others", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      users: USERS,
      limits: [{ name: "plan", per: "user", quota: { ...monthly("100kB"), then: "end" } }],
    });
    using idle = await tunnel(server, echo.host, echo.port, ADA);
    using busy = await tunnel(server, echo.host, echo.port, ADA);
    using other = await tunnel(server, echo.host, echo.port, BOB);
    const ports = [idle.localPort, busy.localPort];
    await untilEnded(busy);
    await idle.readToEnd();
    for (const port of ports) {
      const line = await ended(server, port);
      assertStringIncludes(
        line,
        ', limit: Cannot go on: limit "plan": 100000 bytes a month are used up for user "ada"',
      );
    }
    await assertCarries(other);
    await refusal(server, server, echo, ADA);
  });

  bare("one that slows down lets everything go on, at that speed", async ({ runtime, folder }) => {
    using source = await byteSource();
    const rate = 65_536;
    await using server = await serveWith(runtime, folder, {
      limits: [{ name: "plan", quota: { ...monthly("100kB"), then: { slow: `${rate}B/s` } } }],
    });
    await download(server, source, 100_000);
    const started = performance.now();
    await download(server, source, 80_000);
    const seconds = (performance.now() - started) / 1000;
    // What a bucket that was not used holds is a twentieth of a second's worth.
    assert(80_000 <= rate * (seconds + 0.05), `80000 bytes in ${seconds} s`);
  });

  bare("uploads alone, or downloads alone, can be what counts", async ({ runtime, folder }) => {
    using source = await byteSource();
    await using server = await serveWith(runtime, folder, {
      users: USERS,
      limits: [
        { name: "up", users: ["ada"], quota: { ...monthly("50kB"), count: "upload" } },
        { name: "down", users: ["bob"], quota: { ...monthly("50kB"), count: "download" } },
      ],
    });
    for (let i = 0; i < 3; i++) await download(server, source, 50_000, ADA);
    await download(server, source, 50_000, BOB);
    assertStringIncludes(await refusal(server, server, source, BOB), 'limit "down"');
    using sink = await Target.listen({
      handle: async (wire) => {
        await wire.readToEnd();
        wire.finish();
      },
    });
    const wire = await tunnel(server, sink.host, sink.port, ADA);
    const port = wire.localPort;
    await wire.write(new Uint8Array(50_000));
    wire.finish();
    await wire.readToEnd();
    await ended(server, port);
    assertStringIncludes(await refusal(server, server, sink, ADA), 'limit "up"');
  });
});

suite("quotas in a file", ({ bare }) => {
  const settings = (file: string) => ({
    limits: [{ name: "plan", per: "address", quota: monthly("100kB") }],
    store: { file },
  });

  bare("a quota outlives the process, by SIGTERM and by SIGKILL, and its runtime", async ({ runtime, folder }) => {
    using source = await byteSource();
    const file = join(folder, "counts.json");
    {
      await using server = await serveWith(runtime, folder, settings(file));
      await download(server, source, 60_000);
      assertEquals(await server.stop("SIGTERM"), 0);
    }
    assertMatch(readFileSync(file, "utf8"), /"plan:[^"]*",6000\d,/);
    {
      await using server = await serveWith(runtime, folder, settings(file));
      await download(server, source, 60_000);
      // It is saved some seconds after the change.
      await eventually("the counts to be saved", () => /,12\d{4},/.test(readFileSync(file, "utf8")));
      server.signal("SIGKILL");
      await server.exited;
    }
    for (const next of runtimes.filter(({ available }) => available)) {
      await using server = await serveWith(next, folder, settings(file));
      assertStringIncludes(
        await refusal(server, server, source),
        'limit "plan": 100000 bytes a month are used up for 127.0.0.1',
      );
      using _other = await tunnel(server, source.host, source.port, { from: "127.0.0.9" });
    }
  });

  bare("what a running session has used is saved with the end of the process", async ({ runtime, folder }) => {
    using source = await byteSource();
    using echo = await Target.echo();
    const file = join(folder, "running.json");
    {
      await using server = await serveWith(runtime, folder, { ...settings(file), drainTimeout: "500ms" });
      using wire = await tunnel(server, echo.host, echo.port);
      for (let i = 0; i < 60; i++) await assertCarries(wire, "x".repeat(1000));
      assertEquals(await server.stop("SIGTERM"), 0);
    }
    assertMatch(readFileSync(file, "utf8"), /"plan:[^"]*",120000,/);
    await using server = await serveWith(runtime, folder, settings(file));
    await refusal(server, server, source);
  });

  bare("a file that does not hold counts keeps the server from starting, and stays as it is", async ({
    runtime,
    folder,
  }) => {
    const file = join(folder, "damaged.json");
    for (const damage of ["", "{", '{"format":"socks-counts-1","counts":[["a",1', '{"format":"other","counts":[]}']) {
      writeFileSync(file, damage);
      const { code, output } = await failToServe(runtime, folder, settings(file));
      assertEquals(code, 1, output);
      assertStringIncludes(output, `Cannot read counts from "${file}": found `);
      assertEquals(readFileSync(file, "utf8"), damage);
    }
    const { code, output } = await failToServe(runtime, folder, settings(join(folder, "none/counts.json")));
    assertEquals(code, 1, output);
    assertStringIncludes(output, "Cannot write counts to ");
  });

  bare("a store that cannot be written for a while is told twice, and loses nothing", async ({ runtime, folder }) => {
    using source = await byteSource();
    const [place, elsewhere] = [join(folder, "place"), join(folder, "elsewhere")];
    mkdirSync(place);
    const file = join(place, "counts.json");
    await using server = await serveWith(runtime, folder, settings(file));
    renameSync(place, elsewhere);
    await download(server, source, 30_000);
    await server.waitForOutput(/WARNING.*counts|WARNING.*store/i);
    await download(server, source, 30_000);
    renameSync(elsewhere, place);
    await eventually("the counts to be saved", () => /,6\d{4},/.test(readFileSync(file, "utf8")));
    await server.waitForOutput(/is written again/);
    const told = server.output().split("\n").filter((line) => line.includes("counts.json"));
    assertEquals(told.length, 2, server.output());
    rmSync(place, { recursive: true });
  });

  bare("a draft that a crash left does not matter", async ({ runtime, folder }) => {
    using source = await byteSource();
    const file = join(folder, "drafts.json");
    writeFileSync(`${file}.new`, '{"format":"socks-cou');
    await using server = await serveWith(runtime, folder, settings(file));
    await download(server, source, 1000);
    assertEquals(await server.stop("SIGTERM"), 0);
    assertEquals(existsSync(`${file}.new`), false);
    assertMatch(readFileSync(file, "utf8"), /"plan:/);
  });
});

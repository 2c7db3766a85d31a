import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually, Target } from "../conformance/_client.ts";
import { type RunningServer, runtimes, type RuntimeUnderTest } from "../conformance/_server.ts";
import { asked, CONNECT, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { noRedis, PASSWORD, type RedisServer, startRedis } from "../policy/_redis.ts";
import { byteSource, ended, leave, monthly, refusal, serveWith } from "./_limited.ts";

/** The next runtime that can be tested here, or the same if there is no other. */
function another(runtime: RuntimeUnderTest): RuntimeUnderTest {
  const at = runtimes.indexOf(runtime);
  return [...runtimes.slice(at + 1), ...runtimes.slice(0, at)].find(({ available }) => available) ?? runtime;
}

/** What the log says of the store. */
function told(server: RunningServer): string[] {
  return server.output().split("\n").filter((line) => line.includes("Redis at "));
}

/** Has a source send so many bytes through a server, and waits until the session is over. */
async function download(server: RunningServer, source: Target, bytes: number): Promise<void> {
  const wire = await tunnel(server, source.host, source.port);
  const port = wire.localPort;
  await wire.send(`${bytes}\n`);
  assertEquals((await wire.readToEnd()).data.length, bytes);
  wire.close();
  await ended(server, port);
}

/** Waits until a server that was told of bytes a moment ago refuses because they are used up. */
async function refusesSoon(server: RunningServer, target: Target): Promise<void> {
  await eventually("the refusal of a session", async () => {
    const { wire, reply } = await asked(server, CONNECT, target.host, target.port);
    await leave(server, wire);
    assert(reply.code === 0 || reply.code === 2, `REP ${reply.code}`);
    return reply.code === 2;
  });
}

/** Checks that a secret is not told to anybody. */
function assertSecret(...servers: readonly RunningServer[]): void {
  for (const server of servers) {
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) assert(!server.output().includes(secret));
  }
}

const PLAN = [{ name: "plan", quota: monthly("100kB") }];

const store = ({ url }: RedisServer, fail?: "open" | "closed") => ({ redis: url, ...fail && { fail } });

suite("counts in Redis", ({ bare }) => {
  const skip = noRedis;

  bare("two processes share a quota, also after a restart", async ({ runtime, folder }) => {
    await using redis = await startRedis();
    using source = await byteSource();
    const settings = { limits: PLAN, store: store(redis) };
    await using one = await serveWith(runtime, folder, settings);
    {
      await using two = await serveWith(another(runtime), folder, settings);
      await download(one, source, 60_000);
      await download(two, source, 60_000);
      await refusesSoon(one, source);
      const line = await refusal(two, two, source);
      assertStringIncludes(line, 'Cannot admit: limit "plan": 100000 bytes a month are used up');
      assertSecret(two);
    }
    await using two = await serveWith(another(runtime), folder, settings);
    await refusal(two, two, source);
    assertEquals(await one.stop("SIGTERM"), 0);
    assertSecret(one, two);
  }, { skip });

  bare("of fifty clients of two processes as many get in as the rate says", async ({ runtime, folder }) => {
    await using redis = await startRedis();
    using echo = await Target.echo();
    const settings = { limits: [{ name: "calm", newSessions: "20/24h" }], store: store(redis) };
    await using one = await serveWith(runtime, folder, settings);
    await using two = await serveWith(another(runtime), folder, settings);
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => asked(i % 2 === 0 ? one : two, CONNECT, echo.host, echo.port)),
    );
    const codes = all.map(({ reply }) => reply.code);
    assertEquals([codes.filter((code) => code === 0).length, codes.filter((code) => code === 2).length], [20, 30]);
    for (const { wire } of all) wire.close();
  }, { skip });

  bare("while Redis is away sessions are let in, if it fails open, and it hears of them later", async ({
    runtime,
    folder,
  }) => {
    await using redis = await startRedis();
    using source = await byteSource();
    const settings = { limits: PLAN, store: store(redis, "open") };
    await using server = await serveWith(runtime, folder, settings);
    await download(server, source, 30_000);
    for (let round = 1; round <= 2; round++) {
      // Redis answers in order: it has heard of all before. What it is killed over might be counted twice.
      await leave(server, await tunnel(server, source.host, source.port));
      const since = server.output().length;
      await redis.kill();
      await server.waitForOutput(/WARNING.*Redis at /, { since });
      for (let i = 0; i < 3; i++) await download(server, source, 10_000);
      assertEquals(told(server).length, 2 * round - 1, server.output());
      await redis.start();
      await server.waitForOutput(/INFO.*answers again/, { since });
      assertEquals(told(server).length, 2 * round, server.output());
    }
    await download(server, source, 10_000);
    await refusesSoon(server, source);
    // Another process knows what was counted while Redis was away.
    await using other = await serveWith(another(runtime), folder, settings);
    await refusal(other, other, source);
    assertSecret(server, other);
  }, { skip });

  bare("while Redis is away sessions are refused, if it fails closed, and running ones go on", async ({
    runtime,
    folder,
  }) => {
    await using redis = await startRedis();
    using source = await byteSource();
    using echo = await Target.echo();
    const limits = [...PLAN, { name: "calm", newSessions: "1000/h" }];
    await using server = await serveWith(runtime, folder, { limits, store: store(redis, "closed") });
    using running = await tunnel(server, echo.host, echo.port);
    await redis.kill();
    await server.waitForOutput(/WARNING.*Redis at /);
    for (let i = 0; i < 3; i++) {
      const line = await refusal(server, server, source);
      assertMatch(line, /refused by rules: Cannot count: the store redis:\/\/127\.0\.0\.1:\d+\/1 cannot be reached/);
    }
    await running.send("still there");
    assertEquals(new TextDecoder().decode(await running.read(11)), "still there");
    const since = server.output().length;
    await redis.start();
    await server.waitForOutput(/INFO.*answers again/, { since });
    await download(server, source, 1000);
    assertEquals(told(server).length, 2, server.output());
    assertSecret(server);
  }, { skip });

  bare("a server starts while Redis is away, says so once, and says when it is there", async ({ runtime, folder }) => {
    await using redis = await startRedis();
    await redis.kill();
    using source = await byteSource();
    await using server = await serveWith(runtime, folder, { limits: PLAN, store: store(redis, "closed") });
    await server.waitForOutput(/WARNING.*Redis at /);
    await refusal(server, server, source);
    await redis.start();
    await server.waitForOutput(/INFO.*answers again/);
    await download(server, source, 1000);
    assertEquals(told(server).length, 2, server.output());
    assertEquals(await server.stop("SIGTERM"), 0);
    assertSecret(server);
  }, { skip });

  bare("a Redis that hangs holds one session up for a moment, and no others", async ({ runtime, folder }) => {
    await using redis = await startRedis();
    using source = await byteSource();
    await using server = await serveWith(runtime, folder, { limits: PLAN, store: store(redis) });
    await download(server, source, 1000);
    redis.send("SIGSTOP");
    const all = await Promise.all(Array.from({ length: 20 }, () => asked(server, CONNECT, source.host, source.port)));
    for (const { reply } of all) assertEquals(reply.code, 0);
    for (const { wire } of all) await leave(server, wire);
    await server.waitForOutput(/WARNING.*Redis at .*no answer within/);
    redis.send("SIGCONT");
    await server.waitForOutput(/INFO.*answers again/);
    assertEquals(told(server).length, 2, server.output());
  }, { skip });

  bare("a wrong password is told without it", async ({ runtime, folder }) => {
    await using redis = await startRedis();
    using source = await byteSource();
    const url = redis.url.replace(encodeURIComponent(PASSWORD), "pass%2Fphrase-of-mine");
    await using server = await serveWith(runtime, folder, { limits: PLAN, store: { redis: url, fail: "closed" } });
    await server.waitForOutput(/WARNING.*Redis at .*/);
    await refusal(server, server, source);
    for (const secret of ["pass%2Fphrase-of-mine", "pass/phrase-of-mine"]) {
      assert(!server.output().includes(secret), server.output());
    }
    assertEquals(told(server).length, 1, server.output());
  }, { skip });
});

import { assertEquals } from "@std/assert";
import { bytes, eventually, Target, Wire } from "./_client.ts";
import type { RunningServer } from "./_server.ts";
import {
  asked,
  assertServes,
  ASSOCIATE,
  BIND,
  CONNECT,
  GREETING,
  password,
  request4,
  request5,
  tunnel,
} from "./_socks.ts";
import { suite } from "./_suite.ts";

const ROUNDS = 10;
const WAYS = ["fin", "close", "rst"] as const;

/** Leaves: FIN and staying for the rest, closing, or RST. */
function leave(wire: Wire, way: typeof WAYS[number]): void {
  if (way === "fin") wire.finish();
  else if (way === "close") wire.close();
  else wire.reset();
}

/** Lets a client come and leave many times, and checks that nothing of it stays. */
async function assertForgotten(
  server: RunningServer,
  come: () => Promise<Wire>,
  user?: readonly [string, string],
): Promise<void> {
  using echo = await Target.echo();
  const options = user === undefined ? {} : { user };
  await assertServes(server, echo, options);
  const settled = await eventually("a settled number of descriptors", () => server.openFiles());
  const kept: Wire[] = [];
  for (const way of WAYS) {
    for (let i = 0; i < ROUNDS; i++) {
      const wire = await come();
      kept.push(wire);
      leave(wire, way);
    }
  }
  // A FIN alone is enough: this end stays open until the server has closed its own.
  await eventually("the descriptors to be closed", () => server.openFiles() <= settled + 3);
  for (const wire of kept) wire.close();
  await assertServes(server, echo, options);
}

suite("clients that vanish", ({ test }) => {
  const phases: [string, Uint8Array][] = [
    ["before the first byte", bytes()],
    ["within a greeting", bytes(5, 3, 0)],
    ["after a greeting", GREETING],
    ["within a request", bytes(GREETING, 5, 1, 0, 1, 127)],
    ["within a name", bytes(GREETING, 5, 1, 0, 3, 200, "local")],
    ["within a SOCKS4 user id", bytes(4, 1, 0, 80, 127, 0, 0, 1, "user")],
    ["within a SOCKS4a name", bytes(4, 1, 0, 80, 0, 0, 0, 1, "user", 0, "local")],
    ["within an HTTP request", bytes("GET / HTT")],
    ["while a BIND waits", bytes(GREETING, request5(BIND, "0.0.0.0", 0))],
    ["while a SOCKS4 BIND waits", request4(BIND, "0.0.0.0", 0)],
    ["while an association stands", bytes(GREETING, request5(ASSOCIATE, "0.0.0.0", 0))],
    ["right after a request for a name", bytes(GREETING, request5(CONNECT, "nonexistent.invalid", 80))],
  ];
  for (const [phase, sent] of phases) {
    test(`a client that vanishes ${phase} is forgotten`, async ({ server }) => {
      await assertForgotten(server, async () => {
        const wire = await Wire.connect(server);
        await wire.write(sent);
        return wire;
      });
    });
  }

  for (
    const [phase, sent] of [
      ["within a login", bytes(5, 1, 2, 1, 5, "ali")],
      ["after a login", bytes(5, 1, 2, password("alice", "secret"))],
    ] as const
  ) {
    test(`a client that vanishes ${phase} is forgotten`, async ({ server }) => {
      await assertForgotten(server, async () => {
        const wire = await Wire.connect(server);
        await wire.write(sent);
        return wire;
      }, ["alice", "secret"]);
    }, { args: ["--user", "alice:secret"] });
  }

  test("a client that vanishes after the first reply of BIND is forgotten", async ({ server }) => {
    await assertForgotten(server, async () => (await asked(server, BIND, "0.0.0.0", 0)).wire);
  });

  test("a client that vanishes after the reply to ASSOCIATE is forgotten", async ({ server }) => {
    await assertForgotten(server, async () => (await asked(server, ASSOCIATE, "0.0.0.0", 0)).wire);
  });

  test("a client that vanishes from a tunnel takes the target's connection with it", async ({ server }) => {
    using target = await Target.echo();
    await assertForgotten(server, () => tunnel(server, "127.0.0.1", target.port));
    await eventually("the target's connections to be closed", () => target.open === 0);
  });

  test("a client that vanishes right behind its request takes the target's connection with it", async ({ server }) => {
    using target = await Target.echo();
    await assertForgotten(server, async () => {
      const wire = await Wire.connect(server);
      await wire.send(GREETING, request5(CONNECT, "127.0.0.1", target.port), "payload");
      return wire;
    });
    await eventually("the target's connections to be closed", () => target.open === 0);
  });

  test("a client that vanishes while a flood comes down stops the flood", async ({ server }) => {
    let ended = 0;
    using target = await Target.listen({
      handle: async (wire) => {
        const block = new Uint8Array(64 * 1024);
        try {
          while (wire.ending === undefined) await wire.write(block);
        } catch {
          // The connection is gone: what is tested.
        }
        ended++;
        wire.close();
      },
    });
    for (const way of ["close", "rst"] as const) {
      const wire = await tunnel(server, "127.0.0.1", target.port);
      await wire.read(500_000);
      leave(wire, way);
    }
    await eventually("both floods to stop", () => ended === 2);
    using echo = await Target.echo();
    await assertServes(server, echo);
  });

  test("both ends that vanish in the midst of floods both ways are forgotten", async ({ server }) => {
    using target = await Target.listen();
    using echo = await Target.echo();
    const settled = await eventually("a settled number of descriptors", () => server.openFiles());
    const block = new Uint8Array(1024 * 1024);
    for (let round = 0; round < 3; round++) {
      const ends: Wire[] = [];
      for (let i = 0; i < ROUNDS; i++) ends.push(await tunnel(server, "127.0.0.1", target.port), await target.accept());
      const reached = new Set<Wire>();
      const floods = ends.map(async (wire) => {
        while (wire.ending === undefined) {
          await Promise.all([wire.write(block), wire.readSome()]);
          reached.add(wire);
        }
      });
      await eventually("bytes at every end", () => reached.size === ends.length);
      for (const wire of ends) wire.reset();
      await Promise.allSettled(floods);
      await eventually("the descriptors to be closed", () => server.openFiles() <= settled + 3);
    }
    await assertServes(server, echo);
  });

  test("a target that vanishes takes the client's connection with it", async ({ server }) => {
    using target = await Target.listen();
    for (let i = 0; i < ROUNDS; i++) {
      using wire = await tunnel(server, "127.0.0.1", target.port);
      (await target.accept()).close();
      assertEquals((await wire.readToEnd()).data.length, 0);
    }
  });
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { writeFileSync } from "node:fs";
import { closedPort, Target, type To, Wire } from "../conformance/_client.ts";
import { type RunningServer, startServer } from "../conformance/_server.ts";
import { asked, ASSOCIATE, BIND, CONNECT, readReply4, request4, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { assertCarries, leave, placesOf, refusal, serveWith, settingsFile, type Who } from "./_limited.ts";

const ADA = ["ada", "lovelace"] as const, BOB = ["bob", "dylan"] as const, EVE = ["eve", "online"] as const;

const USERS = [
  { name: "ada", password: "lovelace", groups: ["staff"] },
  { name: "eve", password: "online", groups: ["staff", "night"] },
  { name: "bob", password: "dylan", groups: ["guests"] },
];

/** One client, where it goes in, and another that shares nothing with it. */
interface Sharing {
  readonly per: string;
  readonly same: readonly [[To, Who], [To, Who]];
  readonly other: readonly [To, Who];
  readonly reason: string;
}

/** Two sessions are admitted, the third of those who share is not; another is; a place that is given back is taken. */
async function assertTwoPlaces(server: RunningServer, echo: Target, sharing: Sharing): Promise<void> {
  const open = (to: To, who: Who): Promise<Wire> => tunnel(to, echo.host, echo.port, who);
  const [first, second] = sharing.same;
  const wires = [await open(...first), await open(...second)];
  for (const [to, who] of sharing.same) {
    const line = await refusal(server, to, echo, who);
    const name = JSON.stringify(`two for the ${sharing.per}`);
    assertStringIncludes(line, `refused by rules: Cannot admit: limit ${name}: 2 sessions at once${sharing.reason}`);
  }
  if (sharing.per !== "server") wires.push(await open(...sharing.other));
  await leave(server, wires[0]!);
  wires[0] = await open(...second);
  await refusal(server, first[0], echo, first[1]);
  for (const wire of wires) await assertCarries(wire);
  for (const wire of wires) await leave(server, wire);
}

suite("limits on sessions", ({ bare }) => {
  bare("sessions at once are counted for the server, a listener, a user, a group, an address", async ({
    runtime,
    folder,
  }) => {
    using echo = await Target.echo();
    const scopes = ["server", "listener", "user", "group", "address"];
    // Each scope has two listeners of its own, so that no other limit holds there.
    await using server = await serveWith(runtime, folder, {
      listen: scopes.flatMap((per) => ["one", "two"].map((at) => ({ address: "127.0.0.1:0", name: `${per} ${at}` }))),
      users: USERS,
      limits: scopes.map((per) => ({
        name: `two for the ${per}`,
        per,
        listeners: [`${per} one`, `${per} two`],
        sessions: 2,
      })),
    });
    const places = await placesOf(server, 2 * scopes.length);
    const at = (per: string): [To, To] => [places[2 * scopes.indexOf(per)]!, places[2 * scopes.indexOf(per) + 1]!];
    const [lan, wan] = at("listener");
    const [ada, bob, eve]: [Who, Who, Who] = [{ user: ADA }, { user: BOB }, { user: EVE }];
    const sharings: Sharing[] = [
      { per: "server", same: [[at("server")[0], ada], [at("server")[1], bob]], other: [lan, ada], reason: "" },
      { per: "listener", same: [[lan, ada], [lan, bob]], other: [wan, ada], reason: ' for listener "listener one"' },
      {
        per: "user",
        same: [[at("user")[0], ada], [at("user")[1], ada]],
        other: [at("user")[0], eve],
        reason: ' for user "ada"',
      },
      {
        per: "group",
        same: [[at("group")[0], ada], [at("group")[1], eve]],
        other: [at("group")[0], bob],
        reason: ' for group "staff"',
      },
      {
        per: "address",
        same: [[at("address")[0], { ...ada, from: "127.0.0.7" }], [at("address")[1], { ...bob, from: "127.0.0.7" }]],
        other: [at("address")[0], { ...ada, from: "127.0.0.8" }],
        reason: " for 127.0.0.7",
      },
    ];
    for (const sharing of sharings) await assertTwoPlaces(server, echo, sharing);
    for (const user of USERS) assertEquals(server.output().includes(user.password), false);
  });

  bare("of fifty clients that come together ten get in, each time", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, { limits: [{ name: "ten", sessions: 10 }] });
    for (let round = 0; round < 3; round++) {
      const all = await Promise.all(
        Array.from({ length: 50 }, () => asked(server, CONNECT, echo.host, echo.port)),
      );
      const admitted = all.filter(({ reply }) => reply.code === 0);
      assertEquals(admitted.length, 10);
      assertEquals(all.filter(({ reply }) => reply.code === 2).length, 40);
      await Promise.all(admitted.map(({ wire }) => assertCarries(wire)));
      await Promise.all(all.map(({ wire }) => leave(server, wire)));
    }
  });

  bare("a session that one limit refuses takes no place in others", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      limits: [{ name: "all", sessions: 2 }, { name: "each", per: "address", sessions: 1 }],
    });
    using _one = await tunnel(server, echo.host, echo.port, { from: "127.0.0.7" });
    for (let i = 0; i < 5; i++) {
      assertStringIncludes(await refusal(server, server, echo, { from: "127.0.0.7" }), 'limit "each"');
    }
    using two = await tunnel(server, echo.host, echo.port, { from: "127.0.0.8" });
    for (let i = 0; i < 5; i++) {
      assertStringIncludes(await refusal(server, server, echo, { from: "127.0.0.9" }), 'limit "all"');
    }
    await leave(server, two);
    using _three = await tunnel(server, echo.host, echo.port, { from: "127.0.0.9" });
  });

  bare("each command takes a place, in each dialect, and gives it back", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    // A BIND whose client leaves while it waits is told at level debug.
    await using server = await serveWith(runtime, folder, { limits: [{ sessions: 1 }], logLevel: "debug" });
    for (const command of [CONNECT, BIND, ASSOCIATE]) {
      const [host, port] = command === ASSOCIATE ? ["0.0.0.0", 0] as const : [echo.host, echo.port] as const;
      const { wire, reply } = await asked(server, command, host, port);
      assertEquals(reply.code, 0);
      for (const next of [CONNECT, BIND, ASSOCIATE]) {
        const { wire, reply } = await asked(server, next, echo.host, echo.port);
        assertEquals(reply.code, 2);
        await leave(server, wire);
      }
      const fourth = await Wire.connect(server);
      await fourth.write(request4(CONNECT, echo.host, echo.port));
      assertEquals((await readReply4(fourth)).code, 91);
      await leave(server, fourth);
      await leave(server, wire);
    }
  });

  bare("a target that cannot be reached takes no place for longer than the try", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const gone = await closedPort();
    await using server = await serveWith(runtime, folder, { limits: [{ sessions: 1 }] });
    for (let i = 0; i < 5; i++) {
      // The place is free as soon as the client knows, though it may stay and read.
      const { wire, reply } = await asked(server, CONNECT, "127.0.0.1", gone);
      assertEquals(reply.code, 5);
      using next = await tunnel(server, echo.host, echo.port);
      await leave(server, next);
      await leave(server, wire);
    }
  });

  bare("more new sessions than a rate allows are refused, for each address", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      limits: [{ name: "calm", per: "address", newSessions: "5/24h" }],
    });
    for (let i = 0; i < 5; i++) {
      await leave(server, await tunnel(server, echo.host, echo.port, { from: "127.0.0.7" }));
    }
    const line = await refusal(server, server, echo, { from: "127.0.0.7" });
    assertStringIncludes(line, 'Cannot admit: limit "calm": 5 new sessions in 86400 s for 127.0.0.7');
    using _other = await tunnel(server, echo.host, echo.port, { from: "127.0.0.8" });
  });

  bare("of fifty clients that come together a rate admits as many as it says", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, { limits: [{ newSessions: "20/24h" }] });
    const all = await Promise.all(Array.from({ length: 50 }, () => asked(server, CONNECT, echo.host, echo.port)));
    assertEquals(all.filter(({ reply }) => reply.code === 0).length, 20);
    for (const { wire } of all) wire.close();
  });

  bare("the limits of a rule hold for what it allows", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    using other = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      rules: [
        { name: "one there", action: "allow", ports: [echo.port], limits: { sessions: 1 } },
        { name: "the rest", action: "allow" },
      ],
    });
    using first = await tunnel(server, echo.host, echo.port);
    const line = await refusal(server, server, echo);
    assertStringIncludes(line, 'limit "one there": 1 session at once');
    assertStringIncludes(line, 'by "one there"');
    using _second = await tunnel(server, other.host, other.port);
    using _third = await tunnel(server, other.host, other.port);
    await leave(server, first);
    using _fourth = await tunnel(server, echo.host, echo.port);
  });

  bare("running sessions count under limits that are loaded anew", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const settings = (sessions: number) => ({ listen: ["127.0.0.1:0"], limits: [{ name: "office", sessions }] });
    const path = settingsFile(folder, settings(3));
    await using server = await startServer(runtime, ["--config", path], { listen: false });
    const reload = async (sessions: number): Promise<void> => {
      const since = server.output().length;
      writeFileSync(path, JSON.stringify(settings(sessions)));
      server.signal("SIGHUP");
      await server.waitForOutput(/Reloaded/, { since });
    };
    const wires: Wire[] = [];
    for (let i = 0; i < 3; i++) wires.push(await tunnel(server, echo.host, echo.port));
    await reload(2);
    assertStringIncludes(await refusal(server, server, echo), "2 sessions at once");
    for (const wire of wires) await assertCarries(wire);
    await leave(server, wires[0]!);
    await refusal(server, server, echo);
    await leave(server, wires[1]!);
    wires[0] = await tunnel(server, echo.host, echo.port);
    await refusal(server, server, echo);
    await reload(3);
    wires[1] = await tunnel(server, echo.host, echo.port);
    for (const wire of wires) await leave(server, wire);
  });
});

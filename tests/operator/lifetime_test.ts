import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bytes, Target, Udp, Wire } from "../conformance/_client.ts";
import { asked, ASSOCIATE, BIND, CONNECT, readReply, socks5Address, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { assertCarries, ended, leave, serveWith } from "./_limited.ts";

const ADA = ["ada", "lovelace"] as const, BOB = ["bob", "dylan"] as const;

const USERS = [{ name: "ada", password: "lovelace" }, { name: "bob", password: "dylan" }];

/**
 * Times that a session is held to. Its handshake must not take as long, and what keeps it from being idle must come
 * more often: what takes milliseconds elsewhere has thousand times that.
 */
const LIFETIME = "4s", IDLE = "5s";

suite("limits on time", ({ bare }) => {
  bare("a session that lasts too long is ended, however busy, and the log says why", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      users: USERS,
      limits: [{ users: ["ada"], lifetime: LIFETIME }],
    });
    using others = await tunnel(server, echo.host, echo.port, { user: BOB });
    using wire = await tunnel(server, echo.host, echo.port, { user: ADA });
    const port = wire.localPort;
    const busy = (async () => {
      for (;;) await assertCarries(wire);
    })();
    await busy.catch(() => {});
    assert(wire.ending !== undefined, "the server ends it");
    assertStringIncludes(await ended(server, port), ", limit: It lasted for 4 s, which is its limit");
    await assertCarries(others);
    await leave(server, others);
  });

  bare("a session without a byte for too long is ended, one with bytes is not", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, { limits: [{ idle: IDLE }] });
    using busy = await tunnel(server, echo.host, echo.port);
    using idle = await tunnel(server, echo.host, echo.port);
    const port = idle.localPort;
    const end = idle.readToEnd();
    let isOver = false;
    end.then(() => isOver = true, () => isOver = true);
    while (!isOver) await assertCarries(busy);
    await end;
    assertStringIncludes(
      await ended(server, port),
      ", timeout: Idle, no byte in either direction within 5 s",
    );
    await assertCarries(busy);
  });

  bare("the shortest of the times that hold is what counts", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      limits: [{ lifetime: "1h", idle: "2h" }, { per: "address", from: ["127.0.0.7"], idle: "1s" }],
      rules: [{ action: "allow", commands: ["bind"], limits: { lifetime: LIFETIME } }],
    });
    using wire = await tunnel(server, echo.host, echo.port, { from: "127.0.0.7" });
    const port = wire.localPort;
    assertEquals((await wire.readToEnd()).data.length, 0);
    assertStringIncludes(await ended(server, port), "within 1 s");
    // A BIND's time runs while it waits.
    const { wire: bound, reply } = await asked(server, BIND, echo.host, echo.port);
    assertEquals(reply.code, 0);
    const boundPort = bound.localPort;
    using peer = await Wire.connect(reply);
    assertEquals((await readReply(bound)).code, 0);
    await bound.readToEnd();
    await peer.readToEnd();
    assertStringIncludes(await ended(server, boundPort), ", limit: It lasted for 4 s");
    bound.close();
  });

  bare("a half-closed session is held to its times, too", async ({ runtime, folder }) => {
    await using server = await serveWith(runtime, folder, {
      users: USERS,
      limits: [{ users: ["ada"], idle: IDLE }, { users: ["bob"], lifetime: LIFETIME }],
    });
    const each = [[ADA, "timeout: Half-closed"], [BOB, "limit: It lasted"]] as const;
    await Promise.all(each.map(async ([user, why]) => {
      using silent = await Target.listen();
      using wire = await tunnel(server, silent.host, silent.port, { user });
      const port = wire.localPort;
      using end = await silent.accept();
      wire.finish();
      await end.readToEnd();
      assertEquals((await wire.readToEnd()).data.length, 0);
      assertStringIncludes(await ended(server, port), why);
    }));
  });

  bare("an association is ended with its time, and its datagrams keep it from being idle", async ({
    runtime,
    folder,
  }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    await using server = await serveWith(runtime, folder, {
      users: USERS,
      limits: [{ users: ["ada"], lifetime: LIFETIME }, { users: ["bob"], idle: IDLE }],
    });
    const { wire: lasting, reply } = await asked(server, ASSOCIATE, "0.0.0.0", 0, { user: ADA });
    assertEquals(reply.code, 0);
    const lastingPort = lasting.localPort;
    const lastingEnd = lasting.readToEnd();

    const { wire: busy, reply: relay } = await asked(server, ASSOCIATE, "0.0.0.0", 0, { user: BOB });
    const { wire: idle } = await asked(server, ASSOCIATE, "0.0.0.0", 0, { user: BOB });
    const port = idle.localPort;
    const end = idle.readToEnd();
    let isOver = false;
    end.then(() => isOver = true, () => isOver = true);
    const ping = async (): Promise<void> => {
      await udp.send(relay, bytes(0, 0, 0, socks5Address(echo.host, echo.port), "ping"));
      await udp.receive();
    };
    while (!isOver) await ping();
    await ping();
    assertStringIncludes(await ended(server, port), "timeout: Idle");
    idle.close();
    await leave(server, busy);

    assertEquals((await lastingEnd).data.length, 0);
    assertStringIncludes(await ended(server, lastingPort), ", limit: It lasted for 4 s");
    lasting.close();
  });

  bare("a session that is ended gives its places back", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, { limits: [{ sessions: 1, lifetime: LIFETIME }] });
    for (let i = 0; i < 2; i++) {
      const { wire, reply } = await asked(server, CONNECT, echo.host, echo.port);
      assertEquals(reply.code, 0);
      const port = wire.localPort;
      await wire.readToEnd();
      await ended(server, port);
      wire.close();
    }
  });
});

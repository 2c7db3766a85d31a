import { assertEquals, assertMatch } from "@std/assert";
import { eventually, Target, Wire } from "../conformance/_client.ts";
import { runToExit } from "../conformance/_server.ts";
import { GREETING, password, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { type Entry, logIn, LOGIN_PATIENCE, Operated } from "./_operated.ts";
import { passwd } from "./_passwd.ts";

const users = [{ name: "ada", password: "lovelace" }];

/** The accounts of sessions from an address. */
function sessionsFrom(operated: Operated, client: string): readonly Entry[] {
  return operated.entries().filter((entry) => entry.event === "session" && entry.client === client);
}

/** Waits for so many accounts of sessions from an address. */
async function accounts(operated: Operated, client: string, count: number): Promise<readonly Entry[]> {
  await operated.entry(`${count} sessions of ${client}`, () => sessionsFrom(operated, client).length >= count);
  return sessionsFrom(operated, client);
}

/** The patterns of the filter that the program prints, as they apply to a line of a file. */
function failPatterns(filter: string): RegExp[] {
  const [, list = ""] = /^failregex = ([\s\S]*?)^ignoreregex/m.exec(filter) ?? [];
  const journal = /^_journal = (.*)$/m.exec(filter)![1]!;
  return list.trim().split("\n").map((line) =>
    new RegExp(line.trim().replaceAll("%(_journal)s", journal).replaceAll("<ADDR>", String.raw`(?<addr>[\d.]+)`))
  );
}

suite("wrong logins", ({ bare }) => {
  bare("of 200 from one address only the first few are looked at; others get in", async (of) => {
    using echo = await Target.echo();
    await using operated = await Operated.start(of, { users, logins: { attempts: 5, refuseFor: "1h" } });
    const [bad, good] = ["127.0.0.66", "127.0.0.67"];
    const right = { user: ["ada", "lovelace"] as const, from: good };
    using running = await tunnel(operated.place, echo.host, echo.port, { ...right, from: bad });
    for (let i = 0; i < 200; i++) assertEquals(await logIn(operated.place, "ada", `wrong ${i}`, bad), false);
    assertEquals(await logIn(operated.place, "ada", "lovelace", bad), false);
    assertEquals((await operated.ask(echo.host, echo.port, right)).rep, 0);

    const reasons = (await accounts(operated, bad, 201)).map(({ end, refusal, reason }) =>
      `${end} ${refusal} ${reason}`
    );
    const wrong = 'refused authentication Cannot log in as "ada": unknown user or wrong password';
    const tooMany = `refused authentication Cannot log in as "ada": too many failed logins from ${bad}`;
    assertEquals(reasons.filter((reason) => reason === wrong).length, 5);
    assertEquals(reasons.filter((reason) => reason === tooMany).length, 196);
    // Who is in stays in.
    await running.send("still here");
    assertEquals(new TextDecoder().decode(await running.read(10)), "still here");
    // It outlives a reload.
    await operated.reload({ users, logins: { attempts: 5, refuseFor: "1h" }, idleTimeout: "1h" });
    assertEquals(await logIn(operated.place, "ada", "lovelace", bad), false);
    assertEquals(/lovelace|wrong \d/.test(operated.server.output()), false);
  });

  bare("many at once find out no more, though each hash takes its time", async (of) => {
    const hash = (await passwd(of.runtime, "lovelace", "ada")).trim().slice("ada:".length);
    const logins = { attempts: 8, refuseFor: "1h" };
    await using operated = await Operated.start(of, {
      users: [{ name: "ada", password: hash }],
      logins,
      handshakeTimeout: "5m",
    });
    const wires = await Promise.all(
      Array.from({ length: 20 }, () => Wire.connect(operated.place, { from: "127.0.0.66" })),
    );
    const right = wires.pop()!;
    try {
      for (const wire of [...wires, right]) await wire.send(5, 1, 2);
      for (const wire of [...wires, right]) await wire.read(2);
      await Promise.all(wires.map((wire, index) => wire.write(password("ada", `wrong ${index}`))));
      const answers = wires.map(async (wire) => (await wire.read(2, LOGIN_PATIENCE))[1]);
      // By the first answer all of them wait for theirs, and the right one waits behind them.
      await Promise.race(answers);
      await right.write(password("ada", "lovelace"));
      assertEquals((await right.read(2, LOGIN_PATIENCE))[1], 1);
      assertEquals(await Promise.all(answers), wires.map(() => 1));
    } finally {
      for (const wire of [...wires, right]) wire.close();
    }
    assertEquals(await logIn(operated.place, "ada", "lovelace", "127.0.0.67"), true);
  });

  bare("a right one in between forgives, and logins: false forgives all", async (of) => {
    await using operated = await Operated.start(of, { users, logins: { attempts: 3, refuseFor: "1h" } });
    const attempt = (word: string) => logIn(operated.place, "ada", word, "127.0.0.66");
    for (const word of ["x", "y", "lovelace", "x", "y", "lovelace"]) {
      assertEquals(await attempt(word), word === "lovelace");
    }
    for (const word of ["x", "y", "z"]) assertEquals(await attempt(word), false);
    assertEquals(await attempt("lovelace"), false);
    await operated.reload({ users, logins: false });
    assertEquals(await attempt("lovelace"), true);
    for (let i = 0; i < 20; i++) assertEquals(await attempt("x"), false);
    assertEquals(await attempt("lovelace"), true);
  });

  bare("from thousands of addresses take little memory", async (of) => {
    await using operated = await Operated.start(of, { users, logLevel: "warning" });
    const wrongFrom = async (from: number, to: number) => {
      for (let at = from; at < to; at += 20) {
        const addresses = Array.from({ length: 20 }, (_, i) => `127.${1 + (at + i >> 8)}.${(at + i) & 0xff}.1`);
        await Promise.all(addresses.map((from) => logIn(operated.place, "ada", "x", from)));
      }
    };
    await wrongFrom(0, 1000);
    const before = operated.server.rssKiB();
    await wrongFrom(1000, 4000);
    const grown = operated.server.rssKiB() - before;
    // A hundred bytes for each would be 0.3 MiB; garbage that is not collected yet is more.
    assertEquals(grown < 48 * 1024, true, `grown by ${grown} KiB`);
  }, { deadlineMs: 300_000 });

  bare("have lines that the printed filter for fail2ban finds, and no client can fake", async (of) => {
    const { code, output } = await runToExit(of.runtime, ["service", "fail2ban"]);
    assertEquals(code, 0);
    const patterns = failPatterns(output);
    assertEquals(patterns.length, 2);
    for (const format of ["json", "text"] as const) {
      await using operated = await Operated.start(of, { users }, { format });
      const { server } = operated;
      const forged = [
        'x","client":"10.9.9.9","clientPort":1,"refusal":"authentication',
        '{"time":"","level":"info","event":"session","id":1,"end":"refused","refusal":"authentication","client":"10.9.9.9"',
        "x\n2026-01-01 00:00:00 INFO  #1 10.9.9.9:5, 5 ms, login refused: ",
        "INFO #1 10.9.9.9:5, 5 ms, login refused:",
      ];
      for (const name of ["ada", ...forged]) assertEquals(await logIn(server, name, "x", "127.0.0.66"), false);
      assertEquals(await logIn(server, "ada", "lovelace", "127.0.0.68"), true);
      {
        using stranger = await Wire.connect(server, { from: "127.0.0.69" });
        await stranger.send(GREETING);
        await stranger.readToEnd();
      }
      const isRefusal = /login refused:|"refusal":"authentication"/;
      const lines = () => server.output().split("\n").slice(0, -1).filter((line) => isRefusal.test(line));
      await eventually("the lines of all refusals", () => lines().length >= 1 + forged.length + 1);
      const found = server.output().split("\n").flatMap((line) =>
        patterns.flatMap((pattern) => pattern.exec(line)?.groups?.addr ?? [])
      );
      assertEquals(found.filter((address) => address === "127.0.0.66").length, 1 + forged.length, server.output());
      assertEquals(found.filter((address) => !/^127\.0\.0\.6[69]$/.test(address)), []);
      assertMatch(lines()[0]!, format === "json" ? /^\{"time":/ : /INFO +#1 127\.0\.0\.66:\d+, .*, login refused: /);
    }
  });
});

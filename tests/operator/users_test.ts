import { assertEquals, assertMatch } from "@std/assert";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../clients/_process.ts";
import { closedPort, eventually, Target, Wire } from "../conformance/_client.ts";
import { type RuntimeUnderTest, runToExit } from "../conformance/_server.ts";
import { CONNECT, readReply4, request4, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { type Entry, logIn, Operated } from "./_operated.ts";
import { passwd } from "./_passwd.ts";

/** Asks with SOCKS4 as a user, leaves, and waits for the account. */
async function ask4(
  operated: Operated,
  target: Target,
  userId: string,
  from?: string,
): Promise<Entry & { cd: number }> {
  const wire = await Wire.connect(operated.place, from === undefined ? {} : { from });
  await wire.write(request4(CONNECT, target.host, target.port, userId));
  const { code } = await readReply4(wire);
  const { localAddress, localPort } = wire;
  wire.close();
  return { ...await operated.session({ localAddress, localPort }), cd: code };
}

/** What identd says of whoever asks on port 113 of 127.0.0.9, once no other test run has that port. */
function identd(userId: string): Promise<Target> {
  const handle = async (wire: Wire): Promise<void> => {
    let question = "";
    while (!question.endsWith("\n")) question += new TextDecoder().decode(await wire.read(1));
    await wire.send(`${question.trim()} : USERID : UNIX : ${userId}\r\n`);
    wire.finish();
  };
  return eventually(
    "port 113 to be free",
    () =>
      Target.listen({ host: "127.0.0.9", port: 113, handle }).catch((error) => {
        if (error.code !== "EADDRINUSE") throw error;
        return undefined;
      }),
  );
}

/** Why port 113 cannot be used here, if it cannot. */
const noIdentd: string | undefined = await identd("").then((target) => {
  target.close();
  return undefined;
}, (error: Error) => `port 113 of 127.0.0.9 cannot be bound: ${error.message}`);

suite("users", ({ bare }) => {
  bare("passwd makes entries that let their user in, from the settings and from a users file", async (of) => {
    using echo = await Target.echo();
    const { runtime, folder } = of;
    const usersFile = join(folder, `users-${crypto.randomUUID().slice(0, 8)}`);
    assertMatch(
      await passwd(runtime, "correct horse", "ada", "--file", usersFile, "--groups", "staff,night"),
      /new file/,
    );
    await passwd(runtime, "päss:wörd 🔑", "bob", "--file", usersFile);
    assertEquals(statSync(usersFile).mode & 0o777, 0o600);
    const entry = (await passwd(runtime, "battery staple", "eve")).trim();
    assertMatch(entry, /^eve:\$argon2id\$v=19\$m=19456,t=2,p=1\$/);

    const users = [{ name: "eve", password: entry.slice("eve:".length) }];
    const rules = [{ action: "allow", groups: ["night"] }];
    const settings = { users, usersFile: usersFile, rules, otherwise: "deny", logins: false };
    await using operated = await Operated.start(of, settings);
    const outcome = async (name: string, password: string) => {
      if (!await logIn(operated.place, name, password)) return "no";
      return (await operated.ask(echo.host, echo.port, { user: [name, password] })).rep;
    };
    assertEquals(await outcome("ada", "correct horse"), 0);
    assertEquals(await outcome("bob", "päss:wörd 🔑"), 2);
    assertEquals(await outcome("eve", "battery staple"), 2);
    for (const [name, word] of [["ada", "battery staple"], ["ada", ""], ["ada", "correct horse "], ["adam", "x"]]) {
      assertEquals(await outcome(name!, word!), "no", `${name} with "${word}"`);
    }
    // Twice: the second time it is remembered.
    assertEquals(await outcome("ada", "correct horse"), 0);

    await passwd(runtime, "another battery", "ada", "--file", usersFile);
    assertMatch(readFileSync(usersFile, "utf8"), /^ada:.*:staff,night$/m);
    await operated.reload();
    assertEquals([await outcome("ada", "correct horse"), await outcome("ada", "another battery")], ["no", 0]);
  });

  bare("passwd without a password, or for nobody, makes nothing", async ({ runtime, folder }) => {
    const file = join(folder, "nobody");
    const attempt = async (input: string, ...args: string[]) => {
      const command = [...runtime.command, "passwd", ...args, "--file", file];
      const { code, stdout, stderr } = await run(command, { signal: AbortSignal.timeout(140_000), input });
      assertEquals(stdout, "");
      assertMatch(stderr, /^Cannot make an entry: /);
      return code;
    };
    assertEquals(await attempt("", "ada"), 2);
    assertEquals(await attempt("\n", "ada"), 2);
    assertEquals(await attempt("secret\n"), 2);
    assertEquals(await attempt("secret\n", "a:b"), 2);
    assertEquals(statSync(file, { throwIfNoEntry: false }), undefined);
  });

  bare("logins that are checked at once keep no session waiting", async (of) => {
    using echo = await Target.echo();
    const entry = (await passwd(of.runtime, "correct horse", "ada")).trim().slice("ada:".length);
    const users = [{ name: "ada", password: entry }];
    await using operated = await Operated.start(of, { users, logins: false, handshakeTimeout: "5m" });
    using wire = await tunnel(operated.place, echo.host, echo.port, { user: ["ada", "correct horse"] });
    let checked = 0;
    const logins = Array.from({ length: 24 }, async (_, index) => {
      const isIn = await logIn(operated.place, "ada", index % 2 ? "correct horse" : `wrong ${index}`);
      checked++;
      return isIn;
    });
    // Each turn goes through while the hashes of the wrong ones are worked at.
    let turns = 0;
    while (checked < logins.length) {
      await wire.send("ping");
      await wire.read(4);
      turns++;
    }
    assertEquals(await Promise.all(logins), logins.map((_, index) => index % 2 === 1));
    assertEquals(turns > 3, true, `${turns} turns`);
  });
});

suite("SOCKS4 user ids", ({ bare }) => {
  const users = [{ name: "ada", password: "lovelace", groups: ["staff"] }, { name: "bob", password: "dylan" }];
  const rules = [{ name: "staff", action: "allow", groups: ["staff"] }];

  bare("are nobody's where users are needed, unless the operator says so", async (of) => {
    using echo = await Target.echo();
    await using operated = await Operated.start(of, { users, rules, otherwise: "deny" });
    const { cd, refusal, reason, user } = await ask4(operated, echo, "ada");
    assertEquals({ cd, refusal, user }, { cd: 91, refusal: "authentication", user: undefined });
    assertMatch(reason!, /"ada": this server wants a password/);
    assertEquals(echo.accepted, 0);
  });

  bare("are believed with trustUserIds, and rules are about them", async (of) => {
    using echo = await Target.echo();
    await using operated = await Operated.start(of, { users, rules, otherwise: "deny", trustUserIds: true });
    const ada = await ask4(operated, echo, "ada");
    assertEquals([ada.cd, ada.user, ada.rule], [90, "ada", "staff"]);
    const bob = await ask4(operated, echo, "bob");
    assertEquals([bob.cd, bob.user, bob.refusal], [91, "bob", "rules"]);
    const eve = await ask4(operated, echo, "eve");
    assertEquals([eve.cd, eve.user, eve.refusal], [91, undefined, "authentication"]);
    // A name is enough for SOCKS4 alone.
    assertEquals(await logIn(operated.place, "ada", ""), false);
  });

  bare("are believed with ident if the client's host confirms them", async (of) => {
    using echo = await Target.echo();
    await using operated = await Operated.start(of, { users, rules, otherwise: "deny", ident: true });
    {
      using _identd = await identd("ada");
      const ada = await ask4(operated, echo, "ada", "127.0.0.9");
      assertEquals([ada.cd, ada.user, ada.rule], [90, "ada", "staff"]);
      const liar = await ask4(operated, echo, "bob", "127.0.0.9");
      assertEquals([liar.cd, liar.refusal], [93, "authentication"]);
    }
    {
      using _identd = await identd("eve");
      const eve = await ask4(operated, echo, "eve", "127.0.0.9");
      assertEquals([eve.cd, eve.refusal], [91, "authentication"]);
    }
    assertEquals((await ask4(operated, echo, "ada", "127.0.0.8")).cd, 92);
  }, { skip: noIdentd });

  bare("are anybody's where there are no users, and no rule takes them for one", async (of) => {
    using echo = await Target.echo();
    await using operated = await Operated.start(of, { rules: [{ action: "deny", users: ["*"] }] });
    const { cd, user } = await ask4(operated, echo, "ada");
    assertEquals([cd, user], [90, undefined]);
  });
});

/** Secrets, one for each place where one can stand. */
const SECRETS = {
  plain: "SECRET-plain-1",
  file: "SECRET-file-2",
  env: "SECRET-env-3",
  usersFile: "SECRET-usersfile-4",
  typed: "SECRET-typed-5",
  redis: "SECRET-redis-6",
  wrong: "SECRET-wrong-7",
  misplaced: "SECRET-misplaced-8",
};

suite("secrets", ({ bare }) => {
  bare("appear nowhere in what the program says", async (of) => {
    const { runtime, folder } = of;
    using echo = await Target.echo();
    const [secretFile, usersFile] = [join(folder, "secret"), join(folder, "secret-users")];
    writeFileSync(secretFile, `${SECRETS.file}\n`, { mode: 0o600 });
    writeFileSync(usersFile, `dan:plain:${SECRETS.usersFile}\n`, { mode: 0o600 });
    const env = { MY_SECRET: SECRETS.env };
    const printed: string[] = [await passwd(runtime, SECRETS.typed, "eve", "--file", usersFile)];
    const settings = {
      logLevel: "debug",
      users: [
        { name: "ada", password: SECRETS.plain },
        { name: "bob", password: { file: secretFile } },
        { name: "cat", password: { env: "MY_SECRET" } },
      ],
      usersFile,
      logins: false,
      store: { redis: `redis://me:${SECRETS.redis}@127.0.0.1:${await closedPort()}/0`, fail: "open" },
      limits: [{ newSessions: "1000/s" }],
    };
    await using operated = await Operated.start({ runtime, folder }, settings, { env });
    const { server, path } = operated;
    const known = [
      ["ada", SECRETS.plain],
      ["bob", SECRETS.file],
      ["cat", SECRETS.env],
      ["dan", SECRETS.usersFile],
      ["eve", SECRETS.typed],
    ] as const;
    for (const user of known) {
      assertEquals((await operated.ask(echo.host, echo.port, { user })).rep, 0, user[0]);
      assertEquals(await logIn(server, user[0], SECRETS.wrong), false);
    }
    printed.push(...await said(runtime, path, env));

    // Mistakes right beside secrets, and secrets in places where none belong.
    const wrong = JSON.stringify({
      ...settings,
      users: [
        { name: "ada", pasword: SECRETS.misplaced },
        { name: "bob", password: [SECRETS.misplaced] },
        { name: "cat", password: { env: "NOT_SET", file: SECRETS.misplaced } },
        { name: "dan", password: `$argon2id$${SECRETS.misplaced}` },
      ],
      store: { redis: `http://me:${SECRETS.redis}@127.0.0.1` },
      usersFile: secretFile,
    });
    const [first] = await operated.reload(wrong);
    assertEquals(first?.level, "error");
    printed.push(...await said(runtime, path, env), await flags(runtime, env));
    const text = await operated.server.stop("SIGTERM").then(() => server.output());
    for (const [place, secret] of Object.entries(SECRETS)) {
      for (const output of [text, ...printed]) {
        assertEquals(output.includes(secret) ? output.slice(0, 4000) : "", "", `the secret ${place} is shown`);
      }
    }
  });
});

/** What the commands on settings say. */
async function said(runtime: RuntimeUnderTest, path: string, env: Record<string, string>): Promise<string[]> {
  const commands = [["config", "check", path], ["config", "show", path], [
    "rules",
    "test",
    "--config",
    path,
    "--user",
    "ada",
    "example.com:443",
  ]];
  const outputs = await Promise.all(commands.map((args) => runToExit(runtime, args, { env })));
  return outputs.map(({ output }) => {
    assertEquals(output.length > 0, true);
    return output;
  });
}

/** What is said of flags and variables that hold secrets. */
async function flags(runtime: RuntimeUnderTest, env: Record<string, string>): Promise<string> {
  const user = ["--user", `ada:${SECRETS.misplaced}`, "--user", `ada:${SECRETS.misplaced}`];
  const { code, output } = await runToExit(runtime, [...user, "--idle-timeout", "x"], {
    env: { ...env, SOCKS_STORE_REDIS: `redis://me:${SECRETS.redis}@127.0.0.1` },
  });
  assertEquals(code, 2);
  return output;
}

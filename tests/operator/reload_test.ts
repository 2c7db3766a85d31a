import { assert, assertEquals, assertMatch } from "@std/assert";
import { closeSync, openSync, renameSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { closedPort, eventually, Target, type To, Udp, Wire } from "../conformance/_client.ts";
import {
  asked,
  ASSOCIATE,
  CONNECT,
  GREETING,
  readReply,
  request5,
  socks5Address,
  tunnel,
} from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { A, NameServer } from "./_name_server.ts";
import { logIn, Operated } from "./_operated.ts";

const ADA = { name: "ada", password: "lovelace" }, BOB = { name: "bob", password: "dylan" };

/** What a target that may be closed says to whoever asks. */
interface Policy {
  /** Grows with each change, and once more when the change is in effect: odd in between. */
  epoch: number;
  isOpen: boolean;
}

/** Sends bytes through a tunnel to an echo and takes them back. */
async function exchange(wire: Wire, data: Uint8Array): Promise<void> {
  const [, back] = await Promise.all([wire.write(data), wire.read(data.length)]);
  assertEquals(back, data);
}

suite("reloads under load", ({ bare }) => {
  bare("no session is lost, and none is let in that the new rules do not allow", async (of) => {
    using echo = await Target.echo({ host: "0.0.0.0" });
    const settings = (isOpen: boolean) => ({
      logLevel: "warning",
      rules: [{ action: isOpen ? "allow" : "deny", to: ["127.0.0.12", "toggled.test"] }, { action: "allow" }],
      resolver: { hosts: { "toggled.test": "127.0.0.13", "open.test": "127.0.0.11" } },
    });
    await using operated = await Operated.start(of, { ...settings(true), logLevel: "info" });
    const policy: Policy = { epoch: 0, isOpen: true };
    let isOver = false;
    const rounds: number[] = new Array(20).fill(0);
    const data = new Uint8Array(20_000).map((_, index) => index * 7);

    /** Connects, transfers and leaves, again and again; one in five stays and transfers all the time. */
    const client = async (index: number): Promise<void> => {
      using staying = index % 5 === 0 ? await tunnel(operated.place, "127.0.0.11", echo.port) : undefined;
      for (; !isOver; rounds[index]!++) {
        if (staying !== undefined) await exchange(staying, data);
        using always = await tunnel(operated.place, index % 2 ? "127.0.0.11" : "open.test", echo.port);
        await exchange(always, data);
        const { epoch, isOpen } = policy;
        const host = index % 2 ? "toggled.test" : "127.0.0.12";
        const { wire, reply } = await asked(operated.place, CONNECT, host, echo.port);
        using sometimes = wire;
        if (epoch % 2 === 0 && epoch === policy.epoch) assertEquals(reply.code, isOpen ? 0 : 2, `in epoch ${epoch}`);
        if (reply.code === 0) await exchange(sometimes, data);
        else assertEquals(reply.code, 2);
      }
    };
    const clients = Promise.all(rounds.map((_, index) => client(index)));
    const reloads = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) {
        const before = [...rounds];
        const allWent = () => isOver || rounds.every((done, index) => done > before[index]!);
        await eventually("a round of each client", allWent);
        policy.epoch++;
        policy.isOpen = i % 2 === 1;
        const [told] = await operated.reload({ ...settings(policy.isOpen), logLevel: "info" });
        assertEquals(told?.message, "Reloaded, running sessions go on");
        policy.epoch++;
      }
      const before = [...rounds];
      await eventually("a last round", () => rounds.every((done, index) => done > before[index]!));
    };
    try {
      await Promise.race([reloads(), clients.then(() => Promise.reject(new Error("The clients ended")))]);
    } finally {
      isOver = true;
    }
    await clients;
    const bad = operated.entries().filter(({ level, end }) =>
      level === "warning" || level === "error" || end === "error"
    );
    assertEquals(bad, []);
  }, { deadlineMs: 300_000 });

  bare("a name that is looked up meanwhile is judged by the new rules", async (of) => {
    using echo = await Target.echo({ host: "0.0.0.0" });
    let answer!: (addresses: readonly string[]) => void;
    const answered = new Promise<readonly string[]>((resolve) => answer = resolve);
    using names = await NameServer.listen((_, type) => type === A ? answered : []);
    const resolver = { servers: [names.address], timeout: "5m", cache: false };
    await using operated = await Operated.start(of, { resolver, connectTimeout: "5m" });
    using wire = await Wire.connect(operated.place);
    await wire.send(GREETING, request5(CONNECT, "slow.test", echo.port));
    await eventually("the question", () => names.questions.includes("slow.test A"));
    await operated.reload({
      resolver,
      connectTimeout: "5m",
      rules: [{ name: "closed", action: "deny", to: ["127.0.0.12"] }],
    });
    answer(["127.0.0.12"]);
    await wire.read(2);
    assertEquals((await readReply(wire)).code, 2);
    assertEquals((await operated.session(wire)).rule, "closed");
    assertEquals(echo.accepted, 0);
  });

  bare("a client who has not logged in has to, once there are users", async (of) => {
    using echo = await Target.echo();
    await using operated = await Operated.start(of);
    using wire = await Wire.connect(operated.place);
    await wire.send(GREETING);
    await wire.read(2);
    await operated.reload({ users: [ADA] });
    await wire.send(request5(CONNECT, echo.host, echo.port));
    assertEquals((await readReply(wire)).code, 2);
    assertEquals((await operated.session(wire)).reason, "a login is needed now");
    assertEquals(echo.accepted, 0);
  });
});

suite("reloads", ({ bare }) => {
  bare("with recheck whoever is not allowed any more is ended as revoked, and no other", async (of) => {
    using echo = await Target.echo({ host: "0.0.0.0" });
    const users = [{ ...ADA, groups: ["staff"] }, BOB];
    const hosts = { "twelve.test": "127.0.0.12" };
    const base = { reload: "recheck", users, resolver: { hosts } };
    await using operated = await Operated.start(of, base);
    const [ada, bob] = [{ user: ["ada", "lovelace"] }, { user: ["bob", "dylan"] }] as const;
    const open = (host: string, who: typeof ada | typeof bob) => tunnel(operated.place, host, echo.port, who);
    using kept = await open("127.0.0.11", ada);
    using byAddress = await open("127.0.0.12", ada);
    using byName = await open("twelve.test", ada);
    using bobs = await open("127.0.0.11", bob);

    const rules = [{ name: "closed", action: "deny", to: ["127.0.0.12"], reason: "closed now" }];
    const [done] = await operated.reload({ ...base, rules });
    assertEquals(done!.message, "Reloaded, running sessions were asked about again");
    for (const wire of [byAddress, byName]) {
      await wire.readToEnd();
      const { end, reason, refusal } = await operated.session(wire);
      assertEquals({ end, refusal }, { end: "revoked", refusal: undefined });
      assertMatch(reason!, /^Not allowed any more: .*closed now$/);
    }
    await exchange(kept, new Uint8Array(1000).fill(1));
    await exchange(bobs, new Uint8Array(1000).fill(2));

    await operated.reload({ ...base, users: [users[0]] });
    await bobs.readToEnd();
    const { end, reason } = await operated.session(bobs);
    assertEquals([end, reason], ["revoked", "Not allowed any more: there is no such user any more"]);
    // Groups are those of the new settings.
    await operated.reload({ ...base, users: [{ ...ADA, groups: [] }], rules: [{ action: "deny", groups: ["staff"] }] });
    await exchange(kept, new Uint8Array(1000).fill(3));
    await operated.reload({ ...base, users: [users[0]], rules: [{ action: "deny", groups: ["staff"] }] });
    assertEquals((await operated.session(kept)).end, "revoked");
  });

  bare("with recheck an association asks for its destinations again, without it keeps what it had", async (of) => {
    using first = await Udp.echo("127.0.0.11");
    using second = await Udp.echo("127.0.0.12");
    for (const reload of ["keep", "recheck"]) {
      await using operated = await Operated.start(of, { reload });
      const { wire, reply } = await asked(operated.place, ASSOCIATE, "0.0.0.0", 0);
      using _control = wire;
      using client = await Udp.bind();
      const send = (to: Udp, word: string) =>
        client.send(
          reply,
          new Uint8Array([0, 0, 0, ...socks5Address(to.host, to.port), ...new TextEncoder().encode(word)]),
        );
      const receive = async () => new TextDecoder().decode((await client.receive()).data.subarray(10));
      await send(second, "before");
      assertEquals(await receive(), "before");
      await second.receive();
      await operated.reload({ reload, rules: [{ action: "deny", to: ["127.0.0.12"] }] });
      await send(second, "after");
      await send(first, "marker");
      const answers = [await receive()];
      if (reload === "keep") answers.push(await receive());
      assertEquals(answers.sort(), reload === "keep" ? ["after", "marker"] : ["marker"]);
      assertEquals(second.waiting, reload === "keep" ? 1 : 0);
      if (reload === "keep") await second.receive();
      await first.receive();
    }
  });

  bare("a file with mistakes changes nothing, and each of them is told with its place", async (of) => {
    using echo = await Target.echo();
    const rules = [{ name: "only", action: "allow", ports: [echo.port] }];
    await using operated = await Operated.start(of, { users: [ADA], rules, otherwise: "deny" });
    using running = await tunnel(operated.place, echo.host, echo.port, { user: ["ada", "lovelace"] });
    const text = JSON.stringify(
      {
        listen: ["127.0.0.1:0"],
        users: [{ name: "eve", password: "sesame" }, { name: "eve", password: "sesame" }],
        rules: [{ action: "permit" }, { action: "allow", ports: [70000] }, { action: "deny", user: ["eve"] }],
        limits: [{ sessions: -1 }],
        idleTimeout: "soon",
      },
      null,
      1,
    );
    await operated.reload(text);
    const problems = await eventually(
      "all problems",
      () => {
        const found = operated.entries().filter(({ event, level }) => event === "reload" && level === "error");
        return found.length >= 5 && found.map(({ message }) => message!);
      },
    );
    for (const message of problems) assertMatch(message, /^Cannot reload, all stays as it was: .*:\d+:\d+: /);
    const all = problems.join("\n");
    for (const setting of ["users", "rules\\[0\\]", "rules\\[1\\]", "rules\\[2\\]", "limits\\[0\\]", "idleTimeout"]) {
      assertMatch(all, new RegExp(setting));
    }
    assertEquals(operated.server.output().includes("sesame"), false);
    assertEquals(await logIn(operated.place, "eve", "sesame"), false);
    const { rep } = await operated.ask(echo.host, echo.port, { user: ["ada", "lovelace"] });
    assertEquals(rep, 0);
    await exchange(running, new Uint8Array(1000));
    assertEquals((await operated.ask("127.0.0.1", 1, { user: ["ada", "lovelace"] })).rule, "otherwise");
  });

  bare("listeners come and go, and sessions outlive the listener they came to", async (of) => {
    using echo = await Target.echo();
    const [one, two] = [await closedPort(), await closedPort("127.0.0.2")];
    const first: To = { host: "127.0.0.1", port: one }, second: To = { host: "127.0.0.2", port: two };
    const listen = [`127.0.0.1:${one}`, { address: `127.0.0.2:${two}`, name: "second" }];
    await using operated = await Operated.start(of, { listen: [listen[0]] });
    await operated.reload({ listen });
    using wire = await tunnel(second, echo.host, echo.port);
    await operated.reload({ listen: [listen[0]] });
    await exchange(wire, new Uint8Array(5000).fill(5));
    const refused = await Wire.connect(second).then((wire) => (wire.close(), false), () => true);
    assert(refused, "the removed listener takes connections");
    const { localAddress, localPort } = wire;
    wire.close();
    assertEquals((await operated.session({ localAddress, localPort })).listenerName, "second");
    // It comes back under another name.
    await operated.reload({ listen: [listen[0], { address: `127.0.0.2:${two}`, name: "again" }] });
    assertEquals((await operated.ask(echo.host, echo.port, { at: second })).listenerName, "again");
    (await tunnel(first, echo.host, echo.port)).close();
  });

  bare("with watch: true a users file that changes is loaded, a bad one told and left alone", async (of) => {
    const usersFile = join(of.folder, `users-${crypto.randomUUID().slice(0, 8)}`);
    /** As editors and `passwd` do: another file in the place of the old one. */
    const replace = (text: string) => {
      writeFileSync(`${usersFile}~`, text, { mode: 0o600 });
      renameSync(`${usersFile}~`, usersFile);
    };
    replace("ada:plain:lovelace\n");
    await using operated = await Operated.start(of, { usersFile, watch: true });
    const { server } = operated;
    assertEquals(await logIn(server, "ada", "lovelace"), true);
    let since = server.output().length;
    replace("ada:plain:analytical\nbob:plain:dylan\n");
    await server.waitForOutput(/"event":"reload".*"ok":true/, { since });
    const logins = [["ada", "lovelace"], ["ada", "analytical"], ["bob", "dylan"]] as const;
    assertEquals(await Promise.all(logins.map(([name, word]) => logIn(server, name, word))), [false, true, true]);

    since = server.output().length;
    replace("ada:plain:babbage\nbob\nada:plain:secret\n");
    await server.waitForOutput(/"event":"reload".*"ok":false/, { since });
    assertEquals(await logIn(server, "ada", "analytical"), true);
    since = server.output().length;
    // Written in place, at one go: emptied before it is filled, it could be taken for one without users.
    const inPlace = openSync(usersFile, "r+");
    writeSync(inPlace, "ada:plain:babbage\n".padEnd(statSync(usersFile).size, "\n"));
    closeSync(inPlace);
    await server.waitForOutput(/"event":"reload".*"ok":true/, { since });
    assertEquals([await logIn(server, "ada", "babbage"), await logIn(server, "bob", "dylan")], [true, false]);
    assertEquals(/lovelace|analytical|dylan|babbage|secret/.test(server.output()), false);
  });
});

import { assertEquals, assertMatch } from "@std/assert";
import { closedPort, Target, type To } from "../conformance/_client.ts";
import { asked, ASSOCIATE, BIND, CONNECT, tunnel } from "../conformance/_socks.ts";
import { type BareCase, suite } from "../conformance/_suite.ts";
import { Operated, type Settings, type Who } from "./_operated.ts";

/** What is asked for, and by whom. */
interface Question extends Who {
  readonly host?: string;
  readonly port?: number;
  readonly command?: number;
}

/** A condition of a rule, questions that it applies to, and others. */
interface Case {
  readonly conditions: Settings;
  readonly applies: readonly Question[];
  readonly others: readonly Question[];
}

/** A target on all addresses of this machine, and another on another port. */
class Targets implements Disposable {
  readonly #both: readonly [Target, Target];

  private constructor(both: readonly [Target, Target]) {
    this.#both = both;
  }

  static async listen(): Promise<Targets> {
    return new Targets([await Target.echo({ host: "0.0.0.0" }), await Target.echo({ host: "0.0.0.0" })]);
  }

  get port(): number {
    return this.#both[0].port;
  }

  get otherPort(): number {
    return this.#both[1].port;
  }

  [Symbol.dispose](): void {
    for (const target of this.#both) target.close();
  }
}

/**
 * Checks conditions on a running server, each in a rule that allows while nothing else is allowed, and in one that denies
 * while everything else is allowed.
 */
async function assertConditions(
  of: BareCase,
  settings: Settings,
  cases: readonly Case[] | ((places: readonly To[]) => readonly Case[]),
): Promise<void> {
  using targets = await Targets.listen();
  const base: Settings = { logLevel: "debug", ...settings };
  await using operated = await Operated.start(of, base);
  const places = await operated.places((settings.listen as unknown[] | undefined)?.length ?? 1);
  const ask = ({ host = "127.0.0.11", port = targets.port, command, ...who }: Question) =>
    operated.ask(host, port, who, command);
  for (const { conditions, applies, others } of typeof cases === "function" ? cases(places) : cases) {
    const told = JSON.stringify(conditions);
    const reload = async (rule: Settings, otherwise: string) =>
      assertEquals(
        (await operated.reload({ ...base, rules: [{ name: "it", ...rule, ...conditions }], otherwise }))
          .map(({ message }) => message),
        ["Reloaded, running sessions go on"],
        told,
      );

    await reload({ action: "allow" }, "deny");
    for (const question of applies) {
      const { rep, rule, refusal } = await ask(question);
      assertEquals({ rep, rule, refusal }, { rep: 0, rule: "it", refusal: undefined }, `${told}, ${show(question)}`);
    }
    for (const question of others) {
      const { rep, rule, refusal, end } = await ask(question);
      const expected = { rep: 2, rule: "otherwise", refusal: "rules", end: "refused" };
      assertEquals({ rep, rule, refusal, end }, expected, `${told}, ${show(question)}`);
    }

    await reload({ action: "deny", reason: 'not {here}, "please"' }, "allow");
    for (const question of applies) {
      const { rep, rule, refusal, reason } = await ask(question);
      assertEquals({ rep, rule, refusal }, { rep: 2, rule: "it", refusal: "rules" }, `${told}, ${show(question)}`);
      assertMatch(reason ?? "", /not \{here\}, "please"$/);
    }
    for (const question of others) {
      const { rep, rule } = await ask(question);
      assertEquals({ rep, rule }, { rep: 0, rule: "otherwise" }, `${told}, ${show(question)}`);
    }
  }
}

function show(question: Question): string {
  return JSON.stringify(question);
}

/** A zone in which it is about that hour of the day now. */
function zoneAt(hour: number): { zone: string; day: string } {
  const now = new Date();
  const ahead = (hour - now.getUTCHours() + 36) % 24 - 12; // -12 to 11
  const local = new Date(now.getTime() + ahead * 3_600_000);
  const day = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][local.getUTCDay()]!;
  return { zone: ahead === 0 ? "Etc/GMT" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`, day };
}

const USERS = [
  { name: "ada", password: "lovelace", groups: ["staff", "night"] },
  { name: "bob", password: "dylan", groups: ["guests"] },
  { name: "eve", password: "online" },
];
const ADA = ["ada", "lovelace"] as const, BOB = ["bob", "dylan"] as const, EVE = ["eve", "online"] as const;

suite("conditions of rules", ({ bare }) => {
  bare("from: addresses, blocks and sets of clients", (of) =>
    assertConditions(of, {}, [
      {
        conditions: { from: ["127.0.0.5"] },
        applies: [{ from: "127.0.0.5" }],
        others: [{ from: "127.0.0.6" }, {}],
      },
      {
        conditions: { from: ["127.0.1.0/24", "127.0.2.8/29"] },
        applies: [{ from: "127.0.1.0" }, { from: "127.0.1.255" }, { from: "127.0.2.15" }],
        others: [{ from: "127.0.0.255" }, { from: "127.0.2.7" }, { from: "127.0.2.16" }],
      },
      { conditions: { from: ["loopback"] }, applies: [{}, { from: "127.9.9.9" }], others: [] },
      { conditions: { from: ["any"] }, applies: [{}], others: [] },
      { conditions: { from: ["private", "link-local"] }, applies: [], others: [{}, { from: "127.9.9.9" }] },
    ]));

  bare("listeners: by name, and by the address as it is written", async (of) => {
    const third = `127.0.0.3:${await closedPort("127.0.0.3")}`;
    const listen = [
      { address: "127.0.0.1:0", name: "office" },
      { address: "127.0.0.2:0", name: "guests" },
      third,
    ];
    await assertConditions(of, { listen }, (places) => {
      const [office, guests, nameless] = places.map((at) => ({ at })) as [Question, Question, Question];
      return [
        { conditions: { listeners: ["office"] }, applies: [office], others: [guests, nameless] },
        { conditions: { listeners: ["guests", "office"] }, applies: [office, guests], others: [nameless] },
        { conditions: { listeners: [third] }, applies: [nameless], others: [office, guests] },
      ];
    });
  });

  bare("users and groups: by name, and everybody who logged in", (of) => {
    const [ada, bob, eve] = [{ user: ADA }, { user: BOB }, { user: EVE }];
    return assertConditions(of, { users: USERS }, [
      { conditions: { users: ["ada"] }, applies: [ada], others: [bob, eve] },
      { conditions: { users: ["bob", "eve"] }, applies: [bob, eve], others: [ada] },
      { conditions: { users: ["*"] }, applies: [ada, bob, eve], others: [] },
      { conditions: { groups: ["night"] }, applies: [ada], others: [bob, eve] },
      { conditions: { groups: ["staff", "guests"] }, applies: [ada, bob], others: [eve] },
      { conditions: { users: ["ada", "bob"], groups: ["guests"] }, applies: [bob], others: [ada, eve] },
    ]);
  });

  bare("users: nobody is anybody where nobody logs in", async (of) => {
    using targets = await Targets.listen();
    await using operated = await Operated.start(of, { rules: [{ action: "deny", users: ["*"] }] });
    assertEquals((await operated.ask("127.0.0.11", targets.port)).rep, 0);
  });

  bare("commands: connect, bind, udp-associate", (of) => {
    const [connect, bind] = [{ command: CONNECT }, { command: BIND }];
    const associate = { command: ASSOCIATE, host: "0.0.0.0", port: 0 };
    return assertConditions(of, {}, [
      { conditions: { commands: ["connect"] }, applies: [connect], others: [bind, associate] },
      { conditions: { commands: ["bind"] }, applies: [bind], others: [connect, associate] },
      { conditions: { commands: ["udp-associate"] }, applies: [associate], others: [connect, bind] },
      { conditions: { commands: ["connect", "bind"] }, applies: [connect, bind], others: [associate] },
      { conditions: { commands: ["resolve"] }, applies: [], others: [connect, bind, associate] },
    ]);
  });

  bare("to: addresses, blocks and sets of targets, given by address or reached by name", (of) => {
    const hosts = { "eleven.test": "127.0.0.11", "twelve.test": "127.0.0.12" };
    const [eleven, twelve] = [{ host: "127.0.0.11" }, { host: "127.0.0.12" }];
    const [byName11, byName12] = [{ host: "eleven.test" }, { host: "twelve.test" }];
    return assertConditions(of, { resolver: { hosts } }, [
      { conditions: { to: ["127.0.0.11"] }, applies: [eleven, byName11], others: [twelve, byName12] },
      {
        conditions: { to: ["127.0.0.8/30"] },
        applies: [eleven, byName11],
        others: [twelve, byName12, { host: "127.0.0.7" }],
      },
      { conditions: { to: ["loopback"] }, applies: [eleven, byName12], others: [] },
      { conditions: { to: ["any"] }, applies: [eleven, byName12], others: [] },
      {
        conditions: { to: ["private", "link-local", "metadata", "multicast"] },
        applies: [],
        others: [eleven, byName12],
      },
    ]);
  });

  bare("to: names that are exact, end so, are like it or match it", (of) => {
    const [web, api, deep, other] = ["example.test", "api.example.test", "a.b.example.test", "notexample.test"]
      .map((host) => ({ host })) as [Question, Question, Question, Question];
    const [upper, dotted] = [{ host: "EXAMPLE.Test" }, { host: "example.test." }];
    const byAddress = { host: "127.0.0.11" };
    return assertConditions(of, { resolver: { hosts: { "*.test": "127.0.0.11" } } }, [
      {
        conditions: { to: ["example.test"] },
        applies: [web, upper, dotted],
        others: [api, deep, other, byAddress],
      },
      {
        conditions: { to: [".example.test"] },
        applies: [web, api, deep, upper],
        others: [other, byAddress],
      },
      { conditions: { to: ["*.example.*"] }, applies: [api, deep], others: [web, other, byAddress] },
      { conditions: { to: ["*example.test"] }, applies: [web, other, deep], others: [byAddress] },
      { conditions: { to: ["/^(api|a\\.b)\\./"] }, applies: [api, deep], others: [web, other, byAddress] },
      { conditions: { to: ["/example/", "127.0.0.99"] }, applies: [web, other], others: [byAddress] },
    ]);
  });

  bare("ports: one, and a range", async (of) => {
    using others = await Targets.listen();
    const { port, otherPort } = others;
    const [low, high] = [Math.min(port, otherPort), Math.max(port, otherPort)];
    await assertConditions(of, {}, [
      { conditions: { ports: [port] }, applies: [{ port }], others: [{ port: otherPort }, {}] },
      { conditions: { ports: [port, `${otherPort}`] }, applies: [{ port }, { port: otherPort }], others: [{}] },
      { conditions: { ports: [`${low}-${high}`] }, applies: [{ port: low }, { port: high }], others: [] },
      { conditions: { ports: ["1-1023"] }, applies: [], others: [{ port }, {}] },
    ]);
  });

  bare("times: days and hours of a zone", (of) => {
    // Hours away from every border, whenever this runs.
    const { zone: noon, day: today } = zoneAt(12);
    const { zone: midnight } = zoneAt(0);
    const otherDays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].filter((day) => day !== today).join(",");
    const hours = "06:00-18:00", night = "18:00-06:00";
    return assertConditions(of, {}, [
      { conditions: { times: [{ hours, zone: noon }] }, applies: [{}], others: [] },
      { conditions: { times: [{ hours, zone: midnight }] }, applies: [], others: [{}] },
      { conditions: { times: [{ hours: night, zone: midnight }] }, applies: [{}], others: [] },
      { conditions: { times: [{ hours: night, zone: noon }] }, applies: [], others: [{}] },
      { conditions: { times: [{ days: today, zone: noon }] }, applies: [{}], others: [] },
      { conditions: { times: [{ days: otherDays, zone: noon }] }, applies: [], others: [{}] },
      { conditions: { times: [{ days: today, hours, zone: noon }] }, applies: [{}], others: [] },
      { conditions: { times: [{ days: otherDays, hours, zone: noon }] }, applies: [], others: [{}] },
      {
        conditions: { times: [{ days: otherDays, zone: noon }, { hours, zone: noon }] },
        applies: [{}],
        others: [],
      },
    ]);
  });

  bare("all of them together: what lacks one of them is not meant", async (of) => {
    using others = await Targets.listen();
    const { port, otherPort } = others;
    const { zone } = zoneAt(12);
    const listen = [{ address: "127.0.0.1:0", name: "office" }, { address: "127.0.0.2:0", name: "guests" }];
    const settings = { listen, users: USERS, resolver: { hosts: { "*.test": "127.0.0.12" } } };
    await assertConditions(of, settings, ([office, guests]) => {
      const all: Question = { from: "127.0.5.5", user: ADA, at: office!, host: "x.test", port };
      return [{
        conditions: {
          from: ["127.0.5.0/24"],
          listeners: ["office"],
          users: ["ada", "bob"],
          groups: ["staff"],
          commands: ["connect"],
          to: ["127.0.0.11", ".test"],
          ports: [port],
          times: [{ hours: "06:00-18:00", zone }],
        },
        applies: [all, { ...all, host: "127.0.0.11" }],
        others: [
          { ...all, from: "127.0.6.5" },
          { ...all, at: guests! },
          { ...all, user: BOB },
          { ...all, user: EVE },
          { ...all, command: BIND },
          { ...all, host: "127.0.0.12" },
          { ...all, port: otherPort },
        ],
      }];
    });
  });
});

suite("rules", ({ bare }) => {
  bare("the first that applies decides", async (of) => {
    using targets = await Targets.listen();
    await using operated = await Operated.start(of, {
      rules: [
        { action: "deny", to: ["127.0.0.12"] },
        { name: "all below", action: "allow", to: ["127.0.0.0/24"], log: "all" },
        { action: "deny", to: ["127.0.0.13"] },
      ],
      otherwise: "deny",
    });
    const first = await operated.ask("127.0.0.12", targets.port);
    assertEquals([first.rep, first.rule], [2, "rule 1"]);
    const second = await operated.ask("127.0.0.13", targets.port);
    assertEquals([second.rep, second.rule], [0, "all below"]);
    const last = await operated.ask("127.0.1.1", targets.port);
    assertEquals([last.rep, last.rule, last.reason], [2, "otherwise", "no rule allows it"]);
  });

  bare("of a name's addresses only those that rules allow are dialled", async (of) => {
    using targets = await Targets.listen();
    const hosts = { "mixed.test": ["127.0.0.12", "127.0.0.11"], "bad.test": ["127.0.0.12", "127.0.0.13"] };
    await using operated = await Operated.start(of, {
      resolver: { hosts },
      rules: [{ name: "it", action: "deny", to: ["127.0.0.12/31"], reason: "closed" }],
    });
    const mixed = await operated.ask("mixed.test", targets.port);
    assertEquals([mixed.rep, mixed.address, mixed.rule], [0, "127.0.0.11", undefined]);
    const bad = await operated.ask("bad.test", targets.port);
    assertEquals([bad.rep, bad.rule, bad.reason], [2, "it", "bad.test: 127.0.0.12: closed"]);
  });

  bare("log: none and refused keep lines out, in text as well", async (of) => {
    using targets = await Targets.listen();
    await using operated = await Operated.start(of, {
      rules: [
        { name: "quiet", action: "allow", to: ["127.0.0.11"], log: "none" },
        { name: "quiet no", action: "deny", to: ["127.0.0.12"], log: "none" },
        { name: "half", action: "allow", to: ["127.0.0.13"], log: "refused" },
        { name: "loud no", action: "deny", to: ["127.0.0.14"], log: "refused", reason: "no" },
        { name: "loud", action: "allow", to: ["127.0.0.15"], log: "all" },
      ],
    });
    for (const last of [11, 12, 13]) {
      (await asked(operated.place, CONNECT, `127.0.0.${last}`, targets.port)).wire.close();
    }
    assertEquals((await operated.ask("127.0.0.14", targets.port)).rule, "loud no");
    // A line that is wrongly there would come before the one of a later session.
    assertEquals((await operated.ask("127.0.0.15", targets.port)).rule, "loud");
    assertEquals(operated.entries().filter(({ event }) => event === "session").map(({ rule }) => rule), [
      "loud no",
      "loud",
    ]);
  });

  bare("the line of a session names rule and reason, for people too", async (of) => {
    using targets = await Targets.listen();
    await using operated = await Operated.start(
      of,
      {
        rules: [
          { name: "no \u202ethere\n", action: "deny", to: ["127.0.0.12"], reason: "closed {at} 5\u001b[31m" },
          { name: "yes", action: "allow" },
        ],
      },
      { format: "text" },
    );
    const { server } = operated;
    const { port } = targets;
    (await asked(server, CONNECT, "127.0.0.12", port)).wire.close();
    const refused = await server.waitForOutput(/.*connect 127\.0\.0\.12:.*\n/);
    assertMatch(
      refused,
      new RegExp(
        String.raw`INFO +#\d+ 127\.0\.0\.1:\d+ - connect 127\.0\.0\.12:${port} by "no .*there.*", .*refused by rules: `,
      ),
    );
    assertEquals(refused.includes("\u202e") || refused.includes("\u001b"), false);
    (await tunnel(server, "127.0.0.11", port)).close();
    await server.waitForOutput(
      new RegExp(`- connect 127\\.0\\.0\\.11:${port} by "yes", 0 B up, 0 B down, .*, finished`),
    );
  });
});

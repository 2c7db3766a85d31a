import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../clients/_process.ts";
import { noNamespaces } from "../conformance/_netns.ts";
import { onPath, repository, type RunningServer, runToExit, startServer } from "../conformance/_server.ts";
import { type BareCase, suite } from "../conformance/_suite.ts";
import { Internet, type InternetOptions } from "./_internet.ts";

const EXAMPLES = join(repository, "tests/examples");
const missing = (...programs: string[]) =>
  noNamespaces ?? programs.filter((name) => onPath(name) === undefined).map((name) => `${name} is not installed`)[0];

/** curl's exit code for a proxy that refused, and the address of a web page. */
const REFUSED = 97, WEB = "203.0.113.80";

/** An example in a folder of its own, which it may write to, in a network that has its addresses. */
class Example implements AsyncDisposable {
  readonly path: string;
  readonly #case: BareCase;
  readonly #internet: Internet;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(of: BareCase, path: string, internet: Internet, env: Readonly<Record<string, string>>) {
    this.#case = of;
    this.path = path;
    this.#internet = internet;
    this.#env = env;
  }

  static async open(of: BareCase, name: string, world: InternetOptions, env = {}): Promise<Example> {
    const path = join(mkdtempSync(join(of.folder, "example-")), name);
    copyFileSync(join(EXAMPLES, name), path);
    return new Example(of, path, await Internet.open(world), env);
  }

  get internet(): Internet {
    return this.#internet;
  }

  /** Puts other text into the copy. */
  change(from: string | RegExp, to: string): void {
    const text = readFileSync(this.path, "utf8");
    const changed = text.replaceAll(new RegExp(from, "g"), to);
    assert(changed !== text, `${from} is not in ${this.path}`);
    writeFileSync(this.path, changed);
  }

  /** Adds a user to the file "users" beside it, as an operator does. */
  async addUser(name: string, password: string, groups: string): Promise<void> {
    const file = join(this.path, "../users");
    const command = [...this.#case.runtime.command, "passwd", name, "--file", file, "--groups", groups];
    const { code, stderr } = await run(command, { signal: AbortSignal.timeout(140_000), input: `${password}\n` });
    assertEquals(code, 0, stderr);
  }

  /** Runs another command of the program. */
  async program(...args: readonly string[]): Promise<{ code: number; output: string }> {
    return await runToExit(this.#case.runtime, args, { env: this.#env });
  }

  /** Checks and serves it. */
  async serve(...flags: readonly string[]): Promise<RunningServer> {
    assertEquals(await this.program("config", "check", this.path), { code: 0, output: `${this.path} is right\n` });
    const options = { prefix: this.#internet.prefix, listen: false, env: this.#env };
    return await startServer(this.#case.runtime, ["--config", this.path, ...flags], options);
  }

  /** Fetches the page and checks who asked for it, as the page says. */
  async assertFetches(from: string, proxy: string, url: string, asker?: string): Promise<void> {
    const { code, stdout, stderr } = await this.#internet.fetch(from, proxy, url);
    assertEquals({ url, code, stderr }, { url, code: 0, stderr: "" });
    assertMatch(stdout, /^GET/);
    if (asker !== undefined) assertStringIncludes(stdout, ` from ${asker}\n`);
  }

  /** Checks that the server refuses by its rules (REP 02), or the login with `how`. */
  async assertRefused(from: string, proxy: string, url: string, how = /\(2\)/): Promise<void> {
    const { code, stdout, stderr } = await this.#internet.fetch(from, proxy, url);
    assertEquals({ url, code, stdout }, { url, code: REFUSED, stdout: "" });
    assertMatch(stderr, how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#internet[Symbol.asyncDispose]();
  }
}

const LOGIN_REFUSED = /rejected by the SOCKS5 server/;

suite("the personal proxy", ({ bare }) => {
  const world: InternetOptions = {
    addresses: ["192.168.1.10", "192.168.1.30", "192.168.1.20", "192.168.1.1"],
    nameServers: ["9.9.9.9", "149.112.112.112"],
    names: { "example.com": WEB, "stats.doubleclick.net": WEB, "telemetry2.example.net": WEB },
    ports: [22, 80, 443, 5001],
  };
  const here = "ada:lovelace@127.0.0.1:1080", home = "ada:lovelace@192.168.1.10:1080", phone = "192.168.1.30";

  bare("serves this machine and the phone, with a login, and keeps trackers out", async (of) => {
    await using example = await Example.open(of, "personal.yaml", world);
    await using server = await example.serve();
    await example.assertFetches("127.0.0.1", here, "http://example.com/");
    await example.assertFetches(phone, home, "http://example.com:443/");
    await example.assertRefused(phone, "192.168.1.10:1080", "http://example.com/", /No authentication method/);
    await example.assertRefused(phone, "ada:x@192.168.1.10:1080", "http://example.com/", LOGIN_REFUSED);
    await example.assertRefused("127.0.0.1", here, "http://stats.doubleclick.net/");
    await example.assertRefused(phone, home, "http://telemetry2.example.net/");
    // Of what is at home, the phone reaches the shares alone.
    await example.assertFetches(phone, home, "http://nas.home:443/");
    await example.assertFetches(phone, home, "http://192.168.1.20:5001/");
    await example.assertRefused(phone, home, "http://192.168.1.20:22/");
    await example.assertRefused(phone, home, "http://192.168.1.1/");
    await server.waitForOutput(/192\.168\.1\.1:80.*private address, and the client is not on this machine/);
    await server.waitForOutput(/nas\.home:443 \(192\.168\.1\.20:443\) by "nas".*finished/);
    await server.stop("SIGTERM");
    assert(!/doubleclick|telemetry|lovelace/.test(server.output()), server.output());
  }, { skip: missing("curl") });
});

suite("the office gateway", ({ bare }) => {
  const world: InternetOptions = {
    addresses: ["10.20.0.1", "10.20.0.5", "10.20.3.7", "10.20.3.8", "169.254.169.254"],
    nameServers: ["127.0.0.1"],
    names: { "www.example.org": WEB, "mail.example.com": WEB, "news.example.net": WEB },
    ports: [22, 80, 443, 993],
  };
  const pc = "10.20.3.7", elsewhere = "10.20.3.8", news = "http://news.example.net/";
  const as = (name: string, password = `${name}'s`) => `${name}:${password}@10.20.0.1:1080`;

  const open = async (of: BareCase): Promise<Example> => {
    const example = await Example.open(of, "office.yaml", world);
    for (const [name, groups] of [["ada", "staff"], ["grace", "admins"], ["visitor", "guests"]]) {
      await example.addUser(name!, `${name}'s`, groups!);
    }
    example.change("/var/lib/socks-server/", "./");
    return example;
  };
  /** Puts each window of hours around the whole day, or leaves nothing of it: only `rules test` can choose the time. */
  const setHours = (example: Example, are: "on" | "off") =>
    example.change(/days: .*?, hours: ".*?"/, `days: ${are === "on" ? "mon-sun" : anotherDay()}`);

  bare("gives each group what is its own, in working hours", async (of) => {
    await using example = await open(of);
    setHours(example, "on");
    await using server = await example.serve();
    await example.assertFetches(pc, as("ada"), news);
    await example.assertFetches(pc, as("ada"), "http://mail.example.com:993/");
    await example.assertRefused(pc, as("ada"), "http://10.20.0.5:22/");
    await example.assertFetches(pc, as("grace"), "http://10.20.0.5:22/");
    await example.assertRefused(pc, as("grace"), "http://169.254.169.254/");
    await example.assertFetches(pc, as("visitor"), "http://www.example.org:443/");
    await example.assertRefused(pc, as("visitor"), "http://www.example.org/");
    await example.assertRefused(pc, as("visitor"), news);
    await server.waitForOutput(/ada connect news\.example\.net:80 \(203\.0\.113\.80:80\) by "working hours".*finished/);
    await server.waitForOutput(/grace connect 169\.254\.169\.254:80 by "cloud secrets".*refused by rules/);
  }, { skip: missing("curl") });

  bare("lets staff at nothing but their mail, out of hours", async (of) => {
    await using example = await open(of);
    setHours(example, "off");
    await using _server = await example.serve();
    await example.assertRefused(pc, as("ada"), news);
    await example.assertFetches(pc, as("ada"), "http://mail.example.com:993/");
    await example.assertFetches(pc, as("grace"), "http://10.20.0.5:443/");
  }, { skip: missing("curl") });

  bare("has the hours that it says", async (of) => {
    await using example = await open(of);
    const at = async (time: string) => {
      const asked = ["--config", example.path, "--from", pc, "--user", "ada", "--at", time];
      const { code } = await example.program("rules", "test", ...asked, "--address", WEB, "news.example.net:443");
      return code === 0;
    };
    // In July Berlin is two hours ahead. 2026-07-06 is a Monday.
    assertEquals(await at("2026-07-06T04:59:59Z"), false);
    assertEquals(await at("2026-07-06T05:00:00Z"), true);
    assertEquals(await at("2026-07-06T16:59:59Z"), true);
    assertEquals(await at("2026-07-06T17:00:00Z"), false);
    assertEquals(await at("2026-07-11T10:00:00Z"), true);
    assertEquals(await at("2026-07-12T10:00:00Z"), false);
  }, { skip: missing() });

  bare("lets a guest have four sessions, and an address guess five passwords", async (of) => {
    await using example = await open(of);
    await using server = await example.serve();
    const held = [];
    for (let i = 0; i < 4; i++) {
      held.push(await example.internet.hold(pc, as("visitor"), "http://www.example.org:443"));
    }
    await example.assertRefused(pc, as("visitor"), "http://www.example.org:443/");
    await held[0]![Symbol.asyncDispose]();
    await server.waitForOutput(/visitor connect www\.example\.org:443 .*by "guests", \S+ \S+ up, \S+ \S+ down/);
    await example.assertFetches(pc, as("visitor"), "http://www.example.org:443/");

    for (let i = 0; i < 5; i++) await example.assertRefused(pc, as("ada", "guess"), news, LOGIN_REFUSED);
    await example.assertRefused(pc, as("ada"), "http://mail.example.com:993/", LOGIN_REFUSED);
    await example.assertFetches(elsewhere, as("ada"), "http://mail.example.com:993/");
  }, { skip: missing("curl") });
});

suite("an example that lacks something", ({ bare }) => {
  bare("is told in a line", async (of) => {
    const path = join(mkdtempSync(join(of.folder, "example-")), "office.yaml");
    copyFileSync(join(EXAMPLES, "office.yaml"), path);
    const serve = () => runToExit(of.runtime, ["--config", path, "--listen", "127.0.0.1:0"]);
    const from = "{ file: /var/lib/socks-server/counts.json }";
    const missing = `${path}:7:1: usersFile: ${join(path, "../users")} cannot be read: no such file\n`;
    const first = await serve();
    assertEquals([first.code, first.output.startsWith(missing)], [2, true], first.output);
    writeFileSync(join(path, "../users"), "ada:plain:lovelace\n");
    const text = readFileSync(path, "utf8");
    assertStringIncludes(text, from);
    writeFileSync(path, text.replace(from, "{ file: nowhere/counts.json }"));
    const { code, output } = await serve();
    const file = JSON.stringify(join(path, "../nowhere/counts.json"));
    assertEquals(code, 1);
    assertStringIncludes(output, `Cannot write counts to ${file}: ENOENT: no such file or directory\n`);
    assert(!output.includes("    at "), output);
  });
});

/** A day that it neither is nor soon will be, in any time zone. */
function anotherDay(): string {
  const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
  return days[(new Date().getUTCDay() + 3) % 7]!;
}

suite("the locked-down egress", ({ bare }) => {
  const world: InternetOptions = {
    addresses: ["10.0.5.1", "10.0.5.7", "10.0.6.7", "10.0.8.15", "10.0.8.16", "203.0.113.20", "169.254.169.254"],
    nameServers: ["127.0.0.1"],
    names: { "api.payments.example": WEB, "pay7.eu.payments.example": WEB, "example.com": WEB },
    ports: [80, 443, 5432],
  };
  const service = "10.0.5.7", api = "http://api.payments.example:443/";

  bare("lets the service at its provider and its database, and at nothing else", async (of) => {
    await using example = await Example.open(of, "egress.toml", world, { BILLING_PASSWORD: "correct horse" });
    await using server = await example.serve();
    const proxy = "billing:correct%20horse@10.0.5.1:1080";
    await example.assertFetches(service, proxy, api, "203.0.113.20");
    await example.assertFetches(service, proxy, "http://pay7.eu.payments.example:443/", "203.0.113.20");
    await example.assertFetches(service, proxy, "http://db.internal:5432/", "203.0.113.20");
    await example.assertRefused(service, proxy, "http://api.payments.example/");
    await example.assertRefused(service, proxy, "http://example.com:443/");
    await example.assertRefused(service, proxy, `http://${WEB}:443/`);
    await example.assertRefused(service, proxy, "http://10.0.8.15:443/");
    await example.assertRefused(service, proxy, "http://169.254.169.254/");
    await example.assertRefused("10.0.6.7", proxy, api);
    await example.assertRefused(service, "10.0.5.1:1080", api, /No authentication method/);
    await server.waitForOutput(/by "cloud secrets".*refused by rules: no service needs the secrets of the machine/);
    await server.stop("SIGTERM");
    assert(!/db\.internal|correct/.test(server.output()), server.output());
  }, { skip: missing("curl") });
});

suite("the public relay", ({ bare }) => {
  const world: InternetOptions = {
    addresses: ["192.0.2.1", "198.51.100.7", "10.0.0.1"],
    nameServers: ["127.0.0.1"],
    names: { "example.com": WEB, "inside.example.net": "10.0.0.1" },
    ports: [25, 80, 443, 999, 8080],
  };
  const anybody = "198.51.100.7", proxy = "192.0.2.1:1080";
  const env = { REDIS_URL: "redis://:counts@127.0.0.1:6379" };

  bare("takes everybody to the web, and nobody inside or to mail", async (of) => {
    await using example = await Example.open(of, "relay.jsonc", world, env);
    const folder = mkdtempSync(join(of.folder, "redis-"));
    mkdirSync(folder, { recursive: true });
    const settings = ["--bind", "127.0.0.1", "--requirepass", "counts", "--save", "", "--dir", folder];
    const redis = await example.internet.start(/Ready to accept/, "redis-server", ...settings);
    await using server = await example.serve("--log-format", "json");
    await example.assertFetches(anybody, proxy, "http://example.com/");
    await example.assertFetches(anybody, proxy, "http://example.com:8080/");
    await example.assertRefused(anybody, proxy, "http://example.com:25/");
    await example.assertRefused(anybody, proxy, "http://example.com:999/");
    for (const inside of ["127.0.0.1", "[::1]", "10.0.0.1", "inside.example.net", "2130706433"]) {
      await example.assertRefused(anybody, proxy, `http://${inside}/`);
    }
    await redis[Symbol.asyncDispose]();
    await example.assertFetches(anybody, proxy, "http://example.com:443/");
    await server.waitForOutput(/"event":"store"/);
    await server.stop("SIGTERM");
    assert(!server.output().includes("counts@"), server.output());

    const sessions = server.output().split("\n").filter((line) => line.includes('"event":"session"'))
      .map((line) => JSON.parse(line));
    const of80 = sessions.filter(({ targetPort, end }) => targetPort === 80 && end === "finished");
    assertEquals(of80, [], "what is usual is not logged");
    const said = sessions.map(({ targetPort, rule, end, reason }) => [targetPort, rule, end, reason]);
    assertEquals(said.slice(0, 2), [
      [8080, "other ports", "finished", undefined],
      [25, "mail", "refused", "no mail from here"],
    ]);
    // Also where the name is an address in disguise, or leads inside.
    assertEquals(said.filter(([, rule]) => rule === "inside").length, 5);
  }, { skip: missing("curl", "redis-server") });
});

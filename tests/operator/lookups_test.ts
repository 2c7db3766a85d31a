import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Finished, run } from "../clients/_process.ts";
import { noNamespaces } from "../conformance/_netns.ts";
import { onPath } from "../conformance/_server.ts";
import { suite } from "../conformance/_suite.ts";
import { Internet, type InternetOptions } from "./_internet.ts";
import { NameServer } from "./_name_server.ts";
import { type Entry, Operated, type Settings } from "./_operated.ts";

const missing = (...programs: string[]) =>
  programs.filter((name) => onPath(name) === undefined).map((name) => `${name} is not installed`)[0];

const HOSTS = {
  "web.test": "203.0.113.80",
  "six.test": "2001:db8::80",
  "both.test": ["2001:db8::81", "203.0.113.81"],
  "ads.test": "203.0.113.99",
};

/** Asks a server with Tor's own program. */
function torResolve(operated: Operated, ...args: readonly string[]): Promise<Finished> {
  const { host, port } = operated.server;
  return run(["tor-resolve", ...args, `${host}:${port}`], { signal: AbortSignal.timeout(140_000) });
}

async function answer(operated: Operated, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await torResolve(operated, ...args);
  return code === 0 ? stdout.trim() : /status response '(\d+)'/.exec(stderr)?.[1] ?? stderr;
}

/** The account of a session. */
function sessionOf(operated: Operated, id: number): Promise<Entry> {
  return operated.entry(`session ${id}`, (entry) => entry.event === "session" && entry.id === id);
}

suite("tor-resolve", ({ bare }) => {
  const options = { skip: missing("tor-resolve") };
  const start = (of: Parameters<typeof Operated.start>[0], settings: Settings = {}) =>
    Operated.start(of, { resolver: { hosts: HOSTS }, ...settings });

  bare("is told addresses, over SOCKS5 and 4a, and each lookup is a line of the log", async (of) => {
    await using operated = await start(of);
    assertEquals(await answer(operated, "web.test"), "203.0.113.80");
    assertEquals(await answer(operated, "-4", "web.test"), "203.0.113.80");
    assertEquals(await answer(operated, "six.test"), "2001:db8::80");
    assertEquals(await answer(operated, "both.test"), "203.0.113.81");
    assertEquals(await answer(operated, "-4", "both.test"), "203.0.113.81");
    assertEquals(await answer(operated, "127.0.0.1"), "127.0.0.1");
    assertMatch(await answer(operated, "localhost"), /^(?:127\.0\.0\.1|::1)$/);
    const { command, target, targetPort, address, end } = await sessionOf(operated, 1);
    assertEquals({ command, target, targetPort, address, end }, {
      targetPort: undefined,
      command: "resolve",
      target: "web.test",
      address: "203.0.113.80",
      end: "finished",
    });
  }, options);

  bare("is told names of addresses", async (of) => {
    await using operated = await start(of);
    assertEquals(await answer(operated, "-x", "203.0.113.80"), "web.test");
    assertEquals(await answer(operated, "-x", "2001:db8::80"), "six.test");
    assertMatch(await answer(operated, "-x", "127.0.0.1"), /^[\w.-]+$/);
    const { command, target } = await sessionOf(operated, 1);
    assertEquals([command, target], ["resolve-ptr", "203.0.113.80"]);
  }, options);

  bare("is refused what does not exist, what rules deny and what is not enabled", async (of) => {
    await using operated = await start(of, { rules: [{ action: "deny", to: ["ads.test", "203.0.113.81"] }] });
    assertEquals(await answer(operated, "-4", "six.test"), "91");
    assertEquals(await answer(operated, `${"x".repeat(64)}.test`), "4");
    assertEquals(await answer(operated, "ads.test"), "2");
    assertEquals(await answer(operated, "-4", "ads.test"), "91");
    assertEquals(await answer(operated, "both.test"), "2001:db8::81");
    assertEquals(await answer(operated, "-x", "203.0.113.81"), "2");
    assertEquals(await answer(operated, "web.test"), "203.0.113.80");
    await operated.reload({ resolver: { hosts: HOSTS }, resolveCommands: false });
    assertEquals(await answer(operated, "web.test"), "7");
    assertEquals(await answer(operated, "-x", "203.0.113.80"), "7");
    assertEquals(await answer(operated, "-4", "web.test"), "91");
  }, options);

  bare("is refused names that are left to a way out, and no name server hears of them", async (of) => {
    using names = await NameServer.listen(() => ["203.0.113.80"]);
    const upstreams = [{ name: "far", proxy: "socks5h://127.0.0.1:1" }];
    const settings = { upstreams, resolver: { servers: [names.address] } };
    await using operated = await Operated.start(of, { ...settings, via: "far" });
    assertEquals(await answer(operated, "web.test"), "7");
    assertEquals(await answer(operated, "-x", "203.0.113.80"), "7");
    assertEquals(names.questions, []);
    await operated.reload(settings); // whoever asks may connect by it, for all that is known
    assertEquals([await answer(operated, "web.test"), names.questions], ["7", []]);
    await operated.reload({ ...settings, resolveCommands: true });
    assertEquals(await answer(operated, "web.test"), "203.0.113.80");
    assertEquals(names.questions.length > 0, true);
  }, options);

  bare("is answered by the server behind, where names are left to that", async (of) => {
    using names = await NameServer.listen(() => ["203.0.113.99"]);
    await using behind = await start(of);
    const upstreams = [{ name: "behind", proxy: `socks5h://127.0.0.1:${behind.server.port}` }];
    const resolver = { servers: [names.address] };
    const settings = { upstreams, via: "behind", resolver, resolveCommands: true };
    await using operated = await Operated.start(of, settings);
    assertEquals(await answer(operated, "web.test"), "203.0.113.80");
    assertEquals(await answer(operated, "-4", "both.test"), "203.0.113.81");
    assertEquals(await answer(operated, "-x", "203.0.113.80"), "web.test");
    assertEquals(await answer(operated, `${"x".repeat(64)}.test`), "4");
    assertEquals(names.questions, []);
    await behind.reload({ resolveCommands: false });
    assertEquals(await answer(operated, "web.test"), "7");
  }, options);
});

suite("torsocks", ({ bare }) => {
  const options = { skip: noNamespaces ?? missing("torsocks", "curl", "python3") };
  const world: InternetOptions = {
    addresses: ["203.0.113.80"],
    nameServers: ["203.0.113.53"],
    names: {},
    ports: [80],
  };

  bare("has the proxy look names up both ways, and connects by it", async (of) => {
    await using internet = await Internet.open(world);
    const settings = { resolver: { hosts: HOSTS } };
    await using operated = await Operated.start(of, { listen: ["127.0.0.1:1080"], ...settings }, {
      prefix: internet.prefix,
    });
    const torsocks = (...command: readonly string[]): Promise<Finished> =>
      run([...internet.prefix, "torsocks", "-a", "127.0.0.1", "-P", "1080", ...command], {
        signal: AbortSignal.timeout(140_000),
      });
    const curl = ["curl", "--disable", "--silent", "--show-error", "--max-time", "140", "http://web.test/"];
    const fetched = await torsocks(...curl);
    assertEquals([fetched.code, fetched.stderr], [0, ""]);
    assertStringIncludes(fetched.stdout, "GET / at 203.0.113.80:80");
    const looked = await sessionOf(operated, 1);
    const connected = await sessionOf(operated, 2);
    assertEquals([looked.command, looked.target], ["resolve", "web.test"]);
    assertEquals([connected.command, connected.target], ["connect", "203.0.113.80"]);

    const reverse = await torsocks("python3", "-c", "import socket; print(socket.gethostbyaddr('203.0.113.80')[0])");
    assertEquals([reverse.code, reverse.stdout], [0, "web.test\n"], reverse.stderr);

    await operated.reload({ listen: ["127.0.0.1:1080"], ...settings, resolveCommands: false });
    const refused = await torsocks(...curl);
    assertEquals([refused.code, refused.stdout], [6, ""]); // the name was not found
  }, options);
});

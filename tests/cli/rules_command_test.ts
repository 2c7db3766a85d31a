import { test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runWords } from "./_run.ts";

const files = {
  "a.yaml": `
listen: [{ address: "192.0.2.1:1080", name: office }, "127.0.0.1:1080"]
users: [{ name: ada, password: { env: ADA }, groups: [staff] }]
rules:
  - { action: deny, to: [10.0.0.0/8], reason: no intranet }
  - { action: allow, name: web, groups: [staff], ports: [443], listeners: [office] }
  - { action: allow, name: hours, commands: [bind], times: [{ days: mon, hours: "08:00-09:00", zone: UTC }] }
  - { action: allow, name: home, to: [192.168.0.0/16] }
`,
};

/** The first line is what was asked; here is what was answered. */
async function answer(words: string): Promise<[number, readonly string[]]> {
  const { code, stdout, stderr } = await runWords(`rules test --config a.yaml ${words}`, files, { ADA: "x" });
  assertEquals(stderr, []);
  return [code, stdout.slice(1)];
}

test("the rule that decides is named, and why those before it do not", async () => {
  assertEquals(await answer("--from 192.0.2.7 --user ada 198.51.100.1:443"), [0, [
    "  rule 1 (deny): does not apply, to: 198.51.100.1 is none of 10.0.0.0/8",
    "  web (allow): applies, all of its conditions apply",
    "Allowed by web, and the safe defaults allow it",
  ]]);
  const [code, lines] = await answer("--from 192.0.2.7 10.1.2.3:443");
  assertEquals([code, lines.at(-1)], [1, "Denied by rule 1: no intranet"]);
});

test("the help says each command once", async () => {
  const help = (await runWords("rules test --help")).stdout.join(" ");
  assertEquals(help.match(/\budp-associate\b/g)?.length, 1, help);
  assertMatch(help, /choices: "connect", .*default:\s+"connect"\)/);
});

test("no keytab is needed: whoever tries rules may not read the server's", async () => {
  const settings = { "a.yaml": "auth: { gssapi: { keytab: socks.keytab } }\notherwise: deny" };
  const { code, stderr, stdout } = await runWords("rules test --config a.yaml --user ada 198.51.100.1:443", settings);
  assertEquals([code, stderr, stdout.at(-1)], [1, [], "Denied by otherwise: no rule allows it"]);
});

test("the request is told as it was understood", async () => {
  const { stdout } = await runWords(
    "rules test --config a.yaml --from 192.0.2.7 --user ada --at 2026-01-05T08:30:00Z a.example:25",
    files,
    { ADA: "x" },
  );
  assertEquals(stdout[0], "ada (staff) from 192.0.2.7 at office, connect to a.example:25, 2026-01-05T08:30:00.000Z:");
});

test("a lookup has no port, whatever is written", async () => {
  const [, lines] = await answer("--from 192.0.2.7 --user ada --command resolve www.example:443");
  assertEquals(lines[1], "  web (allow): does not apply, ports: 0 is none of 443");
});

test("a name is not decided on while a rule is about its address", async () => {
  const [code, lines] = await answer("--from 192.0.2.7 --user ada www.example:443");
  assertEquals(code, 1);
  assertStringIncludes(lines.at(-1)!, "Not decided until the name is resolved");
  assertEquals((await answer("--from 192.0.2.7 --user ada --address 10.0.0.1 www.example:443"))[0], 1);
  assertEquals((await answer("--from 192.0.2.7 --user ada --address 198.51.100.1 www.example:443"))[0], 0);
});

test("listener, user, group, command and time count", async () => {
  const last = async (words: string) => (await answer(`--from 192.0.2.7 ${words}`))[1].at(-1);
  const none = "No rule applies, and the safe defaults allow it";
  assertEquals(await last("--user ada --listener 127.0.0.1:1080 198.51.100.1:443"), none);
  assertEquals(await last("--user bob 198.51.100.1:443"), none);
  assertEquals(
    await last("--user bob --group staff 198.51.100.1:443"),
    "Allowed by web, and the safe defaults allow it",
  );
  const bind = "--command bind 198.51.100.1:80";
  assertEquals(await last(`--at 2026-01-05T08:30:00Z ${bind}`), "Allowed by hours, and the safe defaults allow it");
  assertEquals(await last(`--at 2026-01-05T09:00:00Z ${bind}`), none);
});

test("the safe defaults have the last word, unless a rule lists the address", async () => {
  const last = async (words: string) => (await answer(words))[1].at(-1);
  assertEquals(
    await last("--from 192.0.2.7 172.16.0.1:80"),
    "No rule applies, and the safe defaults deny it: private address, and the client is not on this machine",
  );
  assertEquals(await last("--from 127.0.0.1 172.16.0.1:80"), "No rule applies, and the safe defaults allow it");
  assertEquals(await last("--from 192.0.2.7 192.168.1.1:80"), "Allowed by home");
  assertEquals(
    await last("--from 127.0.0.1 192.0.2.1:1080"),
    "No rule applies, and the safe defaults deny it: it is a listener of this server",
  );
});

test("the word after the last rule is told", async () => {
  const deny = { "b.yaml": "otherwise: deny" };
  const { code, stdout } = await runWords("rules test --config b.yaml 198.51.100.1:80", deny);
  assertEquals([code, stdout.at(-1)], [1, "Denied by otherwise: no rule allows it"]);
});

test("mistakes are told by their flags", async () => {
  const first = async (words: string) => {
    const { code, stderr } = await runWords(`rules test ${words}`);
    assertEquals([code, stderr.at(-1)], [2, "Flags and examples: socks-server rules test --help"]);
    return stderr[0];
  };
  assertEquals(await first("--from here a:1"), '--from: found "here", expected an IP address');
  assertEquals(await first("a"), 'target: found "a", expected HOST:PORT or [IPv6]:PORT');
  assertEquals(await first("--at noon a:1"), '--at: found "noon", expected a time such as 2026-01-05T22:30:00Z');
  assertEquals(
    await first("--command conect a:1"),
    '--command: found "conect", expected one of connect, bind, udp-associate, resolve',
  );
  assertEquals(await first("--form 1.2.3.4 a:1"), "Unknown flag --form: did you mean --from?");
});

test("the way out is told, and whether the name is left to it", async () => {
  const ways = {
    "a.yaml": `
upstreams: [{ name: tor, proxy: socks5h://127.0.0.1:9050 }, { name: old, proxy: socks5://192.0.2.1 }]
rules:
  - { action: allow, to: [10.0.0.0/8], via: direct }
  - { action: allow, to: [.onion], via: tor }
  - { action: allow, to: [.ads.example], via: block }
  - { action: deny, to: [.bad.example] }
`,
  };
  const last = async (words: string, via?: string): Promise<[number, string]> => {
    const { code, stdout } = await runWords(`rules test --config a.yaml ${words}`, ways, { SOCKS_VIA: via ?? "" });
    return [code, stdout.at(-1)!];
  };
  assertEquals(await last("x.onion:80"), [0, 'Allowed by rule 2; it leaves by "tor", to which the name is left']);
  assertEquals(await last("a.ads.example:80"), [1, 'Allowed by rule 3, and denied by its way out, "block"']);
  assertEquals(
    (await last("a.example:80"))[1],
    "Not decided until the name is resolved: it depends on rule 1 (see --address)",
  );
  const tor = (words: string) => last(`--from 192.0.2.7 ${words}`, "tor");
  assertEquals(await tor("a.example:80"), [
    0,
    'No rule applies; it leaves by "tor", to which the name is left',
  ]);
  assertEquals(await tor("--address 192.168.0.1 a.example:80"), await tor("a.example:80"));
  assertEquals(await tor("a.bad.example:80"), [1, "Denied by rule 4: denied by rule 4"]);
  assertEquals(await tor("10.0.0.1:80"), [0, "Allowed by rule 1"]);
  assertEquals((await tor("192.168.0.1:80"))[0], 1);
  assertEquals((await tor("localhost:80"))[0], 1);
  const told = 'No rule applies, and the safe defaults allow it; it leaves by "old"';
  assertEquals(await last("--address 192.0.2.9 a.example:80", "old"), [0, told]);
  const chain = "socks5h://ada:hunter2@one.example,socks5h://two.example";
  assertEquals(
    (await last("a.example:80", chain))[1],
    'No rule applies; it leaves by "socks5h://one.example:1080, socks5h://two.example:1080", to which the name is left',
  );
});

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { effectiveSettings } from "../../src/config/effective.ts";
import { loadConfig } from "../../src/config/load.ts";
import { filesOf } from "./_load.ts";

const HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$R2VuZXJhdGVkSGFzaEJ5dGVzMzJCeXRlc0xvbmdYWFg";

function load(files: Record<string, string>, modes: Record<string, number> = {}, env = {}) {
  const fileMode = (path: string) => Promise.resolve(modes[path]);
  const file = Object.keys(files)[0]!;
  return loadConfig({ flags: {}, env, file, readFile: filesOf(files), fileMode });
}

test("secrets come from files and from the environment", async () => {
  const { config, warnings } = await load(
    {
      "etc/a.yaml": `
users:
  - { name: ada, password: { file: ada.secret } }
  - { name: bob, password: { file: /run/bob }, groups: [staff] }
  - { name: cy, password: { env: CY } }
store: { redis: { file: redis.url } }`,
      "etc/ada.secret": "two words \n",
      "/run/bob": `${HASH}\r\n`,
      "etc/redis.url": "redis://:hunter2@localhost:6379\n",
    },
    {},
    { CY: "x\n" },
  );
  assertEquals(config.users, [
    { name: "ada", password: "two words " },
    { name: "bob", password: HASH, groups: ["staff"] },
    { name: "cy", password: "x\n" },
  ]);
  assertEquals(config.store, { redis: "redis://:hunter2@localhost:6379" });
  assertEquals(warnings, []);
});

test("paths in a file are from its folder", async () => {
  const { config } = await load({
    "etc/a.yaml": "usersFile: users\nlogFile: /var/log/socks.log\nstore: { file: counts.json }",
    "etc/users": `ada:${HASH}`,
  });
  assertEquals([config.usersFile, config.logFile, config.store], [
    "etc/users",
    "/var/log/socks.log",
    { file: "etc/counts.json" },
  ]);
  assertEquals(config.users, [{ name: "ada", password: HASH }]);
});

test("of files with secrets that everybody can read is warned", async () => {
  const files = {
    "a.yaml": "users: [{ name: ada, password: { file: ada.secret } }]\nusersFile: users",
    "ada.secret": "x",
    "users": `bob:${HASH}`,
  };
  const told = "can be read by everybody on this machine, expected at most owner and group (chmod o-r)";
  assertEquals((await load(files, { "a.yaml": 0o644, "ada.secret": 0o644, "users": 0o604 })).warnings, [
    `a.yaml:1:34: users[0].password.file: ada.secret ${told}`,
    `a.yaml:2:1: usersFile: users ${told}`,
  ]);
  assertEquals((await load(files, { "a.yaml": 0o644, "ada.secret": 0o640, "users": 0o600 })).warnings, []);
});

test("of plain text in a file is warned, and more so if everybody can read it", async () => {
  const files = { "a.yaml": "users: [{ name: ada, password: hunter2 }]" };
  const plain = 'Passwords in plain text: "ada"; "socks-server passwd" makes hashes of them';
  assertEquals((await load(files, { "a.yaml": 0o600 })).warnings, [plain]);
  assertEquals((await load(files, { "a.yaml": 0o644 })).warnings, [
    plain,
    "a.yaml can be read by everybody on this machine, expected at most owner and group (chmod o-r)",
  ]);
});

test("settings without a secret of their own may be read by everybody, whatever stands in the users file", async () => {
  const files = {
    "a.yaml": "usersFile: users\nusers: [{ name: cy, password: '" + HASH.replace("t=2", "t=3") + "' }]",
    "users": `ada:plain:hunter2\nbob:${HASH}`,
  };
  assertEquals((await load(files, { "a.yaml": 0o644, "users": 0o600 })).warnings.map((line) => line.split(":")[0]), [
    "Passwords in plain text",
    'Hashes that cost more or less than that of "cy"',
  ]);
});

test("what a comma cut off from a password is not shown", async () => {
  const users = `users:\n  - { name: ada, password: hunter2, hunter3 }\n  - { name: bob, password: ${HASH} }`;
  const problems: string[] = await load({ "a.yaml": users }).then(() => [], (error) => error.problems);
  assertEquals(problems, [
    "a.yaml:2:5: users[0]: found words that are no settings, expected quotes around text with a comma in it",
    "a.yaml:3:5: users[1]: found words that are no settings, expected quotes around text with a comma in it",
    "a.yaml:3:18: users[1].password: found no costs after v=19, expected m=MEMORY,t=PASSES,p=LANES",
  ]);
});

test("a keytab that cannot be read is told where it is named, and one that everybody can read warned of", async () => {
  const files = { "etc/a.yaml": "auth:\n  gssapi: { keytab: socks.keytab }", "etc/socks.keytab": "\x05\x02" };
  const { config, warnings } = await load(files, { "etc/socks.keytab": 0o644 });
  assertEquals(config.auth?.gssapi?.keytab, "etc/socks.keytab");
  assertEquals(warnings, [
    "etc/a.yaml:2:13: auth.gssapi.keytab: etc/socks.keytab can be read by everybody on this machine, expected at most " +
    "owner and group (chmod o-r)",
  ]);
  const problems = await load({ "etc/a.yaml": files["etc/a.yaml"] }).then(() => undefined, (error) => error.problems);
  assertEquals(problems, ["etc/a.yaml:2:13: auth.gssapi.keytab: etc/socks.keytab cannot be read: no such file"]);
});

test("a secret for CHAP is fetched like a password, may stand alone, and is hidden when it is shown", async () => {
  const files = {
    "a.yaml": `
users:
  - { name: ada, chapSecret: { file: ada.secret }, groups: [staff] }
  - { name: bob, password: { env: PASSWORD }, chapSecret: { env: SECRET } }`,
    "ada.secret": "two words \n",
  };
  const { config, warnings } = await load(files, {}, { PASSWORD: HASH, SECRET: "s" });
  assertEquals(config.users, [
    { name: "ada", groups: ["staff"], chapSecret: "two words " },
    { name: "bob", password: HASH, chapSecret: "s" },
  ]);
  assertEquals(warnings, []);
  const shown = effectiveSettings(config).users;
  assertEquals<unknown>(shown, [
    { name: "ada", chapSecret: { hidden: "plain text" }, groups: ["staff"] },
    { name: "bob", password: { hidden: "argon2id hash" }, chapSecret: { hidden: "plain text" } },
  ]);
});

test("of a secret for CHAP in a file that everybody can read is warned", async () => {
  const files = { "a.yaml": "users: [{ name: ada, chapSecret: hunter2 }]" };
  assertEquals((await load(files, { "a.yaml": 0o600 })).warnings, []);
  assertEquals((await load(files, { "a.yaml": 0o644 })).warnings, [
    "a.yaml can be read by everybody on this machine, expected at most owner and group (chmod o-r)",
  ]);
});

test("a name in the settings and in the users file is a mistake", async () => {
  const files = { "a.json": '{ "users": [{ "name": "ada", "password": { "env": "ADA" } }], "usersFile": "users" }' };
  const problems = await load({ ...files, "users": `ada:${HASH}\n` }, {}, { ADA: "x" }).then(
    () => undefined,
    (error) => error.problems,
  );
  assertEquals(problems, ['users: found "ada", who is in the settings, too, expected each name once']);
});

test("proxies and their passwords are secrets like others", async () => {
  const { config, warnings } = await load(
    {
      "etc/a.yaml": `
upstreams:
  - { name: one, proxy: { file: one.url }, isolate: { user: "{user}", password: { env: TWO } } }
  - { name: two, proxy: [socks5h://192.0.2.1, { env: TWO_URL }] }
via: { file: /run/via }
rules: [{ action: allow, via: one, to: [.one.example] }, { action: allow, via: two }]`,
      "etc/one.url": "socks5h://ada:hunter2@one.example\n",
      "/run/via": "socks5h://via.example\n",
    },
    {},
    { TWO: "hunter2", TWO_URL: "socks5h://two.example" },
  );
  assertEquals(config.upstreams, [
    { name: "one", proxy: ["socks5h://ada:hunter2@one.example"], isolate: { user: "{user}", password: "hunter2" } },
    { name: "two", proxy: ["socks5h://192.0.2.1", "socks5h://two.example"] },
  ]);
  assertEquals(config.via, ["socks5h://via.example"]);
  assertEquals(warnings, []);
});

test("a way out may be named in a file or a variable, too", async () => {
  const files = { "a.yaml": "via: { env: WAY }\nupstreams: [{ name: tor, proxy: socks5h://127.0.0.1:9050 }]" };
  assertEquals((await load(files, {}, { WAY: "tor" })).config.via, ["tor"]);
});

test("of passwords of proxies in a file that everybody can read is warned", async () => {
  const told = "a.yaml can be read by everybody on this machine, expected at most owner and group (chmod o-r)";
  const warnings = async (text: string) => (await load({ "a.yaml": text }, { "a.yaml": 0o644 })).warnings;
  assertEquals(await warnings("via: socks5h://ada:hunter2@one.example"), [told]);
  assertEquals(await warnings("via: [socks5h://one.example, 'socks5h://ada:hunter2@two.example']"), [told]);
  assertEquals(await warnings("via: a\nupstreams: [{ name: a, proxy: 'socks5h://ada:hunter2@one.example' }]"), [told]);
  const isolate =
    'via: a\nupstreams: [{ name: a, proxy: socks5h://one.example, isolate: { user: "{user}", password: hunter2 } }]';
  assertEquals(await warnings(isolate), [told]);
  assertEquals(await warnings("via: a\nupstreams: [{ name: a, proxy: 'socks5h://ada@one.example' }]"), []);
});

test("the logins of proxies are not shown", async () => {
  const { config } = await load({
    "a.yaml": `
upstreams:
  - { name: a, proxy: ["socks5h://ada:hunter2@one.example", socks5://two.example:1081], isolate: { user: "{user}", password: hunter2 } }
  - { name: b, proxy: "socks5h://hunter2@one.example" }
via: ["socks5h://ada:hunter2@three.example"]`,
  });
  const shown = effectiveSettings(config);
  assertEquals(shown["upstreams"], [
    {
      name: "a",
      proxy: [{ hidden: "socks5h://one.example:1080 with a login" }, "socks5://two.example:1081"],
      isolate: { user: "{user}", password: { hidden: "plain text" } },
    },
    { name: "b", proxy: { hidden: "socks5h://one.example:1080 with a login" } },
  ]);
  assertEquals(shown["via"], { hidden: "socks5h://three.example:1080 with a login" });
});

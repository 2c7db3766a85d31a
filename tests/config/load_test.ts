import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/config/config_error.ts";
import { loadConfig } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { load, problems } from "./_load.ts";

const DURATION = "expected a duration such as 3, 3s, 2m, 1h or 500ms (at most 576h; 0 means no limit)";
const ENDPOINT = "expected HOST:PORT such as 127.0.0.1:1080, [IPv6]:PORT or unix:PATH (a port is 0 to 65535)";
const ADVICE = "add a user (--user NAME:PASSWORD), serve everybody on purpose (--open), or listen on loopback " +
  "(--listen 127.0.0.1:1080)";

test("without flags and file nothing is set", async () => {
  assertEquals(await load({}), {});
});

test("every setting of a file is read", async () => {
  const content = {
    listen: ["127.0.0.1:1080", "[::1]:1080", "unix:/run/socks.sock", "localhost:0"],
    users: [{ name: "ada", password: "love:lace" }, { name: "al an", password: "" }],
    handshakeTimeout: 10,
    connectTimeout: "1m",
    bindTimeout: "0",
    idleTimeout: "1h",
    advertise: "2001:DB8:0::1",
    udpPorts: "40000-40999",
    ident: true,
    allowPrivate: false,
    open: true,
    logLevel: "debug",
  };
  assertEquals(await load({}, content), {
    ...content,
    listen: content.listen.map((address) => ({ address })),
    handshakeTimeout: 10_000,
    connectTimeout: 60_000,
    bindTimeout: 0,
    idleTimeout: 3_600_000,
    advertise: "2001:db8::1",
    udpPorts: { from: 40000, to: 40999 },
    logLevel: "debug",
  });
});

test("flags win over the file, setting by setting, and their lists replace the file's", async () => {
  const content = {
    listen: ["127.0.0.1:1", "127.0.0.1:2"],
    users: [{ name: "ada", password: "x" }],
    idleTimeout: "1h",
    bindTimeout: "1m",
  };
  const flags = { listen: ["127.0.0.1:3"], user: ["alan:a:b", "bob:"], idleTimeout: "5", ident: true };
  assertEquals(await load(flags, content), {
    listen: [{ address: "127.0.0.1:3" }],
    users: [{ name: "alan", password: "a:b" }, { name: "bob", password: "" }],
    idleTimeout: 5_000,
    bindTimeout: 60_000,
    ident: true,
  });
});

test("a flag that is not given leaves the file's setting", async () => {
  assertEquals(await load({ idleTimeout: undefined, user: undefined }, { idleTimeout: 1 }), { idleTimeout: 1_000 });
});

test("wrong flags are told by their names", async () => {
  const cases: [Parameters<typeof problems>[0], string[]][] = [
    [{ idleTimeout: "3x" }, [`--idle-timeout: found "3x", ${DURATION}`]],
    [{ handshakeTimeout: "" }, [`--handshake-timeout: found "", ${DURATION}`]],
    [{ connectTimeout: "-1" }, [`--connect-timeout: found "-1", ${DURATION}`]],
    [{ bindTimeout: "9999h" }, [`--bind-timeout: found "9999h", ${DURATION}`]],
    [{ listen: ["1080"] }, [`--listen: found "1080", ${ENDPOINT}`]],
    [{ listen: ["127.0.0.1:1", "::1:80"] }, [`--listen (number 2): found "::1:80", ${ENDPOINT}`]],
    [{ listen: ["[::1]:65536"] }, [`--listen: found "[::1]:65536", ${ENDPOINT}`]],
    [{ listen: ["127.0.0.1:1", "127.0.0.1:1"] }, [
      '--listen (number 2): found "127.0.0.1:1" a second time, expected each address once',
    ]],
    [{ advertise: "proxy.example" }, [
      '--advertise: found "proxy.example", expected an IP address that clients can reach, such as 192.0.2.1 or 2001:db8::1',
    ]],
    [{ advertise: "0.0.0.0" }, [
      '--advertise: found "0.0.0.0", expected an IP address that clients can reach, such as 192.0.2.1 or 2001:db8::1',
    ]],
    [{ udpPorts: "5000-4000" }, [
      '--udp-ports: found "5000-4000", expected FROM-TO such as 40000-40999 (ports 1 to 65535, FROM not above TO)',
    ]],
    [{ logLevel: "warn" }, ['--log-level: found "warn", expected debug, info, warning or error']],
    [{ logLevel: "a\x1b[2J" }, ['--log-level: found "a\\x1b[2J", expected debug, info, warning or error']],
    [{ user: [":secret"] }, ['--user: found "", expected a name of 1 to 255 bytes']],
    [{ user: ["secret"] }, ["--user: found no colon, expected NAME:PASSWORD"]],
    [{ user: ["a:1", ""] }, ["--user (number 2): found no colon, expected NAME:PASSWORD"]],
    [{ user: ["a:1", "b:2", "a:3"] }, ['--user (number 3): found "a" a second time, expected each name once']],
    [{ user: [`ada:${"ü".repeat(128)}`] }, ["--user: found text of 256 bytes, expected text of at most 255 bytes"]],
    [{ user: [`${"ü".repeat(128)}:x`] }, [
      `--user: found "${"ü".repeat(60)}…", expected a name of 1 to 255 bytes`,
    ]],
  ];
  for (const [flags, expected] of cases) assertEquals(await problems(flags), expected);
});

test("wrong settings of a file are told by their paths", async () => {
  const users = 'expected a list such as [{ "name": "ada", "password": "…" }]';
  const password = "expected text of at most 255 bytes, { file: PATH } or { env: NAME }";
  const user = 'expected an object such as { "name": "ada", "password": "…" }';
  const cases: [unknown, string[]][] = [
    [[], ['config.json: found an empty list, expected an object such as { "listen": ["127.0.0.1:1080"] }']],
    ["null", ['config.json: found null, expected an object such as { "listen": ["127.0.0.1:1080"] }']],
    [{ idleTimeout: true }, [`config.json: idleTimeout: found true, ${DURATION}`]],
    [{ idleTimeout: -3 }, [`config.json: idleTimeout: found -3, ${DURATION}`]],
    [{ idleTimeout: null }, [`config.json: idleTimeout: found null, ${DURATION}`]],
    [{ listen: "127.0.0.1:1080" }, [
      'config.json: listen: found "127.0.0.1:1080", expected a list such as ["127.0.0.1:1080"]',
    ]],
    [{ listen: [] }, [
      'config.json: listen: found an empty list, expected a list of at least one address such as ["127.0.0.1:1080"]',
    ]],
    [{ listen: [1080] }, [
      `config.json: listen[0]: found 1080, ${ENDPOINT}, or an object such as ` +
      '{ "address": "0.0.0.0:1080", "name": "office" }',
    ]],
    [{ listen: ["unix:"] }, [`config.json: listen[0]: found "unix:", ${ENDPOINT}`]],
    [{ udpPorts: 4000 }, [
      "config.json: udpPorts: found 4000, expected FROM-TO such as 40000-40999 (ports 1 to 65535, FROM not above TO)",
    ]],
    [{ open: "yes" }, ['config.json: open: found "yes", expected true or false']],
    [{ ident: 1 }, ["config.json: ident: found 1, expected true or false"]],
    [{ users: "ada:secret" }, [`config.json: users: found text of 10 bytes, ${users}`]],
    [{ users: ["ada:secret"] }, [`config.json: users[0]: found text of 10 bytes, ${user}`]],
    [{ users: [{ name: "ada" }] }, [
      `config.json: users[0].password: found nothing, ${password}`,
    ]],
    [{ users: [{ name: "ada", password: 12345 }] }, [
      `config.json: users[0].password: found a number, ${password}`,
    ]],
    [{ users: [{ name: "", password: "" }] }, [
      'config.json: users[0].name: found "", expected a name of 1 to 255 bytes',
    ]],
    [{ users: [{ name: "a", password: "" }, { name: "a", password: "" }] }, [
      'config.json: users[1].name: found "a" a second time, expected each name once',
    ]],
    [{ users: [{ name: "a", password: "", pasword: "secret" }] }, [
      'config.json: users[0].pasword: unknown setting, did you mean "password"?',
    ]],
    [{ idleTimeOut: 3 }, ['config.json: idleTimeOut: unknown setting, did you mean "idleTimeout"?']],
    ['{ "__proto__": 1 }', [
      `config.json: __proto__: unknown setting, expected one of ${SETTINGS.join(", ")}`,
    ]],
  ];
  for (const [content, expected] of cases) assertEquals(await problems({}, content), expected);
});

test("every problem of every place is told at once", async () => {
  const found = await problems({ idleTimeout: "x", user: ["a"] }, {
    lisen: [],
    users: [{ name: "a", password: 1 }, { name: "b" }, { name: "b", password: "" }],
    udpPorts: "1",
    connectTimeout: "y",
  });
  assertEquals(found.map((problem) => problem.replace(/: (found|unknown).*/, "")), [
    "config.json: lisen",
    "config.json: users[0].password",
    "config.json: users[1].password",
    "config.json: users[2].name",
    "config.json: udpPorts",
    "config.json: connectTimeout",
    "--user",
    "--idle-timeout",
  ]);
});

test("no message holds a password", async () => {
  const secret = "correct horse battery staple";
  const flags = [{ user: [secret] }, { user: [`a:${secret}`, `a:${secret}`] }, { user: [`:${secret}`] }];
  const contents = [
    { users: secret },
    { users: [secret] },
    { users: [[secret]] },
    { users: [{ name: "", password: secret }] },
    { users: [{ name: "a", password: { text: secret } }] },
    { users: { ada: secret } },
    `{ "users": [{ "name": "a", "password": "${secret}" "x" }] }`,
    `{ "users": [{ "name": "a", "password": "${secret}\n" }] }`,
    `{ "users": [{ "name": "a", "password": ${secret} }] }`,
  ];
  const all = [
    ...await Promise.all(flags.map((flags) => problems(flags))),
    ...await Promise.all(contents.map((content) => problems({}, content))),
  ].flat();
  for (const problem of all) assert(!/horse|battery|staple/.test(problem), problem);
});

test("a listener beyond loopback needs users, or --open", async () => {
  const sentence = (address: string) =>
    `Cannot listen on "${address}" without users: anyone who reaches it could use this proxy; ${ADVICE}`;
  for (const address of ["0.0.0.0:1080", "[::]:1080", "192.0.2.1:1080"]) {
    assertEquals(await problems({ listen: ["127.0.0.1:1", address] }), [sentence(address)]);
  }
  assertEquals(await problems({ idleTimeout: "x" }, { listen: ["0.0.0.0:1"], users: [] }), [
    `--idle-timeout: found "x", ${DURATION}`,
    sentence("0.0.0.0:1"),
  ]);
  await load({ listen: ["0.0.0.0:1080"], user: ["a:b"] });
  await load({ listen: ["0.0.0.0:1080"], open: true });
  await load({ listen: ["0.0.0.0:1080"] }, { users: [{ name: "a", password: "b" }] });
  await load({ listen: ["127.8.9.1:1080", "[::1]:1080", "unix:/run/s", "localhost:1080"] });
});

test("a user that cannot be read does not turn into a listener without users", async () => {
  assertEquals(await problems({ listen: ["0.0.0.0:1080"], user: ["ada"] }), [
    "--user: found no colon, expected NAME:PASSWORD",
  ]);
});

const EXTENSIONS = "expected .yaml, .yml, .toml, .json, .jsonc";

test("the extension says how to read a file", async () => {
  assertEquals(await problems({}, "{}", "etc/socks.conf"), [
    `etc/socks.conf: found the extension ".conf", ${EXTENSIONS}`,
  ]);
  assertEquals(await problems({}, "{}", "a.json/socks"), [`a.json/socks: found no extension, ${EXTENSIONS}`]);
  assertEquals(await problems({}, "{}", "a.constructor"), [
    `a.constructor: found the extension ".constructor", ${EXTENSIONS}`,
  ]);
  for (const file of ["A.JSON", "a.jsonc", "a.yaml", "a.yml"]) assertEquals(await load({}, "{}", file), {}, file);
  assertEquals(await load({}, "", "a.toml"), {});
});

test("a mistake in the JSON is told by line and column, beside those in the flags", async () => {
  assertEquals(await problems({ logLevel: "x" }, '{\n  "open": tru\n}'), [
    'config.json:2:11: found "t", expected double quotes around text and keys',
    '--log-level: found "x", expected debug, info, warning or error',
  ]);
});

test("a byte order mark is skipped, other bytes that are no UTF-8 are told", async () => {
  assertEquals(await load({}, '\ufeff{ "open": true }'), { open: true });
  const readFile = () => Promise.resolve(Uint8Array.of(0x7b, 0xff, 0x7d));
  const error = await assertRejects(() => loadConfig({ flags: {}, file: "c.json", readFile }), ConfigError);
  assertEquals(error.problems, ["c.json: found bytes that are not UTF-8"]);
});

test("a file that cannot be read is told with the reason", async () => {
  const reasons: Record<string, string> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EISDIR: "it is a directory",
    EIO: "disk on fire",
  };
  for (const [code, reason] of Object.entries(reasons)) {
    const readFile = () => Promise.reject(Object.assign(new Error("disk on fire"), { code }));
    const error = await assertRejects(() => loadConfig({ flags: {}, file: "c.json", readFile }), ConfigError);
    assertEquals(error.problems, [`c.json: cannot be read: ${reason}`]);
  }
});

test("a last word that lifts the safe defaults for other machines is warned of", async () => {
  const warningsOf = async (content: Record<string, unknown>): Promise<readonly string[]> => {
    const readFile = (): Promise<Uint8Array> => Promise.resolve(new TextEncoder().encode(JSON.stringify(content)));
    return (await loadConfig({ flags: {}, file: "c.json", readFile })).warnings;
  };
  const wide = { listen: ["[::]:1080"], open: true };
  assertEquals(await warningsOf({ ...wide, otherwise: "allow" }), [
    "c.json:1:37: otherwise: found allow, which lets other machines reach this one and private networks; safe does not",
  ]);
  for (const same of [{ otherwise: "safe" }, { otherwise: "deny" }, { otherwise: "allow", allowPrivate: true }]) {
    assertEquals(await warningsOf({ ...wide, ...same }), []);
  }
  assertEquals(await warningsOf({ otherwise: "allow" }), []);
  assertEquals(await warningsOf({ listen: ["127.0.0.1:1080", "unix:/run/socks"], otherwise: "allow" }), []);
});

test("of thousands of users that nobody is each is told, and for some what may be meant", async () => {
  const names = Array.from({ length: 3000 }, (_, index) => `user-${index}`);
  const content = {
    users: [
      { name: "ada", password: { env: "SECRET" } },
      ...names.map((name) => ({ name, password: { env: "SECRET" } })),
    ],
    rules: [{ action: "allow", users: ["ada", "*", ...names.map((name) => `${name}x`)], groups: ["staff"] }],
  };
  const readFile = () => Promise.resolve(new TextEncoder().encode(JSON.stringify(content)));
  const { warnings } = await loadConfig({ flags: {}, env: { SECRET: "x" }, file: "a.json", readFile });
  assertEquals(warnings.length, 3001);
  assert(warnings[0]!.endsWith('rules[0].users[2]: found "user-0x", which is no user; did you mean "user-0"?'));
  assert(warnings[2999]!.endsWith(
    'found "user-2999x", which is no user; there is ada, user-0, user-1, user-2, ' +
      "user-3, user-4, user-5, user-6, user-7, user-8, …",
  ));
  assert(warnings[3000]!.endsWith('rules[0].groups[0]: found "staff", which is no user\'s group; there is none'));
});

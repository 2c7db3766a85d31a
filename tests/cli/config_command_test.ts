import { test } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SETTINGS } from "../../src/config/schema.ts";
import { runWords } from "./_run.ts";

const RIGHT = "listen: ['127.0.0.1:0']\nidleTimeout: 1h\n";
const WRONG = "lisen: []\nidleTimeout: 1y\n";

test("a right file is right", async () => {
  const expected = { code: 0, stdout: ["a.yaml is right"], stderr: [] };
  assertEquals(await runWords("config check a.yaml", { "a.yaml": RIGHT }), expected);
  assertEquals(await runWords("config check --config a.yaml", { "a.yaml": RIGHT }), expected);
  assertEquals(await runWords("config check", { "a.yaml": RIGHT }, { SOCKS_CONFIG: "a.yaml" }), expected);
});

test("every mistake in a wrong file is a line of its own", async () => {
  const { code, stdout, stderr } = await runWords("config check a.yaml", { "a.yaml": WRONG }, {
    SOCKS_OPEN: "perhaps",
  });
  assertEquals(code, 2);
  assertEquals(stdout, [""]);
  assertEquals(stderr, [
    'a.yaml:1:1: lisen: unknown setting, did you mean "listen"?',
    'a.yaml:2:1: idleTimeout: found "1y", expected a duration such as 3, 3s, 2m, 1h or 500ms (at most 576h; 0 means no limit)',
    'SOCKS_OPEN: found "perhaps", expected true or false',
  ]);
});

test("what is allowed and not wise is a warning", async () => {
  const files = { "a.json": '{ "users": [{ "name": "ada", "password": "hunter2" }] }' };
  const { code, stderr } = await runWords("config check a.json", files);
  assertEquals([code, stderr.length], [0, 1]);
  assertStringIncludes(stderr[0]!, 'Warning: Passwords in plain text: "ada"');
});

test("what is in effect is shown, with defaults and without secrets", async () => {
  const text = "users: [{ name: ada, password: hunter2 }]\nstore: { redis: 'redis://u:hunter2@localhost' }\n";
  const { code, stdout } = await runWords("config show a.yaml --idle-timeout 90", { "a.yaml": text }, {
    SOCKS_LOG_LEVEL: "debug",
  });
  assertEquals(code, 0);
  for (const line of ["idleTimeout: 90s", "connectTimeout: 2m", "logLevel: debug", "otherwise: safe"]) {
    assert(stdout.includes(line), line);
  }
  assertEquals(/hunter2/.test(stdout.join("\n")), false);
});

test("as JSON it is one object", async () => {
  const { stdout } = await runWords("config show --json");
  assertEquals(JSON.parse(stdout.join("\n")).listen, ["127.0.0.1:1080"]);
});

test("what cannot be loaded cannot be shown", async () => {
  const { code, stdout, stderr } = await runWords("config show a.yaml", { "a.yaml": WRONG });
  assertEquals([code, stdout, stderr[0]], [2, [""], "2 mistakes in the settings:"]);
});

test("the schema for editors describes every setting", async () => {
  const { code, stdout } = await runWords("config schema");
  assertEquals(code, 0);
  const { properties } = JSON.parse(stdout.join("\n"));
  assertEquals(Object.keys(properties).sort(), ["$schema", ...SETTINGS].sort());
  for (const name of SETTINGS) assert(properties[name].description?.endsWith("."), name);
});

test("without a word it says what it can do, and a wrong word is told", async () => {
  const { code, stdout } = await runWords("config");
  assertEquals(code, 0);
  for (const word of ["check", "show", "schema", "Exit codes:"]) assertStringIncludes(stdout.join("\n"), word);
  assertEquals(await runWords("config chek"), {
    code: 2,
    stdout: [""],
    stderr: ["Unknown command chek: did you mean check?", "Flags and examples: socks-server config --help"],
  });
  assertEquals((await runWords("config check a b")).stderr, [
    "Found words that are no flags, expected one",
    "Flags and examples: socks-server config check --help",
  ]);
  assertEquals((await runWords("config show --jsn")).stderr[0], "Unknown flag --jsn: did you mean --json?");
});

test("each command has a help of its own, also after help", async () => {
  for (
    const words of [
      "config",
      "config check",
      "config show",
      "config schema",
      "rules",
      "rules test",
      "passwd",
      "service",
    ]
  ) {
    const { code, stdout } = await runWords(`${words} --help`);
    assertEquals(code, 0);
    assert(stdout[0]!.startsWith(`Usage: socks-server ${words}`), stdout[0]);
    assert(!/\boptions\b/i.test(stdout.join("\n")), "flags have one name alone");
    assertEquals(await runWords(`help ${words}`), { code, stdout, stderr: [] });
  }
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RELOAD_MODES } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import { serveOptions } from "../src/config/options.ts";
import { SETTINGS } from "../src/config/schema.ts";
import { LIMIT_SCOPES, QUOTA_PERIODS } from "../src/policy/limit.ts";
import { ADDRESS_SETS, RULE_COMMANDS } from "../src/policy/rule.ts";
import { compileRules } from "../src/policy/rule_set.ts";
import { runWords } from "./cli/_run.ts";
import { filesOf } from "./config/_load.ts";

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const readme = readFileSync(pathOf("../README.md"), "utf8");

const HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$R2VuZXJhdGVkSGFzaEJ5dGVzMzJCeXRlc0xvbmdYWFg";
/** What settings in the README speak of. */
const BESIDES = {
  "socks.keytab": "keys",
  users: `ada:${HASH}:staff\ngrace:${HASH}:admins\nvisitor:${HASH}:guests\n`,
  "ca.pem": "-----BEGIN CERTIFICATE-----\n",
  "/etc/socks-server/ada.secret": "lovelace\n",
};
const ENVIRONMENT = {
  BILLING_PASSWORD: HASH,
  BOB_PASSWORD: HASH,
  BOB_SECRET: "kept as it is",
  PRINTER_PASSWORD: HASH,
  FRANKFURT_URL: "socks5h://frankfurt.example",
  OFFICE_URL: "socks5h://ada:lovelace@proxy.example",
  REDIS_URL: "redis://localhost",
};

/** The blocks of a language. */
function blocks(language: string): string[] {
  return Array.from(readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms")), ([, text]) => text!);
}

const examples = new Map(
  readdirSync(pathOf("examples")).map((name) => [name, readFileSync(pathOf(`examples/${name}`), "utf8")]),
);

for (const [name, text] of examples) {
  test(`the README shows ${name} as it is`, () => {
    const language = name.slice(name.lastIndexOf(".") + 1);
    assert(blocks(language).includes(text), `no block of the README is tests/examples/${name}`);
  });
}

for (const language of ["yaml", "toml", "json", "jsonc"]) {
  for (const [index, text] of blocks(language).entries()) {
    test(`settings in the README can be used: ${language} ${index + 1}, ${text.split("\n")[0]}`, async () => {
      const file = `settings.${language}`;
      const readFile = filesOf({ ...BESIDES, [file]: text });
      const { config, warnings } = await loadConfig({ flags: {}, env: ENVIRONMENT, file, readFile });
      assertEquals(warnings, []);
      compileRules(config.rules ?? []);
      serveOptions(config);
    });
  }
}

test("the README speaks of every setting, and of what stands in rules and limits", () => {
  const inRules = [
    "from",
    "listeners",
    "users",
    "groups",
    "commands",
    "to",
    "ports",
    "times",
    "action",
    "reason",
    "log",
  ];
  const inLimits = ["sessions", "newSessions", "upload", "download", "quota", "lifetime", "idle"];
  const words = [...SETTINGS.filter((name) => name !== "rules" && name !== "limits"), ...inRules, ...inLimits];
  const values = [...ADDRESS_SETS, ...RULE_COMMANDS, ...LIMIT_SCOPES, ...QUOTA_PERIODS, ...RELOAD_MODES];
  assertEquals([...words, ...values].filter((word) => !readme.includes(`\`${word}\``)), []);
});

test("what the README says of a wrong file is what is said of it", async () => {
  const wrong = `listen: ["0.0.0.0:1080"]
usersFile: users
rules:
  - { action: allow, group: [staff], ports: [443, 70000] }
idleTimeout: 1 hour
`;
  const { code, stderr } = await runWords("config check config.yaml", { ...BESIDES, "config.yaml": wrong });
  assertEquals(code, 2);
  assertStringIncludes(readme, `\n${stderr.join("\n")}\n\`\`\`\n`);
});

test("the README tells the rule that decides as the program does", async () => {
  const [, command, told] = /^```sh\nsocks-server (rules test [^\n]*)\n```\n\n```text\n(.*?)^```$/ms.exec(readme) ?? [];
  assert(command !== undefined && told !== undefined, "there is no such example");
  const { code, stdout } = await runWords(command, { ...BESIDES, "office.yaml": examples.get("office.yaml")! });
  assertEquals([code, `${stdout.join("\n")}\n`], [1, told]);
});

test("a link within the README leads to a heading", () => {
  const headings = Array.from(
    readme.matchAll(/^#+ (.+)$/gm),
    ([, text]) => text!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s-]/gu, "").replaceAll(" ", "-"),
  );
  const links = Array.from(readme.matchAll(/\]\(#(.+?)\)/g), ([, anchor]) => anchor!);
  assertEquals(links.filter((anchor) => !headings.includes(anchor)), []);
});

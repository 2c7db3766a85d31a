import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { formatUser, parseUsersFile, UsersFileError, withUser } from "../../src/auth/users_file.ts";

const HASH = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
const OTHER = HASH.replace("m=256", "m=512");
const EXPECTED = "NAME:$argon2id$…, NAME:$argon2id$…:GROUPS or NAME:plain:PASSWORD";

function problemsOf(text: string): readonly string[] {
  return assertThrows(() => parseUsersFile(text), UsersFileError).problems;
}

test("users are read with hashes, groups and plain text, past comments and blank lines", () => {
  const text = [
    "\ufeff# who may log in",
    "",
    `ada:${HASH}`,
    "  # the night shift",
    `alan:${HASH}:night,staff`,
    "\t",
    "grace:plain:any: characters # and spaces ",
    "edsger:plain:",
    "Ünï code:plain:x",
  ].join("\r\n");
  assertEquals(parseUsersFile(text), [
    { name: "ada", password: HASH },
    { name: "alan", password: HASH, groups: ["night", "staff"] },
    { name: "grace", password: "any: characters # and spaces " },
    { name: "edsger", password: "" },
    { name: "Ünï code", password: "x" },
  ]);
  assertEquals(parseUsersFile(""), []);
});

test("every mistake is told at once, with its line and without a secret", () => {
  const long = "x".repeat(256);
  const cases: readonly (readonly [string, string])[] = [
    ["topsecret", `found no colon, expected ${EXPECTED}`],
    ["ada:topsecret", `found neither a hash nor plain: after the name, expected ${EXPECTED}`],
    ["ada: plain:topsecret", `found neither a hash nor plain: after the name, expected ${EXPECTED}`],
    [":plain:topsecret", "found a name of 0 bytes, expected 1 to 255"],
    [`${long}:plain:topsecret`, "found a name of 256 bytes, expected 1 to 255"],
    [" ada:plain:topsecret", "found a space around the name, expected none"],
    ["a\x1bda:plain:topsecret", "found a control character in the name, expected none"],
    [`ada:plain:${long}`, "found a password of 256 bytes, expected at most 255"],
    [`ada:plain:${HASH}`, "found a hash after plain:, expected it after NAME:"],
    [`ada:${HASH.replace("t=2", "t=200")}`, "found t=200, expected 1 to 100"],
    ["ada:$2b$12$topsecret", "found a hash of the kind 2b, expected one of argon2id"],
    [`ada:${HASH}:`, "found a group that is empty or has a space or colon in it, expected GROUP,GROUP"],
    [`ada:${HASH}:a,,b`, "found a group that is empty or has a space or colon in it, expected GROUP,GROUP"],
    [`ada:${HASH}:a, b`, "found a group that is empty or has a space or colon in it, expected GROUP,GROUP"],
    [`ada:${HASH}:a:b`, "found a group that is empty or has a space or colon in it, expected GROUP,GROUP"],
  ];
  for (const [line, problem] of cases) assertEquals(problemsOf(`\n${line}`), [`line 2: ${problem}`], line);
  const all = problemsOf(cases.map(([line]) => line).join("\n"));
  assertEquals(all, cases.map(([, problem], index) => `line ${index + 1}: ${problem}`));
  assert(!all.join().includes("topsecret"));
});

test("a name is given once", () => {
  assertEquals(problemsOf(`ada:${HASH}\n# ada\nada:plain:x`), [
    "line 3: found the name of line 1 again, expected another",
  ]);
});

test("a user is put in the place of its line, the others stay as they are", () => {
  const text = `# first\r\nada:plain:x\n\n  # ada:not her\nalan:${HASH}:night`;
  assertEquals(
    withUser(text, { name: "ada", password: HASH }),
    `# first\nada:${HASH}\n\n  # ada:not her\nalan:${HASH}:night\n`,
  );
  assertEquals(
    withUser(text, { name: "grace", password: OTHER, groups: ["a", "b"] }),
    `# first\nada:plain:x\n\n  # ada:not her\nalan:${HASH}:night\ngrace:${OTHER}:a,b\n`,
  );
  assertEquals(withUser("", { name: "ada", password: HASH }), `ada:${HASH}\n`);
});

test("a user's groups stay unless others are given", () => {
  const text = `alan:${HASH}:night\n`;
  assertEquals(withUser(text, { name: "alan", password: OTHER }), `alan:${OTHER}:night\n`);
  assertEquals(withUser(text, { name: "alan", password: OTHER, groups: [] }), `alan:${OTHER}\n`);
  assertEquals(withUser(text, { name: "alan", password: OTHER, groups: ["day"] }), `alan:${OTHER}:day\n`);
});

test("a file with mistakes is not written anew, nor is a user who could not be read", () => {
  assertThrows(() => withUser("ada", { name: "alan", password: HASH }), UsersFileError, "line 1");
  for (const name of ["", "a:b", "#a", " a", "a\n", "x".repeat(256)]) {
    assertThrows(() => withUser("", { name, password: HASH }), RangeError, "expected");
  }
  assertThrows(() => withUser("", { name: "ada", password: "plain" }), RangeError, "found a password in plain text");
  assertThrows(() => withUser("", { name: "ada", password: HASH, groups: ["a,b"] }), RangeError, "found a group");
});

test("what is written is read again", () => {
  const group = fc.stringMatching(/^[^\s:,\p{Cc}]{1,8}$/u);
  const name = fc.stringMatching(/^[\p{L}\p{N}.@\\$-]{1,20}$/u);
  fc.assert(fc.property(name, fc.array(group, { maxLength: 3 }), (name, groups) => {
    const user = groups.length === 0 ? { name, password: HASH } : { name, password: HASH, groups };
    assertEquals(parseUsersFile(formatUser(user)), [user]);
  }));
});

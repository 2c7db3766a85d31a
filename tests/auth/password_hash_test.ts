import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { argon2Here } from "../../src/auth/argon2.ts";
import {
  formatPasswordHash,
  hashPassword,
  isPasswordHash,
  parsePasswordHash,
  PASSWORD_COST,
} from "../../src/auth/password_hash.ts";

const SALT = "c29tZXNhbHQ";
const HASH = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
/** Of "password", by the reference implementation's tests. */
const REFERENCE = `$argon2id$v=19$m=256,t=2,p=1$${SALT}$${HASH}`;

test("a hash is read, and computing it again gives the same", async () => {
  const { salt, hash, ...cost } = parsePasswordHash(REFERENCE);
  assertEquals(cost, { memory: 256, passes: 2, lanes: 1 });
  const password = new TextEncoder().encode("password");
  assertEquals(await argon2Here({ ...cost, password, salt, length: hash.length }), hash);
});

test("a new hash is one of its password, with a salt of its own and the costs that OWASP names", async () => {
  const text = await hashPassword("pässword");
  assertMatch(text, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  const { salt, hash, ...cost } = parsePasswordHash(text);
  assertEquals(cost, PASSWORD_COST);
  const password = new TextEncoder().encode("pässword");
  assertEquals(await argon2Here({ ...cost, password, salt, length: hash.length }), hash);
  const cheap = { memory: 8, passes: 1, lanes: 1 };
  assert(await hashPassword("a", { cost: cheap }) !== await hashPassword("a", { cost: cheap }));
});

test("a password that nobody can log in with gets no hash", async () => {
  await assertRejects(() => hashPassword(""), RangeError, "found 0 bytes, expected 1 to 255");
  await assertRejects(() => hashPassword("é".repeat(128)), RangeError, "found 256 bytes");
});

test("hashes are written as they are read", () => {
  assertEquals(formatPasswordHash(parsePasswordHash(REFERENCE)), REFERENCE);
  const bytes = (minLength: number) => fc.uint8Array({ minLength, maxLength: 64 });
  const hashes = fc.record({
    memory: fc.integer({ min: 128, max: 1_048_576 }),
    passes: fc.integer({ min: 1, max: 100 }),
    lanes: fc.integer({ min: 1, max: 16 }),
    salt: bytes(8),
    hash: bytes(16),
  });
  fc.assert(fc.property(hashes, (hash) => assertEquals(parsePasswordHash(formatPasswordHash(hash)), hash)));
});

test("hashes are told from plain text, those of other kinds too", () => {
  for (const hash of [REFERENCE, "$argon2id$", "$argon2i$v=19$m", "$2b$12$abc", "$6$salt$hash", "$1$a$b", "$y$j9T$"]) {
    assert(isPasswordHash(hash), hash);
  }
  for (const plain of ["", "lovelace", "$", "$$", "argon2id$", "$5", "$100$", "$dollar$", " $2b$12$abc"]) {
    assert(!isPasswordHash(plain), plain);
  }
});

test("what is no hash is refused with what was found, and never told", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["lovelace", "found no hash, expected one of argon2id"],
    ["$2b$12$abcdefgh", "found a hash of the kind 2b, expected one of argon2id"],
    [REFERENCE.replace("argon2id", "argon2i"), "found a hash of the kind argon2i, expected one of argon2id"],
    [REFERENCE.replace("v=19", "v=16"), "found another version of argon2id, expected v=19"],
    [REFERENCE.replace("$v=19", ""), "found another version of argon2id, expected v=19"],
    [REFERENCE.replace("m=256,t=2", "t=2,m=256"), "found no costs after v=19, expected m=MEMORY,t=PASSES,p=LANES"],
    [REFERENCE.replace("m=256", "m=1048577"), "found m=1048577, expected 8 to 1048576"],
    [REFERENCE.replace("m=256", "m=7"), "found m=7, expected 8 to 1048576"],
    [REFERENCE.replace("m=256,t=2,p=1", "m=16,t=2,p=3"), "found m=16, expected 24 to 1048576"],
    [REFERENCE.replace("t=2", "t=0"), "found t=0, expected 1 to 100"],
    [REFERENCE.replace("t=2", "t=101"), "found t=101, expected 1 to 100"],
    [REFERENCE.replace("p=1", "p=17"), "found p=17, expected 1 to 16"],
    [REFERENCE.replace(SALT, "c29tZQ"), "found a salt of 4 bytes, expected 8 to 64 bytes"],
    [REFERENCE.replace(SALT, `${SALT}=`), "found a salt that is no base64, expected base64 without padding"],
    [REFERENCE.replace(HASH, HASH.slice(0, 12)), "found a hash of 9 bytes, expected 16 to 64 bytes"],
    [
      REFERENCE.replace(HASH, `${HASH.slice(0, -1)}5`),
      "found a hash that is no base64, expected base64 without padding",
    ],
    [REFERENCE.replace(HASH, "ä"), "found a hash that is no base64, expected base64 without padding"],
    [REFERENCE.replace(`$${HASH}`, ""), "found no hash, expected $argon2id$v=19$m=…,t=…,p=…$SALT$HASH"],
    [`${REFERENCE}$`, "found something after the hash, expected nothing"],
    [`${REFERENCE}\n`, "found a hash that is no base64, expected base64 without padding"],
  ];
  for (const [text, message] of wrong) {
    assertEquals(assertThrows(() => parsePasswordHash(text), RangeError).message, message, text);
  }
});

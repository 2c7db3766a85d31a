import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import type { Authenticate, Credentials } from "../../src/auth/authenticate.ts";
import type { ClientInfo, User } from "../../src/auth/client_info.ts";
import { userList } from "../../src/auth/user_list.ts";

const CLIENT: ClientInfo = {
  id: 1,
  openedAt: 0,
  client: { ip: "192.0.2.1", port: 1 },
  listener: undefined,
  isLocal: false,
  signal: new AbortController().signal,
};

const encode = (text: string) => new TextEncoder().encode(text);

/** Credentials as METHOD 02 makes them of the bytes on the wire. */
function password(username: Uint8Array | string, password: Uint8Array | string): Credentials {
  const bytes = {
    username: typeof username === "string" ? encode(username) : username,
    password: typeof password === "string" ? encode(password) : password,
  };
  const utf8 = new TextDecoder();
  return { method: "password", username: utf8.decode(bytes.username), password: utf8.decode(bytes.password), bytes };
}

async function ask(check: Authenticate, credentials: Credentials): Promise<User | undefined> {
  return await check(credentials, CLIENT);
}

test("a user with the right password is that user, with another one nobody", async () => {
  const check = userList([{ name: "ada", password: "lovelace" }, { name: "alan", password: "turing" }]);
  assertEquals(await ask(check, password("ada", "lovelace")), { name: "ada" });
  assertEquals(await ask(check, password("alan", "turing")), { name: "alan" });
  for (
    const [name, secret] of [
      ["ada", "turing"],
      ["ada", ""],
      ["ada", "lovelace "],
      ["ada", "lovelac"],
      ["ada", "Lovelace"],
      ["ada", "lovelace\0"],
      ["Ada", "lovelace"],
      ["", "lovelace"],
      ["eve", "lovelace"],
      ["ada\0", "lovelace"],
      ["", ""],
    ] as const
  ) {
    assertEquals(await ask(check, password(name, secret)), undefined, JSON.stringify([name, secret]));
  }
});

test("an empty password matches itself alone", async () => {
  const check = userList([{ name: "ada", password: "" }]);
  assertEquals(await ask(check, password("ada", "")), { name: "ada" });
  assertEquals(await ask(check, password("ada", "\0")), undefined);
  assertEquals(await ask(check, password("ada", "x")), undefined);
});

test("fields of 255 bytes are compared to their end", async () => {
  const long = "x".repeat(254);
  const check = userList([{ name: `${long}a`, password: `${long}a` }]);
  assertEquals(await ask(check, password(`${long}a`, `${long}a`)), { name: `${long}a` });
  assertEquals(await ask(check, password(`${long}a`, `${long}b`)), undefined);
  assertEquals(await ask(check, password(`${long}b`, `${long}a`)), undefined);
  assertEquals(await ask(check, password(`${long}a`, long)), undefined);
});

test("nobody gets in with the filler of an unknown user", async () => {
  const check = userList([{ name: "ada", password: "x" }]);
  for (const filler of [0x00, 0xff]) {
    for (const length of [0, 1, 254, 255]) {
      const secret = new Uint8Array(length).fill(filler);
      assertEquals(await ask(check, password("eve", secret)), undefined);
      assertEquals(await ask(check, password("ada", secret)), undefined);
    }
  }
});

test("names and passwords are compared as bytes: what is not UTF-8 matches nobody by accident", async () => {
  const check = userList([{ name: "\ufffd", password: "\ufffd" }]);
  assertEquals(await ask(check, password("\ufffd", "\ufffd")), { name: "\ufffd" });
  for (const byte of [0x80, 0xc3, 0xff]) {
    assertEquals(await ask(check, password(Uint8Array.of(byte), "\ufffd")), undefined);
    assertEquals(await ask(check, password("\ufffd", Uint8Array.of(byte))), undefined);
  }
  const plain = userList([{ name: "ada", password: "x" }]);
  assertEquals(await ask(plain, password("\ufeffada", "x")), undefined);
});

test("names beyond ASCII are told apart by their bytes", async () => {
  const check = userList([{ name: "é", password: "1" }, { name: "e\u0301", password: "2" }]);
  assertEquals(await ask(check, password("é", "1")), { name: "é" });
  assertEquals(await ask(check, password("e\u0301", "2")), { name: "e\u0301" });
  assertEquals(await ask(check, password("é", "2")), undefined);
});

test("any users get in with their own password and no other", async () => {
  const field = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  const entries = fc.uniqueArray(fc.record({ name: field, password: field }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(fc.asyncProperty(entries, field, async (users, other) => {
    const check = userList(users);
    for (const { name, password: secret } of users) {
      assertEquals(await ask(check, password(name, secret)), { name });
      if (other !== secret) assertEquals(await ask(check, password(name, other)), undefined);
    }
    if (!users.some(({ name }) => name === other)) assertEquals(await ask(check, password(other, other)), undefined);
  }));
});

test("a SOCKS4 user id counts only if IDENT confirmed it", async () => {
  const check = userList([{ name: "ada", password: "x" }]);
  assertEquals(await ask(check, { method: "user-id", username: "ada", verified: false }), undefined);
  assertEquals(await ask(check, { method: "user-id", username: "ada", verified: true }), { name: "ada" });
  assertEquals(await ask(check, { method: "user-id", username: "eve", verified: true }), undefined);
  assertEquals(await ask(check, { method: "user-id", username: "", verified: true }), undefined);
});

test("users that make no sense are refused, without telling a password", () => {
  const wrong: readonly (readonly [string, string])[] = [["", "x"], ["a".repeat(256), "x"], ["é".repeat(128), "x"], [
    "ada",
    "secret".repeat(50),
  ]];
  for (const [name, password] of wrong) {
    const { message } = assertThrows(() => userList([{ name, password }]), RangeError);
    assertEquals(message.includes("secretsecret"), false);
  }
  const twice = [{ name: "ada", password: "x" }, { name: "ada", password: "y" }];
  assertStringIncludes(assertThrows(() => userList(twice), RangeError).message, '"ada"');
});

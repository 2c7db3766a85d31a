import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { hashPassword } from "../../src/auth/password_hash.ts";
import { userAdvice } from "../../src/auth/user_advice.ts";

const hash = (memory: number) => hashPassword("x", { cost: { memory, passes: 1, lanes: 1 } });

test("there is nothing to say of users whose hashes cost the same", async () => {
  assertEquals(userAdvice([]), []);
  assertEquals(userAdvice([{ name: "ada", password: await hash(8) }, { name: "alan", password: await hash(8) }]), []);
});

test("passwords in plain text are told by their users' names", () => {
  const users = ["ada", "alan", "grace", "edsger", "donald"].map((name) => ({ name, password: "secret" }));
  assertEquals(userAdvice(users.slice(0, 2)), [
    'Passwords in plain text: "ada", "alan"; "socks-server passwd" makes hashes of them',
  ]);
  assertEquals(userAdvice(users), [
    'Passwords in plain text: "ada", "alan", "grace" and 2 more; "socks-server passwd" makes hashes of them',
  ]);
});

test("hashes that the time of a refusal can tell apart are told", async () => {
  const users = [
    { name: "ada", password: await hash(8) },
    { name: "alan", password: await hash(16) },
    { name: "grace", password: await hash(8) },
  ];
  assertEquals(userAdvice(users), [
    'Hashes that cost more or less than that of "ada": "alan"; ' +
    "the time that a refusal takes tells that these users are there",
  ]);
});

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type Argon2, argon2Here, type Argon2Job } from "../../src/auth/argon2.ts";
import type { Authenticate } from "../../src/auth/authenticate.ts";
import type { ClientInfo, User } from "../../src/auth/client_info.ts";
import { hashPassword } from "../../src/auth/password_hash.ts";
import { userList } from "../../src/auth/user_list.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Costs that tests can afford. */
const CHEAP = { memory: 8, passes: 1, lanes: 1 };
const LOVELACE = await hashPassword("lovelace", { cost: CHEAP });
const TURING = await hashPassword("turing", { cost: { memory: 16, passes: 3, lanes: 2 } });

/** Computes, and keeps what it was asked for. */
class Meter {
  readonly jobs: Argon2Job[] = [];
  readonly argon2: Argon2 = (job) => {
    this.jobs.push(job);
    return argon2Here(job);
  };

  /** The costs of the jobs since the last call. */
  costs(): string[] {
    return this.jobs.splice(0).map(({ memory, passes, lanes, length }) => `${memory} ${passes} ${lanes} ${length}`);
  }
}

function clientOf(signal: AbortSignal = new AbortController().signal): ClientInfo {
  return { id: 1, openedAt: 0, client: undefined, listener: undefined, isLocal: false, signal };
}

function ask(check: Authenticate, name: string, password: string, client = clientOf()) {
  const bytes = { username: encode(name), password: encode(password) };
  return check({ method: "password", username: name, password, bytes }, client);
}

test("a user with a hash logs in with its password and no other, and has groups", async () => {
  const check = userList([{ name: "ada", password: LOVELACE, groups: ["staff"] }, { name: "alan", password: TURING }]);
  assertEquals(await ask(check, "ada", "lovelace"), { name: "ada", groups: ["staff"] });
  assertEquals(await ask(check, "alan", "turing"), { name: "alan" });
  for (
    const [name, password] of [["ada", "turing"], ["ada", LOVELACE], ["ada", ""], ["ada", "\0"], ["eve", "lovelace"]]
  ) {
    assertEquals(await ask(check, name!, password!), undefined, `${name} ${password}`);
  }
});

test("users in plain text have groups too, with and without hashes in the list", async () => {
  const alan = { name: "alan", password: "turing", groups: ["night", "staff"] };
  for (const users of [[alan], [alan, { name: "ada", password: LOVELACE }]]) {
    const check = userList(users);
    assertEquals(await ask(check, "alan", "turing"), { name: "alan", groups: ["night", "staff"] });
    assertEquals(await ask(check, "alan", "Turing"), undefined);
    assertEquals(await ask(check, "alan", ""), undefined);
  }
});

test("nobody gets in with an empty password, not even with the hash of one", async () => {
  for (const bytes of [Uint8Array.of(0), Uint8Array.of(0, 0)]) {
    const password = await hashPassword(new TextDecoder().decode(bytes), { cost: CHEAP });
    assertEquals(await ask(userList([{ name: "ada", password }]), "ada", ""), undefined);
  }
});

test("every check costs one argon2id: unknown users and plain text that of the first hash", async () => {
  const meter = new Meter();
  const check = userList([
    { name: "plain", password: "text" },
    { name: "ada", password: LOVELACE },
    { name: "alan", password: TURING },
  ], { argon2: meter.argon2 });
  for (
    const [name, password, cost] of [
      ["ada", "wrong", "8 1 1 32"],
      ["ada", "", "8 1 1 32"],
      ["alan", "wrong", "16 3 2 32"],
      ["eve", "wrong", "8 1 1 32"],
      ["eve", "", "8 1 1 32"],
      ["", "", "8 1 1 32"],
      ["plain", "wrong", "8 1 1 32"],
      ["plain", "text", "8 1 1 32"],
      ["ada", "lovelace", "8 1 1 32"],
    ] as const
  ) {
    await ask(check, name, password);
    assertEquals(meter.costs(), [cost], `${name} ${password}`);
  }
});

test("a list without hashes answers at once and computes nothing", () => {
  const meter = new Meter();
  const check = userList([{ name: "ada", password: "lovelace" }], { argon2: meter.argon2 });
  assertEquals(ask(check, "ada", "lovelace"), { name: "ada" });
  assertEquals(ask(check, "eve", "lovelace"), undefined);
  assertEquals(meter.costs(), []);
});

test("a password that was right is answered at once for a while; one that was wrong is checked again", async () => {
  let now = 0;
  const meter = new Meter();
  const users = [{ name: "ada", password: LOVELACE }, { name: "plain", password: "text" }];
  const check = userList(users, { argon2: meter.argon2, remember: 1_000, now: () => now });
  assertEquals(await ask(check, "ada", "lovelace"), { name: "ada" });
  assertEquals(await ask(check, "plain", "text"), { name: "plain" });
  assertEquals(meter.costs().length, 2);
  assertEquals(ask(check, "ada", "lovelace"), { name: "ada" });
  assertEquals(ask(check, "plain", "text"), { name: "plain" });
  assertEquals(meter.costs().length, 0);
  for (let i = 0; i < 2; i++) assertEquals(await ask(check, "ada", "wrong"), undefined);
  assertEquals(meter.costs().length, 2);
  assertEquals(ask(check, "ada", "lovelace"), { name: "ada" });
  now = 1_000;
  assertEquals(await ask(check, "ada", "lovelace"), { name: "ada" });
  assertEquals(meter.costs().length, 1);
  // A new list, as after a reload, knows nothing of the old one's logins.
  const again = userList(users, { argon2: meter.argon2 });
  await ask(again, "ada", "lovelace");
  assertEquals(meter.costs().length, 1);
});

test("nothing is remembered if that is wanted", async () => {
  const meter = new Meter();
  const check = userList([{ name: "ada", password: LOVELACE }], { argon2: meter.argon2, remember: 0 });
  for (let i = 0; i < 2; i++) assertEquals(await ask(check, "ada", "lovelace"), { name: "ada" });
  assertEquals(meter.costs().length, 2);
});

test("logins at the same time with the same password share one check", async () => {
  const meter = new Meter();
  const check = userList([{ name: "ada", password: LOVELACE }], { argon2: meter.argon2, remember: 0 });
  const users = await Promise.all(
    ["lovelace", "wrong", "lovelace", "wrong"].map((password) => ask(check, "ada", password)),
  );
  assertEquals(users, [{ name: "ada" }, undefined, { name: "ada" }, undefined] as (User | undefined)[]);
  assertEquals(meter.costs().length, 2);
});

test("a check goes on while anybody waits for it, and is called off when nobody does", async () => {
  const signals: AbortSignal[] = [];
  const argon2: Argon2 = (_job, signal) => {
    signals.push(signal!);
    return new Promise((_resolve, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
  };
  const check = userList([{ name: "ada", password: LOVELACE }], { argon2 });
  const [first, second] = [new AbortController(), new AbortController()];
  const answers = [first, second].map(({ signal }) => Promise.resolve(ask(check, "ada", "x", clientOf(signal))));
  assertEquals(signals.length, 1);
  first.abort(new Error("the first left"));
  assertEquals(signals[0]!.aborted, false);
  second.abort(new Error("the second left"));
  assertEquals(signals[0]!.aborted, true);
  for (const answer of answers) await assertRejects(() => answer, Error, "the second left");
  // The next one is not told what became of those.
  const third = new AbortController();
  const next = Promise.resolve(ask(check, "ada", "x", clientOf(third.signal)));
  assertEquals([signals.length, signals[1]!.aborted], [2, false]);
  third.abort(new Error("the third left"));
  await assertRejects(() => next, Error, "the third left");
});

test("a check that fails refuses, and the next one is made anew", async () => {
  let fails = true;
  const argon2: Argon2 = (job) => fails ? Promise.reject(new Error("256 others wait")) : argon2Here(job);
  const check = userList([{ name: "ada", password: LOVELACE }], { argon2 });
  await assertRejects(async () => await ask(check, "ada", "lovelace"), Error, "256 others wait");
  fails = false;
  assertEquals(await ask(check, "ada", "lovelace"), { name: "ada" });
});

test("a SOCKS4 user id is taken at its word if that is wanted, and has the user's groups", async () => {
  const check = userList([{ name: "ada", password: LOVELACE, groups: ["staff"] }], { trustUserIds: true });
  const claim = (username: string) => check({ method: "user-id", username, verified: false }, clientOf());
  assertEquals(await claim("ada"), { name: "ada", groups: ["staff"] });
  assertEquals(await claim("eve"), undefined);
  assertEquals(await claim(""), undefined);
});

test("hashes that make no sense are refused at start, by their user's name and without the hash", () => {
  for (
    const [password, message] of [
      [LOVELACE.replace("m=8", "m=2000000"), "found m=2000000, expected 8 to 1048576"],
      [LOVELACE.slice(0, 40), "expected"],
      ["$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "found a hash of the kind 2b"],
    ] as const
  ) {
    const error = assertThrows(() => userList([{ name: "ada", password }]), RangeError);
    assertStringIncludes(error.message, 'Cannot add the user "ada": ');
    assertStringIncludes(error.message, message);
    assert(!error.message.includes(password.slice(-8)));
  }
});

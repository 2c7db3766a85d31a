import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import type { Authenticate, PasswordCredentials } from "../../src/auth/authenticate.ts";
import type { ClientInfo, User } from "../../src/auth/client_info.ts";
import { AuthenticationError } from "../../src/auth/method.ts";
import { guardedLogin } from "../../src/policy/guarded_login.ts";
import { loginGuard } from "../../src/policy/login_guard.ts";
import { MemoryCounters } from "../../src/policy/memory_counters.ts";

const CLIENT = { client: { ip: "192.0.2.1", port: 1 } } as unknown as ClientInfo;
const OTHER = { client: { ip: "192.0.2.2", port: 1 } } as unknown as ClientInfo;

function password(text: string): PasswordCredentials {
  const bytes = { username: new Uint8Array(1), password: new TextEncoder().encode(text) };
  return { method: "password", username: "ada", password: text, bytes };
}

interface Scene {
  readonly login: Authenticate;
  readonly asked: string[];
  now: number;
}

function scene(kind: "now" | "later", attempts = 3): Scene {
  const scene = { login: undefined as unknown as Authenticate, asked: [] as string[], now: 1_000_000 };
  const check: Authenticate = (credentials) => {
    const given = credentials.method === "password" ? credentials.password : credentials.username;
    scene.asked.push(given);
    const user: User | undefined = given === "right" ? { name: "ada" } : undefined;
    return kind === "now" ? user : Promise.resolve(user);
  };
  const clock = (): number => scene.now;
  scene.login = guardedLogin(check, loginGuard({ attempts }, new MemoryCounters({ now: clock }), clock));
  return scene;
}

for (const kind of ["now", "later"] as const) {
  test(`an address that failed too often is refused without a look at what it sends: answers ${kind}`, async () => {
    const { login, asked } = scene(kind);
    for (const text of ["a", "b", "c"]) assertEquals(await login(password(text), CLIENT), undefined);
    const refused = await assertRejects(async () => await login(password("right"), CLIENT), AuthenticationError);
    assertEquals(refused.message, "too many failed logins from 192.0.2.1");
    assertEquals(asked, ["a", "b", "c"]);
    assertEquals((await login(password("right"), OTHER))?.name, "ada");
  });

  test(`after a while it may try again: answers ${kind}`, async () => {
    const it = scene(kind);
    for (const text of ["a", "b", "c"]) await it.login(password(text), CLIENT);
    it.now += 60_001;
    assertEquals((await it.login(password("right"), CLIENT))?.name, "ada");
  });

  test(`a login that is right forgives those before it: answers ${kind}`, async () => {
    const { login, asked } = scene(kind);
    for (const text of ["a", "b", "right", "c", "d", "right"]) await login(password(text), CLIENT);
    assertEquals(asked.length, 6);
  });
}

test("what answers at once is answered at once", () => {
  const { login } = scene("now", 1);
  assertEquals(login(password("right"), CLIENT), { name: "ada" });
  assertEquals(login(password("wrong"), CLIENT), undefined);
  assertThrows(() => login(password("right"), CLIENT), AuthenticationError);
});

test("user ids are no secret to be guessed", async () => {
  const { login, asked } = scene("now", 1);
  for (let i = 0; i < 5; i++) await login({ method: "user-id", username: "eve", verified: false }, CLIENT);
  assertEquals(asked.length, 5);
});

test("of guesses that come together only as many are answered as may fail", async () => {
  const { login } = scene("later", 3);
  const guesses = ["a", "b", "c", "d", "right"].map(async (text) => await login(password(text), CLIENT));
  const outcomes = await Promise.allSettled(guesses);
  assertEquals(outcomes.map(({ status }) => status), [...new Array(4).fill("fulfilled"), "rejected"]);
});

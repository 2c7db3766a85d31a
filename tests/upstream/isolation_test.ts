import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { parseProxy } from "../../src/client/proxy.ts";
import { NetError } from "../../src/net/errors.ts";
import type { RequestInfo } from "../../src/policy/rules.ts";
import { Isolation } from "../../src/upstream/isolation.ts";

const PROXY = parseProxy("socks5h://me:pw@proxy.example");

/** A session of a user, at a listener. */
function session(user: string | undefined, listenerName?: string): RequestInfo {
  const listener = { ip: "127.0.0.1", port: 1080 };
  return { user: user === undefined ? undefined : { name: user }, listener, listenerName } as RequestInfo;
}

const loginOf = (templates: { user: string; password?: string }, request: RequestInfo) => {
  const { user, password } = new Isolation(templates, PROXY).of(PROXY, request);
  return [user, password];
};

test("what stands in braces is replaced, and the password is the URL's unless there is one", () => {
  assertEquals(loginOf({ user: "customer-{user}-x" }, session("ada")), ["customer-ada-x", "pw"]);
  assertEquals(loginOf({ user: "a", password: "{listener}" }, session("ada", "in")), ["a", "in"]);
  assertEquals(loginOf({ user: "{user}{user}" }, session("ä:b")), ["ä:bä:b", "pw"]);
  assertEquals(loginOf({ user: "{user}" }, session(undefined)), ["anonymous", "pw"]);
  assertEquals(loginOf({ user: "{listener}" }, session("ada")), ["127.0.0.1:1080", "pw"]);
  assertEquals(loginOf({ user: "}x{{user}" }, session("ada")), ["}x{ada", "pw"]);
});

test("a session has one word, and each another", () => {
  const isolation = new Isolation({ user: "{session}", password: "{session}" }, PROXY);
  const [one, two] = [session("ada"), session("ada")];
  const { user, password } = isolation.of(PROXY, one);
  assert(/^[\da-f]{16}$/.test(user!), user);
  assertEquals([password, isolation.of(PROXY, one).user], [user, user]);
  assert(isolation.of(PROXY, two).user !== user);
});

test("sessions of other users or listeners never have the same login", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "-", "%", "2", "D", ".", "ä", ":", "{user}"), maxLength: 5 });
  const template = fc.constantFrom(
    { user: "{user}-{listener}" },
    { user: "{listener}:{user}" },
    { user: "{user}" + "a.-" + "{listener}-{session}" },
    { user: "{user}", password: "{listener}" },
  );
  fc.assert(
    fc.property(template, name, name, name, name, (templates, user, listener, otherUser, otherListener) => {
      const word = (login: unknown) => JSON.stringify(login).replace(/[\da-f]{16}/g, "");
      const one = word(loginOf(templates, session(user, listener)));
      const other = word(loginOf(templates, session(otherUser, otherListener)));
      assertEquals(one === other, user === otherUser && listener === otherListener, `${one} ${other}`);
    }),
    { numRuns: 2000 },
  );
});

test("a login is at most 255 bytes long", () => {
  assertEquals(loginOf({ user: "{user}" }, session("ä".repeat(127)))[0]!.length, 127);
  for (const templates of [{ user: "{user}" }, { user: "x", password: "{user}" }]) {
    const error = assertThrows(() => loginOf(templates, session("ä".repeat(128))), NetError, "has 256 bytes");
    assert(!error.message.includes("ä"), error.message);
  }
});

test("templates that cannot keep sessions apart, or name what is not there, are refused", () => {
  const wrong = [
    { user: "" },
    { user: "{name}" },
    { user: "{}" },
    { user: "{User}" },
    { user: "{user}{listener}" },
    { user: "{user}.x_{listener}" },
    { user: "{user}{session}{listener}" },
    { user: "user" },
    { user: "}x{" },
    { user: "x", password: "secret" },
    { user: "x", password: "" },
    { user: "x", password: "secret{name}" },
    { user: 7 as unknown as string },
  ];
  for (const templates of wrong) {
    const error = assertThrows(() => new Isolation(templates, PROXY), RangeError);
    assert(/^isolate\.(user|password): found /.test(error.message) && !error.message.includes("secret"), error.message);
  }
  const socks4 = parseProxy("socks4a://proxy.example");
  assertThrows(() => new Isolation({ user: "x", password: "y" }, socks4), RangeError, "SOCKS4");
  assertEquals(new Isolation({ user: "{user}" }, socks4).of(socks4, session("ada")).password, undefined);
});

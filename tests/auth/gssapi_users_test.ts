import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import { agreedLevel, levelsOf } from "../../src/auth/gssapi_level.ts";
import { GssapiQueue } from "../../src/auth/gssapi_queue.ts";
import { gssapiUsers } from "../../src/auth/gssapi_users.ts";
import { NetError } from "../../src/net/errors.ts";

const name = (userOf: ReturnType<typeof gssapiUsers>, principal: string) => userOf(principal)?.name;

test("without a map each principal is a user of its own name", () => {
  assertEquals(gssapiUsers(undefined)("alice@TEST.LOCAL"), {
    name: "alice@TEST.LOCAL",
    by: "gssapi",
    principal: "alice@TEST.LOCAL",
  });
});

test("the principal as it is counts before patterns, and those in their order", () => {
  const userOf = gssapiUsers({
    "*@TEST.LOCAL": "*",
    "*/admin@TEST.LOCAL": { name: "admin-*", groups: ["admins"] },
    "bob@TEST.LOCAL": "robert",
    "*@OTHER.LOCAL": "guest",
  });
  assertEquals(name(userOf, "alice@TEST.LOCAL"), "alice");
  assertEquals(name(userOf, "bob@TEST.LOCAL"), "robert");
  assertEquals(name(userOf, "alice/admin@TEST.LOCAL"), "alice/admin");
  assertEquals(name(userOf, "eve@OTHER.LOCAL"), "guest");
  assertEquals(name(userOf, "eve@ELSE.LOCAL"), undefined);
  assertEquals(name(userOf, "@TEST.LOCAL"), undefined);
  assertEquals(name(userOf, "a@b@TEST.LOCAL"), undefined);
  assertEquals(name(gssapiUsers({ "*@X": "u-*" }), "$&@X"), "u-$&");
  const admins = gssapiUsers({ "*/admin@TEST.LOCAL": { name: "*", groups: ["admins"] } });
  assertEquals(admins("eve/admin@TEST.LOCAL")?.groups, ["admins"]);
});

test("maps that make no sense are refused", () => {
  for (const [principal, user] of [["a*b*c", "x"], ["", "x"], ["alice@X", ""], ["alice@X", "*"]] as const) {
    assertThrows(() => gssapiUsers({ [principal]: user }), RangeError, "auth.gssapi.users");
  }
});

test("a client gets the level it asks for if the server takes it, else the strongest", () => {
  const keytab = "k";
  assertEquals([0, 1, 2, 3].map((level) => agreedLevel(level, levelsOf({ keytab }))), [2, 1, 2, 2]);
  assertEquals([0, 1, 2, 3].map((level) => agreedLevel(level, levelsOf({ keytab, levels: ["integrity"] }))), [
    1,
    1,
    1,
    1,
  ]);
  assertEquals([0, 1, 2].map((level) => agreedLevel(level, levelsOf({ keytab, curl: true }))), [0, 1, 2]);
  assertEquals([0, 1, 2].map((level) => agreedLevel(level, levelsOf({ keytab, curl: true, levels: [] }))), [0, 0, 0]);
  assertThrows(() => levelsOf({ keytab, levels: [] }), RangeError, "found none");
});

test("one thing is done at a time, in the order of asking, and what comes too late is let go of", async () => {
  const queue = new GssapiQueue(2, 60_000);
  const done: string[] = [];
  const late: string[] = [];
  const gates: (() => void)[] = [];
  const ask = (what: string, signal?: AbortSignal) =>
    queue.run(async () => {
      await new Promise<void>((resolve) => gates.push(resolve));
      done.push(what);
      return what;
    }, (made) =>
      void late.push(made), signal);
  const leaving = new AbortController();
  const first = ask("first", leaving.signal);
  const second = ask("second");
  const third = ask("third", leaving.signal);
  const fourth = await assertRejects(() => ask("fourth"), NetError);
  assertEquals(fourth.code, "too-many-files");
  leaving.abort(new NetError("closed", "left"));
  for (const left of [first, third]) await assertRejects(() => left, NetError, "left");
  assertEquals(gates.length, 1);
  gates[0]!();
  while (gates.length < 2) await new Promise((resolve) => setTimeout(resolve, 0));
  gates[1]!();
  assertEquals([await second, done, late], ["second", ["first", "second"], ["first"]]);
});

test("whoever waits for too long is told so", async () => {
  const queue = new GssapiQueue(2, 1);
  const error = await assertRejects(() => queue.run(() => new Promise<never>(() => {}), () => {}), NetError);
  assertEquals(error.code, "timeout");
  await assertRejects(
    () => queue.run(() => Promise.resolve(), () => {}, AbortSignal.abort(new NetError("closed", "gone"))),
    NetError,
    "gone",
  );
});

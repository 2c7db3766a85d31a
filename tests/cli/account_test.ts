import { test } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { findAccount, type FindEntry } from "../../src/cli/account.ts";

const ENTRIES: Record<string, readonly string[]> = {
  passwd: ["root:x:0:0:root:/root:/bin/sh", "socks:x:977:978::/:/bin/false"],
  group: ["proxy:x:13:"],
};

const find: FindEntry = (database, key) =>
  Promise.resolve(ENTRIES[database]!.find((line) => line.split(":")[0] === key || line.split(":")[2] === key));

test("a user comes with its own group, or with a given one", async () => {
  assertEquals(await findAccount("socks", find), { name: "socks", uid: 977, gid: 978 });
  assertEquals(await findAccount("977", find), { name: "socks", uid: 977, gid: 978 });
  assertEquals(await findAccount("socks:proxy", find), { name: "socks", uid: 977, gid: 13 });
  assertEquals(await findAccount("socks:44", find), { name: "socks", uid: 977, gid: 44 });
  assertEquals(await findAccount("1234:44", find), { name: undefined, uid: 1234, gid: 44 });
});

test("who is not there, or has no group, or is root, is refused", async () => {
  const cases: [string, string][] = [
    ["ada", 'runAs: found "ada", expected a user of this system'],
    ["socks:staff", 'runAs: found "staff", expected a group of this system'],
    ["1234", 'runAs: found "1234", which is no user\'s number, expected USER:GROUP'],
    ["root", 'runAs: found "root", expected a user other than root'],
    ["0:44", 'runAs: found "0", expected a user other than root'],
    [":proxy", 'runAs: found ":proxy", expected USER or USER:GROUP'],
    ["a:b:c", 'runAs: found "a:b:c", expected USER or USER:GROUP'],
  ];
  for (const [written, message] of cases) await assertRejects(() => findAccount(written, find), RangeError, message);
});

test("the users of this system are found", async () => {
  assertEquals((await findAccount("nobody")).name, "nobody");
  await assertRejects(() => findAccount("--help"), RangeError, "expected a user of this system");
});

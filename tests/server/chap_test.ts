import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { hashPassword } from "../../src/auth/password_hash.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { hex, house } from "./_harness.ts";

const PLAIN = { name: "alan", password: "turing" };
const ADA = { name: "ada", chapSecret: "lovelace" };

/** What is chosen among some methods. */
async function chosen(options: Partial<ServeOptions>, ...methods: readonly number[]): Promise<string> {
  await using at = await house(options);
  const client = at.client();
  await client.send([5, methods.length, ...methods]);
  return hex(await client.read(2));
}

test("CHAP is offered where a user has a secret for it, before passwords, and nowhere else", async () => {
  assertEquals(await chosen({ users: [ADA, PLAIN] }, 0, 2, 3), "05 03");
  assertEquals(await chosen({ users: [ADA, PLAIN] }, 0, 2), "05 02");
  assertEquals(await chosen({ users: [PLAIN] }, 0, 2, 3), "05 02");
  assertEquals(await chosen({ users: [{ ...ADA, ...PLAIN }], auth: { chap: false } }, 0, 2, 3), "05 02");
  assertEquals(await chosen({}, 0, 2, 3), "05 00");
});

test("passwords are not asked for where nobody has one", async () => {
  assertEquals(await chosen({ users: [ADA] }, 0, 2), "05 ff");
  assertEquals(await chosen({ users: [ADA] }, 3), "05 03");
});

test("passwords may be preferred to CHAP, and a listener may have one of them alone", async () => {
  assertEquals(await chosen({ users: [ADA, PLAIN], methods: ["password", "chap"] }, 2, 3), "05 02");
  assertEquals(await chosen({ users: [ADA, PLAIN], methods: ["chap"] }, 2), "05 ff");
  const listen = [{ host: "192.0.2.1", port: 1080, name: "home" }];
  assertEquals(await chosen({ users: [ADA, PLAIN], listen, listenerMethods: { home: ["password"] } }, 2, 3), "05 02");
});

test("who comes another way than SOCKS5 is not served where nobody has a password", async () => {
  await using at = await house({ users: [ADA], trustUserIds: true, mixed: true });
  const socks4 = at.client();
  await socks4.send([4, 1, 0, 80, 93, 184, 216, 34], "ada", [0]);
  await socks4.expect("00 5b 00 00 00 00 00 00");
  const http = at.client();
  const login = btoa("ada:lovelace");
  await http.send(`CONNECT 93.184.216.34:80 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${login}\r\n\r\n`);
  assertEquals(await http.text(12), "HTTP/1.1 407");
  socks4.leave();
  http.leave();
});

test("a check of one's own is asked by CHAP where that is wished for", async () => {
  const authenticate = () => undefined;
  assertEquals(await chosen({ authenticate }, 2, 3), "05 02");
  assertEquals(await chosen({ authenticate, auth: { chap: true } }, 2, 3), "05 03");
});

test("CHAP that nobody could use, and users who could use nothing, are refused at the start", async () => {
  const runtime = memory();
  const cases: [Partial<ServeOptions>, string][] = [
    [{ auth: { chap: true } }, "Cannot use auth.chap: found no user with a chapSecret, expected one at least"],
    [{ users: [PLAIN], auth: { chap: true } }, "CHAP cannot do with a password's hash"],
    [{ users: [ADA], auth: { chap: false } }, 'Cannot use auth.chap: found false, and no password for "ada", expected'],
    [{ users: [PLAIN], methods: ["chap"] }, 'Cannot use methods: found "chap", expected users with a chapSecret'],
    [{ users: [{ name: "eve" }] }, 'Cannot add the user "eve": found neither password nor chapSecret'],
    [{ users: [{ name: "eve", chapSecret: "" }] }, 'Cannot add the user "eve": found a secret of 0 bytes'],
    [{ users: [{ name: "eve", chapSecret: "x".repeat(256) }] }, "found a secret of 256 bytes, expected 1 to 255"],
  ];
  for (const [options, message] of cases) {
    const error = await assertRejects(() => serve({ listen: "127.0.0.1:1080", runtime, ...options }), RangeError);
    assertEquals(error.message.includes(message), true, error.message);
  }
});

test("a hash is no secret for CHAP, and is not told", async () => {
  const chapSecret = await hashPassword("lovelace", { cost: { memory: 8, passes: 1, lanes: 1 } });
  const users = [{ name: "ada", chapSecret }];
  const error = await assertRejects(() => serve({ listen: "127.0.0.1:1080", runtime: memory(), users }), RangeError);
  assertEquals(
    error.message,
    'Cannot add the user "ada": found a hash, expected the secret as it is: CHAP cannot be checked with a hash',
  );
});

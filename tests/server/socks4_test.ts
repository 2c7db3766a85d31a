import { assertEquals } from "@std/assert";
import { test } from "node:test";
import type { Credentials } from "../../src/auth/authenticate.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { echo, FAR, house } from "./_harness.ts";
import { Network } from "./_network.ts";
import type { PipeEnd } from "./_pipe.ts";

const IDENTD = `${FAR.ip}:113`;
const GRANTED = "00 5a";
const encode = (text: string) => new TextEncoder().encode(text);

/** What CONNECT with a user id is answered with, where identd says `answer`. */
async function ask(userId: string | Uint8Array, options: ServeOptions, answer?: string | Uint8Array) {
  const network = new Network();
  echo(network, "93.184.216.34:80");
  if (answer !== undefined) {
    network.answers.set(IDENTD, async (end: PipeEnd) => {
      await end.read();
      await end.write(typeof answer === "string" ? encode(answer) : answer);
    });
  }
  await using running = await house(options, network);
  const client = running.client();
  await client.send([4, 1, 0, 80, 93, 184, 216, 34], userId, [0]);
  const reply = Array.from(await client.read(8), (byte) => byte.toString(16).padStart(2, "0")).slice(0, 2).join(" ");
  client.leave();
  await running.seen.summary();
  return { reply, events: running.seen.events, attempts: network.attempts, sessions: running.seen.sessions };
}

const saysAda = `${FAR.port},1080:USERID:UNIX:ada\r\n`;

test("identd is not asked unless the operator wants it", async () => {
  const { reply, attempts } = await ask("ada", {});
  assertEquals([reply, attempts], [GRANTED, ["93.184.216.34:80"]]);
});

test("a user id that identd confirms is served", async () => {
  const { reply, events } = await ask("ada", { ident: true }, saysAda);
  assertEquals(reply, GRANTED);
  assertEquals(events.slice(0, 2), ["opened", "authenticated ada"]);
});

test("without an identd it is 92", async () => {
  const { reply, events, attempts } = await ask("ada", { ident: true });
  assertEquals([reply, attempts], ["00 5c", [IDENTD]]);
  assertEquals(events.slice(0, 3), ["opened", "refused authentication", "closed refused"]);
});

test("an identd that knows nobody is 92", async () => {
  assertEquals((await ask("ada", { ident: true }, "x\r\n")).reply, "00 5c");
});

test("an identd that says nothing in time is 92", async () => {
  const { reply } = await ask("ada", { ident: true, timeouts: { authentication: 50, lookup: 50 } }, "");
  assertEquals(reply, "00 5c");
});

test("an identd that names somebody else is 93", async () => {
  assertEquals((await ask("eve", { ident: true }, saysAda)).reply, "00 5d");
  assertEquals((await ask("Ada", { ident: true }, saysAda)).reply, "00 5d");
  assertEquals((await ask("", { ident: true }, saysAda)).reply, "00 5d");
});

test("two names that are not UTF-8 are not the same for that", async () => {
  const answer = Uint8Array.of(...encode(`${FAR.port},1080:USERID:UNIX:`), 0xfe, 13, 10);
  assertEquals((await ask(Uint8Array.of(0xff), { ident: true }, answer)).reply, "00 5d");
});

test("where users are needed only a confirmed user id of one of them will do", async () => {
  const users = [{ name: "ada", password: "x" }];
  assertEquals((await ask("ada", { users })).reply, "00 5b");
  assertEquals((await ask("ada", { users, ident: true }, saysAda)).reply, GRANTED);
  const others = [{ name: "alan", password: "x" }];
  assertEquals((await ask("ada", { users: others, ident: true }, saysAda)).reply, "00 5b");
});

test("a check of one's own sees the user id, and whether it is more than a claim", async () => {
  const seen: Credentials[] = [];
  const authenticate = (credentials: Credentials) => {
    seen.push(credentials);
    return credentials.username === "ada" ? { name: "Ada" } : undefined;
  };
  assertEquals((await ask("ada", { authenticate })).reply, GRANTED);
  assertEquals((await ask("eve", { authenticate })).reply, "00 5b");
  const { reply, events } = await ask("ada", { authenticate, ident: true }, saysAda);
  assertEquals([reply, events[1]], [GRANTED, "authenticated Ada"]);
  assertEquals(seen.map(({ username, method, ...rest }) => [method, username, rest]), [
    ["user-id", "ada", { verified: false }],
    ["user-id", "eve", { verified: false }],
    ["user-id", "ada", { verified: true }],
  ]);
});

test("a check in plain JavaScript that says null or false refuses", async () => {
  for (const nobody of [null, false]) {
    assertEquals((await ask("ada", { authenticate: () => nobody as never })).reply, "00 5b");
  }
});

test("a check that throws refuses", async () => {
  const authenticate = () => {
    throw new Error("no database");
  };
  assertEquals((await ask("ada", { authenticate })).reply, "00 5b");
});

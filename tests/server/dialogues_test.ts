import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { join } from "../protocol/_codec.ts";
import { Clock } from "./_clock.ts";
import { echo, FAR, hex, type House, house, soon, target, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const ECHO = "93.184.216.34:80";
const ECHO6 = "[2606:2800::1]:80";
const USERS = [{ name: "ada", password: "lovelace" }, { name: "nobody", password: "" }];
const text = (value: string) => Array.from(new TextEncoder().encode(value));
const named = (name: string, port: number) => [3, name.length, ...text(name), port >> 8, port & 255];
const V4 = [1, 93, 184, 216, 34, 0, 80];
const V6 = [4, 0x26, 0x06, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80];
const ADA = [1, 3, ...text("ada"), 8, ...text("lovelace")];

/** A network with an echo behind every address. */
function echoes(): Network {
  const network = new Network();
  for (const at of [ECHO, ECHO6]) echo(network, at);
  network.names.set("example.com", [["93.184.216.34"]]);
  network.names.set("six.example.com", [["2606:2800::1"]]);
  network.names.set("inside.example.com", [["10.0.0.1"]]);
  return network;
}

/** Sends everything in these pieces, then the end, and gives all that comes back. */
async function converse(open: () => Promise<House>, pieces: readonly Uint8Array[]): Promise<string> {
  await using running = await open();
  const client = running.client();
  const sending = (async () => {
    try {
      for (const piece of pieces) {
        await client.end.write(piece);
        await Promise.resolve(); // so that some arrive together and some do not
      }
      client.finish();
    } catch {
      // A server that has heard enough may close.
    }
  })();
  const answer = await client.restHex();
  await soon(sending, "sending");
  await running.seen.summary();
  assertEquals(running.server.sessions, 0);
  return answer;
}

interface Dialogue {
  readonly name: string;
  readonly says: readonly number[];
  /** The ports of the server's outgoing connections begin at 40000, 9c 40. */
  readonly hears: string;
  readonly users?: boolean;
}

const DIALOGUES: readonly Dialogue[] = [
  {
    name: "SOCKS5 CONNECT to an IPv4 address with a payload sent ahead",
    says: [5, 1, 0, 5, 1, 0, ...V4, ...text("hello")],
    hears: "05 00 05 00 00 01 c6 33 64 01 9c 40 68 65 6c 6c 6f",
  },
  {
    name: "SOCKS5 CONNECT to an IPv6 address",
    says: [5, 1, 0, 5, 1, 0, ...V6, 7],
    hears: "05 00 05 00 00 04 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 01 9c 40 07",
  },
  {
    name: "SOCKS5 CONNECT to a name",
    says: [5, 3, 0, 1, 2, 5, 1, 0, ...named("example.com", 80), 1, 2, 3],
    hears: "05 00 05 00 00 01 c6 33 64 01 9c 40 01 02 03",
  },
  {
    name: "SOCKS5 CONNECT to a name that leads to IPv6 alone",
    says: [5, 1, 0, 5, 1, 0, ...named("six.example.com", 80), 1],
    hears: "05 00 05 00 00 04 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 01 9c 40 01",
  },
  {
    name: "SOCKS5 CONNECT with any RSV to a literal in a name",
    says: [5, 1, 0, 5, 1, 0xa5, ...named("1572395042", 80), 1],
    hears: "05 00 05 00 00 01 c6 33 64 01 9c 40 01",
  },
  {
    name: "SOCKS5 with a user, everything at once",
    says: [5, 2, 0, 2, ...ADA, 5, 1, 0, ...V4, ...text("x")],
    hears: "05 02 01 00 05 00 00 01 c6 33 64 01 9c 40 78",
    users: true,
  },
  {
    name: "SOCKS5 with an empty password",
    says: [5, 1, 2, 1, 6, ...text("nobody"), 0, 5, 1, 0, ...V4, 9],
    hears: "05 02 01 00 05 00 00 01 c6 33 64 01 9c 40 09",
    users: true,
  },
  {
    name: "SOCKS5 with a wrong password",
    says: [5, 1, 2, 1, 3, ...text("ada"), 1, 0x78, 5, 1, 0, ...V4],
    hears: "05 02 01 01",
    users: true,
  },
  {
    name: "SOCKS5 with an unknown user",
    says: [5, 1, 2, 1, 3, ...text("eve"), 8, ...text("lovelace")],
    hears: "05 02 01 01",
    users: true,
  },
  {
    name: "SOCKS5 with empty fields where nobody has an empty name",
    says: [5, 1, 2, 1, 0, 0],
    hears: "05 02 01 01",
    users: true,
  },
  { name: "a login with another version than 01", says: [5, 1, 2, 5, 3, ...text("ada")], hears: "05 02", users: true },
  { name: "a client that will not log in", says: [5, 1, 0, 5, 1, 0, ...V4], hears: "05 ff", users: true },
  { name: "a client that offers what there is not", says: [5, 3, 1, 3, 0x80], hears: "05 ff" },
  { name: "a client that offers a login where nobody has one", says: [5, 1, 2], hears: "05 ff" },
  { name: "a client that offers no method", says: [5, 0], hears: "05 ff" },
  {
    name: "SOCKS5 CONNECT to a name that does not resolve",
    says: [5, 1, 0, 5, 1, 0, ...named("nowhere.example", 80)],
    hears: "05 00 05 04 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to a private address from afar",
    says: [5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 1, 0, 80],
    hears: "05 00 05 02 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to a name that leads to a private address",
    says: [5, 1, 0, 5, 1, 0, ...named("inside.example.com", 80)],
    hears: "05 00 05 02 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to where nobody listens",
    says: [5, 1, 0, 5, 1, 0, 1, 93, 184, 216, 34, 0, 81],
    hears: "05 00 05 05 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to port 0",
    says: [5, 1, 0, 5, 1, 0, 1, 93, 184, 216, 34, 0, 0],
    hears: "05 00 05 01 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to 0.0.0.0",
    says: [5, 1, 0, 5, 1, 0, 1, 0, 0, 0, 0, 0, 80],
    hears: "05 00 05 01 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to ::",
    says: [5, 1, 0, 5, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80],
    hears: "05 00 05 01 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS5 CONNECT to an empty name",
    says: [5, 1, 0, 5, 1, 0, 3, 0, 0, 80],
    hears: "05 00 05 01 00 01 00 00 00 00 00 00",
  },
  { name: "an unknown CMD", says: [5, 1, 0, 5, 9, 0, ...V4], hears: "05 00 05 07 00 01 00 00 00 00 00 00" },
  { name: "an unknown ATYP", says: [5, 1, 0, 5, 1, 0, 2, 1], hears: "05 00 05 08 00 01 00 00 00 00 00 00" },
  {
    name: "another version in the request",
    says: [5, 1, 0, 4, 1, 0, ...V4],
    hears: "05 00 05 01 00 01 00 00 00 00 00 00",
  },
  {
    name: "SOCKS4 CONNECT with a payload sent ahead",
    says: [4, 1, 0, 80, 93, 184, 216, 34, ...text("ada"), 0, ...text("hello")],
    hears: "00 5a 9c 40 c6 33 64 01 68 65 6c 6c 6f",
  },
  {
    name: "SOCKS4a CONNECT",
    says: [4, 1, 0, 80, 0, 0, 0, 1, 0, ...text("example.com"), 0, 7],
    hears: "00 5a 9c 40 c6 33 64 01 07",
  },
  {
    name: "SOCKS4a CONNECT to IPv6 alone is granted with zeros",
    says: [4, 1, 0, 80, 0, 0, 0, 9, 0, ...text("six.example.com"), 0, 7],
    hears: "00 5a 00 00 00 00 00 00 07",
  },
  {
    name: "SOCKS4 CONNECT to where nobody listens",
    says: [4, 1, 0, 81, 93, 184, 216, 34, 0],
    hears: "00 5b 00 00 00 00 00 00",
  },
  {
    name: "SOCKS4 CONNECT to 0.0.0.0",
    says: [4, 1, 0, 80, 0, 0, 0, 0, 0],
    hears: "00 5b 00 00 00 00 00 00",
  },
  {
    name: "SOCKS4a CONNECT to a name that does not resolve",
    says: [4, 1, 0, 80, 0, 0, 0, 1, 0, ...text("nowhere.example"), 0],
    hears: "00 5b 00 00 00 00 00 00",
  },
  { name: "an unknown CD", says: [4, 3, 0, 80, 1, 2, 3, 4, 0], hears: "00 5b 00 00 00 00 00 00" },
  {
    name: "a USERID that is too long",
    says: [4, 1, 0, 80, 1, 2, 3, 4, ...new Array(256).fill(0x61), 0],
    hears: "00 5b 00 00 00 00 00 00",
  },
  {
    name: "SOCKS4 while a password is wanted",
    says: [4, 1, 0, 80, 93, 184, 216, 34, ...text("ada"), 0],
    hears: "00 5b 00 00 00 00 00 00",
    users: true,
  },
  { name: "silence to a client that sends nothing", says: [], hears: "" },
  { name: "silence to TLS", says: [0x16, 3, 1, 0, 5], hears: "" },
  { name: "silence to a client that leaves in the middle of the greeting", says: [5, 2, 0], hears: "" },
  { name: "a client that leaves in the middle of the request", says: [5, 1, 0, 5, 1, 0, 1, 93], hears: "05 00" },
  { name: "a client that leaves in the middle of the login", says: [5, 1, 2, 1, 3, 97], hears: "05 02", users: true },
];

for (const { name, says, hears, users } of DIALOGUES) {
  const open = () => house(users ? { users: USERS } : {}, echoes());

  test(`dialogue: ${name}`, async () => {
    assertEquals(await converse(open, [Uint8Array.from(says)]), hears);
  });

  test(`dialogue, cut anywhere: ${name}`, async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, says.length - 1) }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (cuts) => {
        assertEquals(await converse(open, split(says, cuts)), hears);
      }),
      { numRuns: 15, examples: [[says.map((_, i) => i).slice(1, -1)]] },
    );
  });
}

/** Cuts bytes before these positions. */
function split(says: readonly number[], cuts: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const to of [...cuts].sort((a, b) => a - b).concat(says.length)) {
    if (to > from) pieces.push(Uint8Array.from(says.slice(from, to)));
    from = Math.max(from, to);
  }
  return pieces;
}

test("the reply comes after the dial, never before", async () => {
  const network = new Network();
  let letIn = (): void => {};
  const gate = new Promise<void>((resolve) => letIn = resolve);
  const arrived = target(network, ECHO);
  await using running = await house({
    dial: async (_target, { addresses, runtime, signal }) => {
      await gate;
      return await runtime.connect(addresses[0]!, { signal });
    },
  }, network);
  const client = running.client();
  await client.send([5, 1, 0, 5, 1, 0, ...V4]);
  await client.expect("05 00");
  await running.seen.event("requested");
  assertEquals(client.end.unread, 0);
  letIn();
  await client.expect("05 00 00 01 c6 33 64 01 9c 40");
  (await arrived).leave();
});

test("a payload sent ahead reaches the target first, whole and in order", async () => {
  const network = new Network();
  const arrived = target(network, ECHO);
  await using running = await house({}, network);
  const client = running.client();
  const ahead = Uint8Array.from({ length: 40_000 }, (_, i) => i * 7);
  await client.send(join([5, 1, 0, 5, 1, 0], V4, ahead));
  await client.send("then this");
  const far = await soon(arrived);
  assertEquals(hex(await far.read(ahead.length)), hex(ahead));
  assertEquals(await far.text(9), "then this");
  far.leave();
});

test("a browser is told in HTTP that this is a SOCKS proxy", async () => {
  for (
    const start of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n", "POST /", "CONNECT x:443 HTTP/1.1"]
  ) {
    await using running = await house();
    const client = running.client();
    await client.send(start);
    client.finish();
    const answer = new TextDecoder().decode(await client.rest());
    assert(answer.startsWith("HTTP/1.1 501 "), answer);
    const [head, body] = answer.split("\r\n\r\n");
    assert(/^content-length: (\d+)$/im.test(head!), head);
    assertEquals(Number(/^content-length: (\d+)$/im.exec(head!)![1]), new TextEncoder().encode(body).length);
    assert(body!.includes("SOCKS"));
    assertEquals((await running.seen.summary()).cause, "not-socks");
    assertEquals(running.seen.events, ["opened", "closed not-socks"]);
  }
});

test("a refused client that sends on gets its reply and a bound on its stay", async () => {
  using clock = new Clock();
  await using running = await house();
  const client = running.client();
  await client.send([5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 1, 0, 80], "x".repeat(10_000));
  await client.expect("05 00 05 02 00 01 00 00 00 00 00 00");
  assertEquals(await client.restHex(), "");
  await clock.advance(9_000);
  assertEquals((await running.seen.summary()).cause, "refused"); // though the client never leaves
  assert((await running.seen.summary()).duration < 9_000);
});

test("random bytes end the session and nothing else", async () => {
  const start = fc.constantFrom([], [4], [4, 1], [5], [5, 1, 0], [5, 1, 0, 5], [5, 1, 0, 5, 1, 0, 3]);
  await using running = await house({}, echoes());
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 700 }), async (start, garbage) => {
      // A valid CONNECT in there would wait for its target.
      const client = running.client({ ...FAR, port: 1024 + ended });
      await client.send(join(start, garbage)).catch(() => {});
      client.finish();
      await client.rest().catch(() => {});
      await running.seen.summary(ended++);
    }),
    { numRuns: 150 },
  );
  assertEquals(running.server.sessions, 0);
  const client = new Wire(running.client().end);
  await client.send([5, 1, 0, 5, 1, 0], V4, "alive");
  await client.expect("05 00 05 00 00 01");
  client.leave();
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { encodeDatagram } from "../../src/protocol/udp.ts";
import { FAR, house, soon, type Wire } from "./_harness.ts";
import { type Answer, Network, UdpHost } from "./_network.ts";
import type { PipeEnd } from "./_pipe.ts";

const text = (value: string) => Array.from(new TextEncoder().encode(value));
const V4 = [1, 93, 184, 216, 34, 0, 80];
const LOGIN = [5, 1, 2, 1, 3, ...text("ada"), 2, ...text("pw")];

/** Ways to begin. */
const REQUESTS: readonly (readonly number[])[] = [
  [...LOGIN, 5, 1, 0, ...V4],
  [...LOGIN, 5, 1, 0, 3, 5, ...text("a.com"), 0, 80],
  [...LOGIN, 5, 1, 0, 3, 5, ...text("b.com"), 0, 80],
  [...LOGIN, 5, 1, 0, 1, 10, 0, 0, 1, 0, 80],
  [...LOGIN, 5, 2, 0, ...V4],
  [...LOGIN, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
  [...LOGIN, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0],
  [...LOGIN, 5, 9, 0, ...V4],
  [5, 1, 0],
  [4, 1, 0, 80, 93, 184, 216, 34, ...text("ada"), 0],
  [4, 2, 0, 80, 93, 184, 216, 34, ...text("ada"), 0],
  [4, 1, 0, 80, 0, 0, 0, 1, ...text("ada"), 0, ...text("a.com"), 0],
  text("GET / HTTP/1.1\r\n\r\n"),
  [],
  [0x16, 3, 1],
];

const ENDS = ["leave", "reset", "finish", "stay"] as const;
const TARGETS = ["echo", "reset", "leave", "finish", "deaf", "refused", "silence", "talk"] as const;

interface Play {
  readonly request: readonly number[];
  /** How much of it is sent. */
  readonly cut: number;
  readonly payload: number;
  readonly end: typeof ENDS[number];
  /** How many turns the client waits before its end. */
  readonly patience: number;
  readonly isListening: boolean;
}

const anyPlay: fc.Arbitrary<Play> = fc.record({
  request: fc.constantFrom(...REQUESTS),
  cut: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  payload: fc.integer({ min: 0, max: 3000 }),
  end: fc.constantFrom(...ENDS),
  patience: fc.integer({ min: 0, max: 40 }),
  isListening: fc.boolean(),
});

/** What a target does. */
function behave(how: typeof TARGETS[number]): Answer {
  if (how === "refused" || how === "silence") return how;
  return async (end: PipeEnd) => {
    try {
      if (how === "reset") end.close(new Error("The target crashes"));
      if (how === "leave") end.close();
      if (how === "finish") end.closeWrite();
      if (how === "talk") { for (let i = 0; i < 50; i++) await end.write(new Uint8Array(100)); }
      if (how === "deaf") return;
      for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) {
        if (how === "echo") await end.write(chunk);
      }
      end.closeWrite();
    } catch {
      // The relay has let go.
    }
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** A client that does as it is told, whatever becomes of it. */
async function play(client: Wire, { request, cut, payload, end, patience, isListening }: Play): Promise<void> {
  const reading = (async () => {
    while (isListening && await client.end.read() !== null);
  })();
  reading.catch(() => {});
  try {
    const whole = [...request, ...new Array(payload).fill(0x61)];
    void client.end.write(Uint8Array.from(whole.slice(0, Math.ceil(whole.length * cut))))?.catch(() => {});
    await turns(patience);
    if (end === "leave") client.leave();
    if (end === "reset") client.leave("reset");
    if (end === "finish") client.finish();
  } catch {
    // The server has let go.
  }
}

test("whatever clients and targets do, every session is told of in order and leaves nothing behind", async () => {
  const plays = fc.array(anyPlay, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(plays, fc.constantFrom(...TARGETS), fc.nat(60), fc.boolean(), async (plays, how, wait, drains) => {
      const network = new Network();
      network.capacity = 2000;
      network.answers.set("93.184.216.34:80", behave(how));
      network.names.set("a.com", [["93.184.216.34", "2606:2800::1"]]);
      const relays = () => [...network.sockets.values()].filter(({ address }) => address.ip === "192.0.2.1");
      new UdpHost(network, "8.8.8.8", 53, (bytes) => bytes);
      const sender = new UdpHost(network, FAR.ip, 53);
      const stories = new Map<number, string[]>();
      const tell = (event: string) => ({ id }: { id: number }) => {
        stories.set(id, [...stories.get(id) ?? [], event]);
      };
      const running = await house({
        authenticate: ({ username }) => username === "ada" ? { name: "ada" } : undefined,
        observer: {
          opened: tell("opened"),
          authenticated: tell("authenticated"),
          requested: tell("requested"),
          refused: tell("refused"),
          connected: tell("connected"),
          closed: tell("closed"),
        },
      }, network);
      const clients = plays.map((_, i) => running.client({ ...FAR, port: 1000 + i }));
      await Promise.all(plays.map((each, i) => play(clients[i]!, each)));
      // Peers come to whatever listens, and datagrams to whatever takes them.
      for (const at of [...network.listeners.keys()].filter((at) => !at.endsWith(":1080"))) {
        network.reach(at, { ip: "93.184.216.34", port: 5 });
      }
      const target = { type: "ipv4", host: "8.8.8.8", port: 53 } as const;
      const datagram = encodeDatagram({ fragment: 0, target, data: Uint8Array.of(1) });
      for (const { address } of relays()) await sender.send(datagram, address.ip, address.port);
      await turns(wait);
      if (drains) await soon(running.server.drain(5), "the drain");
      else await soon(running.server.close(), "the close");

      assertEquals(running.server.sessions, 0);
      assertEquals(network.listeners.size, 0);
      assertEquals([...network.sockets.keys()], ["8.8.8.8:53", `${FAR.ip}:53`]);
      assertEquals(network.made.filter(({ isClosed }) => !isClosed).length, 0, "connections left open");
      assert(stories.size <= plays.length);
      for (const story of stories.values()) {
        assertMatch(story.join(" "), /^opened( authenticated)?( requested)?( refused| connected)? closed$/);
      }
    }),
    { numRuns: 150 },
  );
});

test("2,000 sessions in a row leave nothing behind", async () => {
  const network = new Network();
  network.answers.set("93.184.216.34:80", behave("echo"));
  await using running = await house({}, network);
  for (let i = 0; i < 2000; i++) {
    const client = running.client();
    await client.send([5, 1, 0, 5, 1, 0, ...V4, 7]);
    await client.read(13);
    client.finish();
    await running.seen.summary(i);
  }
  assertEquals(running.server.sessions, 0);
  assertEquals(network.made.filter(({ isClosed }) => !isClosed).length, 0);
  assertEquals(
    new Set(running.seen.summaries.map(({ cause, sent, received }) => `${cause} ${sent} ${received}`)).size,
    1,
  );
});

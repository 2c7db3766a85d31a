import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import type { Server } from "../../src/server/server.ts";
import { Clock } from "./_clock.ts";
import { echo, eventually, FAR, type House, house, settle, soon, target, type Wire } from "./_harness.ts";
import { Network } from "./_network.ts";
import { pipe } from "./_pipe.ts";

const AT = "93.184.216.34:80";
const CONNECT5 = [5, 1, 0, 5, 1, 0, 1, 93, 184, 216, 34, 0, 80];
const CONNECT4 = [4, 1, 0, 80, 93, 184, 216, 34, 0];
const GRANTED5 = "05 00 05 00 00 01 c6 33 64 01 9c 40";
const USERS = [{ name: "ada", password: "lovelace" }];
const LOGIN = [5, 1, 2, 1, 3, 0x61, 0x64, 0x61, 8, ...new TextEncoder().encode("lovelace")];

/** A relay that is up: the server, the client and the target. */
async function relayed(options: ServeOptions = {}): Promise<[House, Wire, Wire]> {
  const network = new Network();
  const arrived = target(network, AT);
  const running = await house(options, network);
  const client = running.client();
  await client.send(CONNECT5);
  await client.expect(GRANTED5);
  return [running, client, await arrived];
}

test("a session that finishes is told of from its opening to its account", async () => {
  const network = new Network();
  echo(network, AT);
  await using running = await house({ users: USERS }, network);
  const client = running.client();
  await client.send(LOGIN, CONNECT5.slice(3), "hello");
  await client.expect("05 02 01 00 05 00 00 01 c6 33 64 01 9c 40 68 65 6c 6c 6f");
  client.finish();
  const summary = await running.seen.summary();
  assertEquals(running.seen.events, [
    "opened",
    "authenticated ada",
    "requested socks5 connect 93.184.216.34:80",
    "connected 93.184.216.34:80",
    "closed finished",
  ]);
  const { sent, received, cause, reason, duration } = summary;
  assertEquals({ sent, received, cause, reason }, { sent: 5, received: 5, cause: "finished", reason: undefined });
  assert(duration >= 0 && duration < 10_000);
  const [session] = running.seen.sessions;
  assertEquals(session!.client, FAR);
  assertEquals(session!.listener, { ip: "192.0.2.1", port: 1080 });
  assertEquals([session!.id, session!.isLocal, session!.protocol], [1, false, "socks5"]);
});

test("every session has a number of its own, counted from 1", async () => {
  await using running = await house();
  for (let i = 0; i < 3; i++) {
    running.client().leave();
    await running.seen.summary(i);
  }
  const opened = running.seen.sessions.filter((_, i) => running.seen.events[i] === "opened");
  assertEquals(opened.map(({ id }) => id), [1, 2, 3]);
});

test("a client that leaves before its first byte is a health check", async () => {
  await using running = await house();
  running.client().finish();
  const { cause, reason, sent, received } = await running.seen.summary();
  assertEquals({ cause, reason, sent, received }, { cause: "health-check", reason: undefined, sent: 0, received: 0 });
  assertEquals(running.seen.events, ["opened", "closed health-check"]);
});

test("a client that leaves in the middle of the handshake has vanished", async () => {
  for (const said of [[5], [5, 1], [5, 1, 0], [5, 1, 0, 5, 1], [4], [4, 1, 0, 80, 1, 2, 3, 4, 65]]) {
    await using running = await house();
    const client = running.client();
    await client.send(said);
    client.finish();
    assertEquals((await running.seen.summary()).cause, "vanished", String(said));
    assertEquals(running.seen.events, ["opened", "closed vanished"]);
  }
});

test("a client that crashes in the middle of the handshake has vanished", async () => {
  for (const said of [[5], [5, 1, 0], [5, 1, 0, 5, 1], [4, 1]]) {
    await using running = await house();
    const client = running.client();
    await client.send(said);
    await settle();
    client.leave("reset");
    assertEquals((await running.seen.summary()).cause, "vanished", String(said));
  }
});

test("what is not SOCKS is told as such", async () => {
  await using running = await house();
  const client = running.client();
  await client.send([0x16, 3, 1]);
  assertEquals(await client.restHex(), "");
  const { cause, reason } = await running.seen.summary();
  assertEquals(cause, "not-socks");
  assertStringIncludes(reason!, "22");
});

interface RefusalCase {
  readonly name: string;
  readonly says: readonly number[];
  readonly cause: string;
  readonly options?: ServeOptions;
  readonly events: readonly string[];
}

const REFUSALS: readonly RefusalCase[] = [
  { name: "no method in common", says: [5, 1, 1], cause: "authentication", events: [] },
  { name: "no method at all", says: [5, 0], cause: "protocol", events: [] },
  {
    name: "a wrong password",
    says: [5, 1, 2, 1, 1, 65, 1, 66],
    cause: "authentication",
    options: { users: USERS },
    events: [],
  },
  { name: "an unknown command", says: [5, 1, 0, 5, 9], cause: "protocol", events: [] },
  { name: "an unknown CD", says: [4, 9], cause: "protocol", events: [] },
  {
    name: "port 0",
    says: [...CONNECT5.slice(0, -1), 0],
    cause: "protocol",
    events: ["requested socks5 connect 93.184.216.34:0"],
  },
  {
    name: "a rule",
    says: CONNECT5,
    cause: "rules",
    options: { rules: { request: () => "deny" } },
    events: ["requested socks5 connect 93.184.216.34:80"],
  },
  {
    name: "a dial that fails",
    says: CONNECT5,
    cause: "network",
    events: ["requested socks5 connect 93.184.216.34:80"],
  },
];

for (const { name, says, cause, options, events } of REFUSALS) {
  test(`a refusal is told once, with its cause and reason: ${name}`, async () => {
    await using running = await house(options);
    const client = running.client();
    await client.send(says);
    client.finish();
    await client.rest();
    const summary = await running.seen.summary();
    assertEquals(running.seen.events, ["opened", ...events, `refused ${cause}`, "closed refused"]);
    assertEquals(summary.reason, running.seen.refusals[0]!.reason);
    assert(running.seen.refusals[0]!.reason.length > 0);
    assert(running.seen.refusals[0]!.error instanceof Error);
  });
}

test("a reason quotes what the client sent escaped, and never its password", async () => {
  await using running = await house({ users: USERS });
  const client = running.client();
  const [name, password] = ["eve\n\u001b[31m", "sesame-open"].map((field) => new TextEncoder().encode(field));
  await client.send([5, 1, 2, 1, name!.length], name!, [password!.length], password!);
  client.finish();
  await running.seen.summary();
  const told = JSON.stringify(running.seen.refusals) + running.seen.refusals[0]!.reason;
  // deno-lint-ignore no-control-regex
  assertEquals(/[\u0000-\u001f]/.test(running.seen.refusals[0]!.reason), false);
  assertEquals(told.includes("sesame"), false);
  assertStringIncludes(told, "eve");
});

const CODES: readonly (readonly [NetErrorCode, string])[] = [
  ["refused", "05"],
  ["unreachable-network", "03"],
  ["unreachable-host", "04"],
  ["timeout", "06"],
  ["name-not-found", "04"],
  ["lookup-failed", "04"],
  ["not-allowed", "02"],
  ["reset", "01"],
  ["closed", "01"],
  ["aborted", "01"],
  ["address-in-use", "01"],
  ["address-not-available", "01"],
  ["permission-denied", "01"],
  ["too-many-files", "01"],
  ["not-supported", "01"],
  ["unknown", "01"],
];

test("each failure of a dialler of one's own has its REP, and CD 91", async () => {
  for (const [code, reply] of CODES) {
    await using running = await house({ dial: () => Promise.reject(new NetError(code, "no")) });
    const five = running.client();
    await five.send(CONNECT5);
    assertEquals(await five.restHex(), `05 00 05 ${reply} 00 01 00 00 00 00 00 00`, code);
    five.leave();
    const four = running.client();
    await four.send(CONNECT4);
    assertEquals(await four.restHex(), "00 5b 00 00 00 00 00 00", code);
    four.leave();
    assertEquals((await running.seen.summary(1)).cause, "refused");
    assertEquals(
      running.seen.refusals.map(({ cause }) => cause),
      new Array(2).fill(code === "not-allowed" ? "rules" : "network"),
    );
  }
});

test("a dialler that throws at once, or something else than an error, fails the request alone", async () => {
  const throwers: ServeOptions["dial"][] = [
    () => {
      throw new Error("at once");
    },
    // deno-lint-ignore require-await
    async () => {
      throw "a string";
    },
    () => Promise.resolve(undefined as never),
  ];
  for (const dial of throwers) {
    await using running = await house({ dial });
    const client = running.client();
    await client.send(CONNECT5);
    assertEquals(await client.restHex(), "05 00 05 01 00 01 00 00 00 00 00 00");
    client.leave();
    assertEquals((await running.seen.summary()).cause, "refused");
  }
});

test("a target that resets makes it a reset, for the client too", async () => {
  const [running, client, far] = await relayed();
  far.leave("reset");
  assertEquals((await running.seen.summary()).cause, "reset");
  await eventually(() => running.server.sessions === 0, "the end");
  assertEquals(await client.rest().then(() => "end", (error) => error.code), "reset");
  await soon(running.server.close());
});

test("a client that resets makes it a reset, for the target too", async () => {
  const [running, client, far] = await relayed();
  client.leave("reset");
  assertEquals((await running.seen.summary()).cause, "reset");
  assertEquals(await far.rest().then(() => "end", (error) => error.code), "reset");
  await soon(running.server.close());
});

test("half-close is passed on, and the other direction goes on", async () => {
  const [running, client, far] = await relayed();
  await client.send("up");
  client.finish();
  assertEquals(new TextDecoder().decode(await far.rest()), "up");
  const down = new Uint8Array(300_000).fill(7);
  const sending = far.send(down).then(() => far.finish());
  assertEquals((await client.rest()).length, down.length);
  await sending;
  const { cause, sent, received } = await running.seen.summary();
  assertEquals({ cause, sent, received }, { cause: "finished", sent: 2, received: 300_000 });
  await soon(running.server.close());
});

const PHASES: readonly {
  name: string;
  options: ServeOptions;
  says: readonly number[];
  hears: string;
  cause: string;
}[] = [
  { name: "nothing said", options: { timeouts: { handshake: 50 } }, says: [], hears: "", cause: "timeout" },
  { name: "half a greeting", options: { timeouts: { handshake: 50 } }, says: [5, 2, 0], hears: "", cause: "timeout" },
  {
    name: "half a request",
    options: { timeouts: { handshake: 50 } },
    says: [5, 1, 0, 5, 1],
    hears: "05 00",
    cause: "timeout",
  },
  {
    name: "half a SOCKS4 request",
    options: { timeouts: { handshake: 50 } },
    says: [4, 1, 0],
    hears: "",
    cause: "timeout",
  },
  {
    name: "half a login",
    options: { timeouts: { authentication: 50 }, users: USERS },
    says: [5, 1, 2, 1, 3],
    hears: "05 02",
    cause: "timeout",
  },
  {
    name: "a check of the login that dawdles",
    options: { timeouts: { authentication: 50 }, authenticate: () => new Promise(() => {}) },
    says: LOGIN,
    hears: "05 02",
    cause: "timeout",
  },
  {
    name: "a lookup that dawdles",
    options: { timeouts: { lookup: 50 }, resolve: () => new Promise(() => {}) },
    says: [5, 1, 0, 5, 1, 0, 3, 1, 0x78, 0, 80],
    hears: "05 00 05 06 00 01 00 00 00 00 00 00",
    cause: "refused",
  },
  {
    name: "a dial that dawdles and heeds no signal",
    options: { timeouts: { connect: 50 }, dial: () => new Promise(() => {}) },
    says: CONNECT5,
    hears: "05 00 05 06 00 01 00 00 00 00 00 00",
    cause: "refused",
  },
  {
    name: "a SOCKS4 dial that dawdles",
    options: { timeouts: { connect: 50 }, dial: () => new Promise(() => {}) },
    says: CONNECT4,
    hears: "00 5b 00 00 00 00 00 00",
    cause: "refused",
  },
  {
    name: "a rule that dawdles",
    options: { timeouts: { lookup: 50 }, rules: { request: () => new Promise(() => {}) } },
    says: CONNECT5,
    hears: "05 00 05 06 00 01 00 00 00 00 00 00",
    cause: "refused",
  },
];

for (const { name, options, says, hears, cause } of PHASES) {
  test(`out of time: ${name}`, async () => {
    await using running = await house(options);
    const client = running.client();
    await client.send(says);
    assertEquals(await client.restHex().catch((error) => error.code), hears);
    client.leave();
    assertEquals((await running.seen.summary()).cause, cause);
    assertEquals(running.server.sessions, 0);
  });
}

test("a dial that is late connects nobody", async () => {
  let arrive = (): void => {};
  const [inside] = pipe();
  await using running = await house({
    timeouts: { connect: 50 },
    dial: () => new Promise((resolve) => arrive = () => resolve(inside)),
  });
  const client = running.client();
  await client.send(CONNECT5);
  await client.expect("05 00 05 06 00 01 00 00 00 00 00 00");
  arrive();
  await eventually(() => inside.isClosed, "the late connection's close");
  client.leave();
});

test("an idle relay ends, both ways", async () => {
  const [running, client, far] = await relayed({ timeouts: { idle: 60 } });
  await client.send("x");
  assertEquals((await running.seen.summary()).cause, "timeout");
  await far.rest().catch(() => {});
  await client.rest().catch(() => {});
  await soon(running.server.close());
});

test("a half-closed relay has a limit of its own", async () => {
  const [running, client, far] = await relayed({ timeouts: { halfClosed: 60, idle: 60_000 } });
  client.finish();
  await far.rest();
  assertEquals((await running.seen.summary()).cause, "timeout");
  await soon(running.server.close());
});

test("bytes either way keep an idle relay alive", async () => {
  using clock = new Clock();
  const [running, client, far] = await relayed({ timeouts: { idle: 400 } });
  for (const [from, to] of [[far, client], [client, far], [far, client], [client, far], [far, client]] as const) {
    await clock.advance(300);
    await from.send("x");
    await to.read(1);
  }
  assertEquals(running.server.sessions, 1);
  client.finish();
  far.finish();
  assertEquals((await running.seen.summary()).cause, "finished");
  await soon(running.server.close());
});

test("timeouts of 0 are none", async () => {
  const timeouts = { handshake: 0, authentication: 0, lookup: 0, connect: 0, bind: 0, idle: 0, halfClosed: 0 };
  const [running, client, far] = await relayed({ timeouts });
  client.finish();
  await far.rest();
  await far.send("late");
  far.finish();
  assertEquals(await client.text(4), "late");
  assertEquals((await running.seen.summary()).cause, "finished");
  await soon(running.server.close());
});

test("an observer that throws is not heard", async () => {
  const fail = () => {
    throw new Error("An observer's own affair");
  };
  const network = new Network();
  echo(network, AT);
  await using running = await house({
    users: USERS,
    observer: { opened: fail, authenticated: fail, requested: fail, refused: fail, connected: fail, closed: fail },
  }, network);
  const client = running.client();
  await client.send(LOGIN, CONNECT5.slice(3), "x");
  await client.expect("05 02 01 00 05 00 00 01 c6 33 64 01 9c 40 78");
  client.leave();
  const refused = running.client();
  await refused.send([5, 1, 0]);
  await refused.expect("05 ff");
  refused.leave();
  await eventually(() => running.server.sessions === 0, "the end of both");
});

test("an observer whose promises fail is not heard either", async () => {
  const fail = (): Promise<void> => Promise.reject(new Error("An observer's own affair"));
  await using running = await house({ observer: { opened: fail, closed: fail } });
  running.client().leave();
  await eventually(() => running.server.sessions === 0, "the end");
  await settle(); // an unhandled rejection would fail this test
});

test("a server that is closed by its observer in the middle of a request takes nothing with it", async () => {
  const held: { server?: Server } = {};
  let closing: Promise<void> | undefined;
  const network = new Network();
  const running = await house({
    rules: { address: () => Promise.resolve("deny") },
    resolve: () => Promise.reject(new NetError("name-not-found", "gone")),
    observer: { requested: () => closing = held.server!.close() },
  }, network);
  held.server = running.server;
  const client = running.client();
  await client.send([5, 1, 0, 5, 1, 0, 3, 1, 0x78, 0, 80]);
  await client.rest().catch(() => {});
  await eventually(() => closing !== undefined, "the close");
  await soon(closing!);
  await settle(); // an unhandled rejection would fail this test
});

test("what a session opened is closed when it ends, however it ends", async () => {
  for (const end of ["client", "target", "client resets", "target resets", "server"] as const) {
    const [running, client, far] = await relayed();
    if (end === "client") client.leave();
    if (end === "target") far.leave();
    if (end === "client resets") client.leave("reset");
    if (end === "target resets") far.leave("reset");
    if (end === "server") void running.server.close();
    if (end === "client") far.finish();
    if (end === "target") client.finish();
    await running.seen.summary();
    assertEquals(running.network.made.map(({ isClosed }) => isClosed), [true, true], end);
    await soon(running.server.close());
  }
});

test("a session's signal aborts when the session ends", async () => {
  let signal: AbortSignal | undefined;
  const [running, client, far] = await relayed({
    rules: {
      request: (request) => {
        signal = request.signal;
        return undefined;
      },
    },
  });
  assertEquals(signal!.aborted, false);
  client.finish();
  far.finish();
  await running.seen.summary();
  assertEquals(signal!.aborted, true);
  await soon(running.server.close());
});

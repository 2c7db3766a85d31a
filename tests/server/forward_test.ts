import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { test } from "node:test";
import { formatAddress, type SocketAddress } from "../../src/net/address.ts";
import type { RequestInfo } from "../../src/policy/rules.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Connection, ConnectOptions } from "../../src/runtime/runtime.ts";
import type { Forward } from "../../src/server/forward.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { echo, FAR, hex, type House, house, NEAR, Recorder, settle, soon, target, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const DB = "192.0.2.50:5432";
const OTHER = "192.0.2.51:5432";
const PORT: Forward = { listen: { address: "127.0.0.1:7000", name: "db" }, to: DB };

/** A server that has forwards and nothing else. */
async function forwarding(options: ServeOptions = {}, network = new Network()): Promise<House> {
  return await house({ listen: undefined, open: false, forwards: [PORT], ...options }, network);
}

/** A client of a forward. */
function reach({ network, server }: House, from: SocketAddress = NEAR, nth = 0): Wire {
  return new Wire(network.reach(formatAddress(server.forwards[nth]!.address), from));
}

test("a forward leads to its target without a handshake, and the target may speak first", async () => {
  await using running = await forwarding();
  const waiting = target(running.network, DB);
  const client = reach(running);
  const db = await soon(waiting);
  await db.send("220 hello");
  assertEquals(await client.text(9), "220 hello");
  await client.send("early", " bytes");
  assertEquals(await db.text(11), "early bytes");
  client.leave();
  assertEquals(await db.restHex(), "");
  db.leave();
  const { sent, received, cause } = await running.seen.summary();
  assertEquals({ sent, received, cause }, { sent: 11, received: 9, cause: "finished" });
  const { events, sessions: [session] } = running.seen;
  assertEquals(events, ["opened", `requested forward connect ${DB}`, `connected ${DB}`, "closed finished"]);
  assertEquals(session!.listenerName, "db");
  assertEquals(session!.listener, { ip: "127.0.0.1", port: 7000 });
  assertEquals(running.network.lookups, []);
});

test("the first byte means nothing: SOCKS and HTTP go to the target like all else", async () => {
  await using running = await forwarding({ mixed: true });
  echo(running.network, DB);
  for (const first of [[5, 1, 0], [4, 1, 0, 80, 1, 2, 3, 4, 0], "GET http://a.example/ HTTP/1.1\r\n\r\n", [0]]) {
    const client = reach(running);
    await client.send(first);
    client.finish();
    const sent = typeof first === "string" ? new TextEncoder().encode(first) : Uint8Array.from(first);
    assertEquals(await client.restHex(), hex(sent));
  }
});

test("what a client sends before the target is reached is not lost, nor is its end", async () => {
  const network = new Network();
  let open!: () => void;
  const gate = new Promise<void>((resolve) => open = resolve);
  const connect = network.connect.bind(network);
  network.connect = async (to: SocketAddress, options?: ConnectOptions): Promise<Connection> => {
    await gate;
    return await connect(to, options);
  };
  await using running = await forwarding({}, network);
  echo(network, DB);
  const client = reach(running);
  await client.send("all that I have to say");
  client.finish();
  await running.seen.event("requested");
  open();
  assertEquals(new TextDecoder().decode(await client.rest()), "all that I have to say");
  assertEquals((await running.seen.summary()).cause, "finished");
});

test("half of a connection may end long before the other", async () => {
  await using running = await forwarding();
  const waiting = target(running.network, DB);
  const client = reach(running);
  const db = await soon(waiting);
  await client.send("question");
  client.finish();
  assertEquals(new TextDecoder().decode(await db.rest()), "question");
  await db.send("answer");
  assertEquals(await client.text(6), "answer");
  db.finish();
  assertEquals(await client.restHex(), "");
});

test("a client whose target cannot be reached is reset, as the target would have done", async () => {
  for (const answer of ["refused", "unreachable-host", "timeout"] as const) {
    await using running = await forwarding();
    running.network.answers.set(DB, answer);
    const client = reach(running);
    const { cause } = await running.seen.summary();
    assertEquals(cause, "refused");
    assertEquals(running.seen.refusals[0]!.cause, "network");
    assert(client.end.closed instanceof Promise);
    await assertRejects(() => soon(client.end.read()), Error, "reset");
  }
});

test("a target that never answers is given up after the time for connecting", async () => {
  await using running = await forwarding({ timeouts: { connect: 40 } });
  running.network.answers.set(DB, "silence");
  const client = reach(running);
  await assertRejects(() => soon(client.end.read()), Error, "reset");
  assertEquals((await running.seen.summary()).cause, "refused");
  assertMatch(running.seen.refusals[0]!.reason, /^No connection within/);
});

test("a client that resets ends the attempt to reach its target", async () => {
  const seen = new Recorder();
  const runtime = memory();
  let dialled!: () => void;
  const isDialled = new Promise<void>((resolve) => dialled = resolve);
  const dial = (): Promise<Connection> => {
    dialled();
    return new Promise(() => {});
  };
  await using _server = await serve({ runtime, forwards: [PORT], observer: seen, dial });
  const client = await runtime.connect({ ip: "127.0.0.1", port: 7000 });
  await soon(isDialled);
  client.close(new Error("The test resets"));
  assertEquals((await seen.summary()).cause, "vanished");
});

test("a reset passes through, both ways", async () => {
  await using running = await forwarding();
  for (const who of ["client", "target"]) {
    const waiting = target(running.network, DB);
    const client = reach(running);
    const db = await soon(waiting);
    const [from, to] = who === "client" ? [client, db] : [db, client];
    await from.send("x");
    assertEquals(await to.text(1), "x");
    from.leave("reset");
    await assertRejects(() => soon(to.end.read()), Error, "reset");
  }
});

test("a name is resolved for each session, and all of its addresses are tried", async () => {
  const network = new Network();
  network.names.set("db.example", [["192.0.2.60", "192.0.2.61"], ["192.0.2.62"]]);
  await using running = await forwarding({ forwards: [{ ...PORT, to: "db.example:5432" }] }, network);
  const first = target(network, "192.0.2.61:5432");
  reach(running);
  await soon(first);
  const second = target(network, "192.0.2.62:5432");
  reach(running);
  await soon(second);
  assertEquals(network.lookups, ["db.example", "db.example"]);
  assertEquals(running.server.forwards[0]!.to, "db.example:5432");
});

test("rules hold: by listener, target and client; those for users do not apply", async () => {
  const network = new Network();
  echo(network, DB);
  echo(network, OTHER);
  const forwards: Forward[] = [PORT, { listen: "127.0.0.1:7001", to: OTHER }, { listen: "127.0.0.1:7002", to: DB }];
  await using running = await forwarding({
    forwards,
    users: [{ name: "ada", password: "lovelace" }],
    otherwise: "deny",
    rules: [
      { action: "allow", users: ["*"] },
      { action: "deny", name: "not her", from: ["127.0.0.9"] },
      { action: "allow", name: "by name", listeners: ["db"], commands: ["connect"], to: ["192.0.2.50"], ports: [5432] },
      { action: "allow", name: "by address", listeners: ["127.0.0.1:7001"], commands: ["bind", "udp-associate"] },
    ],
  }, network);
  const outcome = async (nth: number, from = NEAR): Promise<string | undefined> => {
    const before = running.seen.summaries.length;
    const client = reach(running, from, nth);
    client.finish();
    await running.seen.summary(before);
    return running.seen.sessions.at(-1)!.rule;
  };
  assertEquals(await outcome(0), "by name");
  assertEquals(await outcome(0, { ip: "127.0.0.9", port: 1 }), "not her");
  assertEquals(await outcome(1), "otherwise");
  assertEquals(await outcome(2), "otherwise");
  assertEquals(running.seen.refusals.map(({ cause }) => cause), ["rules", "rules", "rules"]);
  assertEquals(running.network.attempts, [DB]);
});

test("functions as rules see where a forward leads", async () => {
  const seen: string[] = [];
  const note = ({ protocol, command, target, user }: RequestInfo): undefined => {
    seen.push(`${protocol} ${command} ${target.host}:${target.port} ${user?.name}`);
  };
  await using running = await forwarding({ rules: { request: note } });
  echo(running.network, DB);
  reach(running).finish();
  await running.seen.summary();
  assertEquals(seen, [`forward connect ${DB} undefined`]);
});

test("where a forward leads its operator has chosen: the safe defaults are about what clients choose", async () => {
  const network = new Network();
  for (const to of ["10.0.0.5:22", "127.0.0.1:22"]) {
    echo(network, to);
    await using running = await forwarding({ forwards: [{ listen: "192.0.2.1:7000", to, open: true }] }, network);
    const client = reach(running, FAR);
    await client.send("hello");
    assertEquals(await client.text(5), "hello");
  }
});

test("a forward to a forward would go round: whatever the rules say it is refused", async () => {
  const network = new Network();
  network.names.set("localhost", [["127.0.0.1"]]);
  const forwards: Forward[] = [
    { listen: "127.0.0.1:7000", to: "127.0.0.1:7001" },
    { listen: "0.0.0.0:7001", to: "localhost:7000", open: true },
  ];
  await using running = await forwarding({ forwards, otherwise: "allow" }, network);
  for (const nth of [0, 1]) await assertRejects(() => soon(reach(running, NEAR, nth).end.read()), Error, "reset");
  assertEquals(running.seen.refusals.map(({ cause }) => cause), ["rules", "rules"]);
  assertEquals(network.attempts, []);
});

test("clients of SOCKS do not reach a forward through the server, unless a rule allows it", async () => {
  const network = new Network();
  await using running = await house({ listen: "127.0.0.1:1080", open: false, forwards: [PORT] }, network);
  const client = new Wire(network.reach("127.0.0.1:1080", NEAR));
  await client.send([5, 1, 0], [5, 1, 0, 1, 127, 0, 0, 1, 0x1b, 0x58]);
  await client.expect("05 00 05 02 00 01 00 00 00 00 00 00");
  assertEquals(running.server.addresses, [{ ip: "127.0.0.1", port: 1080 }]);
});

test("limits hold", async () => {
  await using running = await forwarding({
    limits: [{ name: "one", per: "listener", listeners: ["db"], sessions: 1 }],
  });
  const waiting = target(running.network, DB);
  const first = reach(running);
  await soon(waiting);
  await assertRejects(() => soon(reach(running).end.read()), Error, "reset");
  assertMatch(running.seen.refusals[0]!.reason, /limit "one"/);
  first.leave("reset");
  await running.seen.summary(1);
  const again = target(running.network, DB);
  reach(running);
  await soon(again);
});

test("`bounds.sessions` holds for forwards and SOCKS together", async () => {
  const network = new Network();
  await using running = await house({
    listen: "127.0.0.1:1080",
    open: false,
    forwards: [PORT],
    bounds: { sessions: 1 },
  }, network);
  const socks = new Wire(network.reach("127.0.0.1:1080", NEAR));
  await running.seen.event("opened");
  const waiting = target(network, DB);
  reach(running);
  await settle();
  assertEquals(network.attempts, []);
  socks.leave();
  await soon(waiting);
});

test("a silent session ends after `idle` of its forward, or of all", async () => {
  for (const options of [{ forwards: [{ ...PORT, idle: 40 }] }, { timeouts: { idle: 40 } }]) {
    await using running = await forwarding(options);
    const waiting = target(running.network, DB);
    const client = reach(running);
    const db = await soon(waiting);
    const { cause, reason } = await running.seen.summary();
    assertEquals(cause, "timeout");
    assertMatch(reason!, /^Idle, no byte in either direction/);
    assertEquals([client.end.isClosed, db.end.isClosed], [false, false]); // the server closed its ends
    await Promise.allSettled([client.rest(), db.rest()]);
  }
});

test("without `listen` nothing but forwards is listened on; with it both are", async () => {
  const network = new Network();
  const forwards: Forward[] = [
    { listen: "127.0.0.1:0", to: DB },
    { listen: { host: "127.0.0.1", port: 0 }, to: "db.example:53", protocol: "udp" },
  ];
  const running = await forwarding({ forwards }, network);
  const { server } = running;
  assertEquals(server.addresses, []);
  assertEquals(server.forwards.map(({ protocol, to, via }) => ({ protocol, to, via })), [
    { protocol: "tcp", to: DB, via: undefined },
    { protocol: "udp", to: "db.example:53", via: undefined },
  ]);
  for (const { address } of server.forwards) assert("port" in address && address.port > 0);
  assertEquals([network.listeners.size, network.sockets.size], [1, 1]);
  await server.close();
  assertEquals([network.listeners.size, network.sockets.size], [0, 0]);
  await using both = await forwarding({ forwards, listen: "127.0.0.1:1080" }, network);
  assertEquals(both.server.addresses, [{ ip: "127.0.0.1", port: 1080 }]);
  assertEquals(both.server.forwards.length, 2);
});

test("a name or `[::]` listens as it does for SOCKS, a UNIX socket too", async () => {
  const network = new Network();
  network.names.set("localhost", [["127.0.0.1", "::1"]]);
  const forwards: Forward[] = [{ listen: "localhost:7000", to: DB }, { listen: "unix:/run/db", to: DB }];
  await using running = await forwarding({ forwards }, network);
  assertEquals(running.server.forwards.map(({ address }) => formatAddress(address)), [
    "127.0.0.1:7000",
    "[::1]:7000",
    "unix:/run/db",
  ]);
});

test("a forward that other machines reach takes a word of its own, even where users must log in", async () => {
  const users = [{ name: "ada", password: "lovelace" }];
  for (const listen of ["0.0.0.0:7000", "[::]:7000", "192.0.2.1:7000"]) {
    for (const protocol of ["tcp", "udp"] as const) {
      for (const more of [{}, { users }, { listen: "127.0.0.1:1080" }]) {
        const network = new Network();
        const options = { forwards: [{ listen, to: DB, protocol }], runtime: network, ...more };
        await assertRejects(
          () => serve(options),
          TypeError,
          `Cannot forward from "${listen}" without "open": anyone who reaches it could use it, and nobody can log in there`,
        );
        assertEquals([network.listeners.size, network.sockets.size], [0, 0]);
        await (await serve({ ...options, open: true })).close();
        await (await serve({ ...options, forwards: [{ listen, to: DB, protocol, open: true }] })).close();
      }
    }
  }
  // The word of a forward is for no other, and not for SOCKS.
  const runtime = new Network();
  const forwards = [{ listen: "0.0.0.0:7000", to: DB, open: true }, { listen: "0.0.0.0:7001", to: DB }];
  await assertRejects(() => serve({ runtime, forwards }), TypeError, '"0.0.0.0:7001"');
  await assertRejects(() => serve({ runtime, forwards: [forwards[0]!], listen: "0.0.0.0:1080" }), TypeError, ":1080");
  assertEquals(runtime.listeners.size, 0);
});

test("what makes no sense is refused at the start, in words that say where it stands", async () => {
  const listen = "127.0.0.1:7000";
  const wrong: readonly [unknown, string][] = [
    [
      { listen, to: "db" },
      'Cannot use forwards[0].to: found "db", expected HOST:PORT or [IPv6]:PORT (port 1 to 65535)',
    ],
    [{ listen, to: "db:0" }, 'forwards[0].to: found "db:0"'],
    [{ listen, to: "unix:/run/db" }, 'forwards[0].to: found "unix:/run/db"'],
    [{ listen, to: "0.0.0.0:22" }, "expected an address that one can connect to"],
    [{ listen, to: `${"x".repeat(256)}:22` }, "expected a name of at most 255 bytes"],
    [{ listen, to: DB, protocol: "sctp" }, 'forwards[0].protocol: found "sctp", expected "tcp" or "udp"'],
    [{ listen, to: DB, idle: -1 }, "forwards[0].idle: found -1, expected a number of at least 0"],
    [{ listen, to: DB, open: "yes" }, 'forwards[0].open: found "yes", expected true or false'],
    [
      { listen: "unix:/run/x", to: DB, protocol: "udp" },
      'forwards[0].listen: found "unix:/run/x", expected HOST:PORT for UDP',
    ],
    [{ listen: { fd: 3 }, to: DB, protocol: "udp" }, "forwards[0].listen: found an inherited socket"],
  ];
  for (const [forward, message] of wrong) {
    const runtime = new Network();
    await assertRejects(() => serve({ runtime, forwards: [forward as Forward] }), RangeError, message);
    assertEquals([runtime.listeners.size, runtime.sockets.size], [0, 0]);
  }
  await assertRejects(() => serve({ runtime: new Network(), forwards: [{ listen: "7000", to: DB }] }), SyntaxError);
});

test("a way out takes the forward's sessions, where no rule says another, and a name stays a name", async () => {
  const network = new Network();
  network.names.set("proxy.example", [["192.0.2.7"]]);
  const upstreams = { a: { proxy: "socks5h://192.0.2.8:1080" }, b: { proxy: "socks5h://192.0.2.9:1080" } };
  await using running = await forwarding({
    upstreams,
    via: "a",
    forwards: [
      { ...PORT, to: "db.example:5432", via: "b" },
      { listen: "127.0.0.1:7001", to: "db.example:5432" },
      { listen: "127.0.0.1:7002", to: "127.0.0.1:7000", via: "b" }, // there it is another place
      { listen: "127.0.0.1:7003", to: DB, via: "direct" },
      { listen: { address: "127.0.0.1:7004", name: "ruled" }, to: "db.example:5432", via: "b" },
    ],
    rules: [{ action: "allow", listeners: ["ruled"], via: "a" }],
  }, network);
  const { server } = running;
  assertEquals(server.forwards.map(({ via }) => via), ["b", undefined, "b", "direct", "b"]);
  for (const [nth, proxy] of [[0, "9"], [1, "8"], [2, "9"], [4, "8"]] as const) {
    const waiting = target(network, `192.0.2.${proxy}:1080`);
    const client = reach(running, NEAR, nth);
    const upstream = await soon(waiting);
    await upstream.expect("05 01 00");
    await upstream.send([5, 0]);
    if (nth === 2) await upstream.expect("05 01 00 01 7f 00 00 01 1b 58");
    else assertEquals(new TextDecoder().decode((await upstream.read(17)).subarray(5, 15)), "db.example");
    await upstream.send([5, 0, 0, 1, 10, 0, 0, 1, 0, 80], "hello");
    assertEquals(await client.text(5), "hello");
    client.leave("reset");
  }
  const waiting = target(network, DB);
  reach(running, NEAR, 3);
  await soon(waiting);
  assertEquals(network.lookups, []);
});

test("a forward is not the proxy of its own sessions", async () => {
  await using running = await forwarding({
    upstreams: { out: { proxy: "socks5h://127.0.0.1:7000" } },
    forwards: [{ ...PORT, via: "out" }],
  });
  await assertRejects(() => soon(reach(running).end.read()), Error, "reset");
  assertMatch(running.seen.refusals[0]!.reason, /127\.0\.0\.1:7000.*listener of this server/);
  assertEquals(running.network.attempts, []);
});

test("a way out that is not there, or refuses, is told", async () => {
  const runtime = new Network();
  await assertRejects(
    () => serve({ runtime, forwards: [{ ...PORT, via: "nowhere" }] }),
    RangeError,
    'Cannot use forwards[0].via: found "nowhere"',
  );
  assertEquals(runtime.listeners.size, 0);
  await using running = await forwarding({ forwards: [{ ...PORT, via: "block" }] });
  await assertRejects(() => soon(reach(running).end.read()), Error, "reset");
  assertEquals(running.seen.refusals.map(({ cause }) => cause), ["rules"]);
  assertEquals(running.network.attempts, []);
});

test("two at one place are refused as by the system, and nothing stays open", async () => {
  for (const protocol of ["tcp", "udp"] as const) {
    const runtime = new Network();
    const twice: Forward[] = [{ ...PORT, protocol }, { ...PORT, protocol, to: OTHER }];
    await assertRejects(() => serve({ runtime, forwards: twice }), Error, "127.0.0.1:7000");
    assertEquals([runtime.listeners.size, runtime.sockets.size], [0, 0]);
  }
  const runtime = new Network();
  const server = await serve({ runtime, forwards: [PORT, { ...PORT, protocol: "udp" }] }); // these do not meet
  await server.close();
});

test("a reload keeps the ports that stay: another target is for new clients, and a port may change its use", async () => {
  const network = new Network();
  await using running = await forwarding({}, network);
  const { server, seen } = running;
  const listener = network.listeners.get("127.0.0.1:7000");
  let waiting = target(network, DB);
  const before = reach(running);
  const db = await soon(waiting);
  const next = { runtime: network, observer: seen };
  await server.reload({ ...next, forwards: [{ ...PORT, to: OTHER }] });
  waiting = target(network, OTHER);
  const after = reach(running);
  const other = await soon(waiting);
  for (const [client, end] of [[before, db], [after, other]] as const) {
    await end.send("still here");
    assertEquals(await client.text(10), "still here");
  }
  await assertRejects(() => server.reload({ ...next, forwards: [{ ...PORT, to: "nowhere" }] }), RangeError);
  assertEquals(server.forwards.map(({ to }) => to), [OTHER]);
  await server.reload({ ...next, listen: "127.0.0.1:7000" }); // SOCKS now
  const socks = new Wire(network.reach("127.0.0.1:7000", NEAR));
  await socks.send([5, 1, 0]);
  await socks.expect("05 00");
  assertEquals([server.forwards, server.addresses], [[], [{ ip: "127.0.0.1", port: 7000 }]]);
  await server.reload({ ...next, forwards: [PORT] }, { sessions: "recheck" });
  assertEquals(network.listeners.get("127.0.0.1:7000"), listener);
  await seen.event("closed revoked"); // `after`, whose forward is no more; that of `before` is back
  await db.send("!");
  assertEquals(await before.text(1), "!");
  assertEquals(seen.summaries.map(({ cause }) => cause), ["revoked"]);
});

test("who waits for room at a port that a reload takes away is served nowhere", async () => {
  const network = new Network();
  await using running = await forwarding({ bounds: { sessions: 1 } }, network);
  const { server, seen } = running;
  const waiting = target(network, DB);
  const first = reach(running);
  await soon(waiting);
  const second = reach(running);
  await settle();
  await server.reload({ runtime: network, observer: seen, listen: "127.0.0.1:1080", bounds: { sessions: 1 } });
  first.leave("reset");
  assertEquals(await second.restHex(), "");
  assertEquals(server.sessions, 0);
  assertEquals(seen.events.filter((event) => event === "opened").length, 1);
});

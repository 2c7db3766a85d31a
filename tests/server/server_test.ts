import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { formatAddress } from "../../src/net/address.ts";
import { NetError } from "../../src/net/errors.ts";
import { serve } from "../../src/server/server.ts";
import { echo, eventually, FAR, house, NEAR, Recorder, settle, soon, target, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const AT = "93.184.216.34:80";
const CONNECT5 = [5, 1, 0, 5, 1, 0, 1, 93, 184, 216, 34, 0, 80];
const GRANTED5 = "05 00 05 00 00 01 c6 33 64 01 9c 40";

test("without options it would listen on 127.0.0.1:1080", async () => {
  const runtime = new Network();
  const server = await serve({ runtime });
  assertEquals(server.addresses, [{ ip: "127.0.0.1", port: 1080 }]);
  assertEquals(server.sessions, 0);
  await server.close();
  assertEquals(runtime.listeners.size, 0);
});

test("addresses come in the order asked for, with real ports", async () => {
  const runtime = new Network();
  runtime.names.set("localhost", [["127.0.0.1", "::1"]]);
  const listen = ["[::1]:0", "unix:/run/socks.sock", { host: "127.0.0.1", port: 0 }, { path: "/x" }, "localhost:1080"];
  const server = await serve({ runtime, listen });
  assertEquals(server.addresses, [
    { ip: "::1", port: 40_000 },
    { path: "/run/socks.sock" },
    { ip: "127.0.0.1", port: 40_001 },
    { path: "/x" },
    { ip: "127.0.0.1", port: 1080 },
    { ip: "::1", port: 1080 },
  ]);
  await server.close();
});

test("[::] stands for 0.0.0.0 of the same port too, which it takes", async () => {
  const listen = ["0.0.0.0:1080", "[::]:1080", "0.0.0.0:1081", "0.0.0.0:0", "[::]:0"];
  await using running = await house({ listen, open: true });
  const ports = running.server.addresses.map(formatAddress);
  assertEquals(ports.slice(0, 2), ["[::]:1080", "0.0.0.0:1081"]);
  assertEquals(ports.length, 4);
});

test("a wider listener without users does not start, unless it is meant to be open", async () => {
  for (const listen of ["0.0.0.0:1080", "[::]:1080", "192.0.2.1:1080", ["127.0.0.1:1080", "10.0.0.1:1080"]]) {
    const runtime = new Network();
    await assertRejects(() => serve({ runtime, listen }), TypeError);
    assertEquals(runtime.listeners.size, 0);
    for (
      const options of [{ open: true }, { users: [{ name: "a", password: "" }] }, { authenticate: () => undefined }]
    ) {
      await (await serve({ runtime, listen, ...options })).close();
    }
    await assertRejects(() => serve({ runtime, listen, users: [] }), TypeError);
  }
});

test("if one listener cannot be had, none stays", async () => {
  const runtime = new Network();
  const error = await assertRejects(() => serve({ runtime, listen: ["127.0.0.1:1080", "127.0.0.1:1080"] }), NetError);
  assertEquals(error.code, "address-in-use");
  assertEquals(runtime.listeners.size, 0);
});

test("a listen address that cannot be read is said", async () => {
  const error = await assertRejects(() => serve({ runtime: new Network(), listen: "1080" }), SyntaxError);
  assertStringIncludes(error.message, '"1080"');
});

test("close ends every session at once and frees the address", async () => {
  const network = new Network();
  const arrived = target(network, AT);
  const running = await house({}, network);
  const client = running.client();
  await client.send(CONNECT5);
  await client.expect(GRANTED5);
  const far = await arrived;
  const silent = running.client({ ...FAR, port: 3 });
  await eventually(() => running.server.sessions === 2, "two sessions");
  await soon(running.server.close());
  assertEquals(running.server.sessions, 0);
  assertEquals(network.listeners.size, 0);
  assertEquals((await running.seen.summary(0)).cause, "shutdown");
  assertEquals((await running.seen.summary(1)).cause, "shutdown");
  for (const wire of [client, far, silent]) await wire.rest().catch(() => {});
  await soon(running.server.closed);
  await soon(running.server.close(), "a second close");
});

test("a session that is refused while the server closes is a shutdown", async () => {
  const running = await house({ dial: () => new Promise(() => {}) });
  const client = running.client();
  await client.send(CONNECT5);
  await running.seen.event("requested");
  await soon(running.server.close());
  assertEquals(running.seen.refusals, []);
  assertEquals((await running.seen.summary()).cause, "shutdown");
});

test("close ends a session that is only just accepted", async () => {
  for (let turns = 0; turns < 8; turns++) {
    const running = await house();
    running.client();
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await soon(running.server.close(), `close after ${turns} turns`);
    assertEquals(running.network.made.map(({ isClosed }) => isClosed), [true]);
  }
});

test("drain lets sessions finish, and takes no more", async () => {
  const network = new Network();
  const arrived = target(network, AT);
  const running = await house({}, network);
  const client = running.client();
  await client.send(CONNECT5);
  await client.expect(GRANTED5);
  const draining = running.server.drain();
  assertEquals(network.listeners.size, 0);
  await client.send("still here");
  const far = await arrived;
  assertEquals(await far.text(10), "still here");
  assertEquals(running.server.sessions, 1);
  client.finish();
  far.finish();
  await soon(draining);
  assertEquals((await running.seen.summary()).cause, "finished");
});

test("drain ends what is open after the deadline", async () => {
  const running = await house();
  running.client();
  await running.seen.event("opened");
  await soon(running.server.drain(30));
  assertEquals((await running.seen.summary()).cause, "shutdown");
});

test("drain with nothing open is done at once", async () => {
  const running = await house();
  await soon(running.server.drain(86_400_000), "the drain");
});

test("close cuts a drain short", async () => {
  const running = await house();
  running.client();
  await running.seen.event("opened");
  const draining = running.server.drain();
  await soon(running.server.close());
  await soon(draining);
});

test("an endless deadline is no deadline", async () => {
  const running = await house();
  running.client();
  await running.seen.event("opened");
  const draining = running.server.drain(Infinity);
  await settle();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(running.server.sessions, 1);
  await soon(running.server.close());
  await soon(draining);
});

test("no more clients are taken than the limit says, and the next one is when one leaves", async () => {
  await using running = await house({ bounds: { sessions: 2 } });
  const clients = [1, 2, 3].map((port) => running.client({ ...FAR, port }));
  for (const client of clients) await client.send([5, 1, 0]);
  await clients[0]!.expect("05 00");
  await clients[1]!.expect("05 00");
  await settle();
  assertEquals(running.server.sessions, 2);
  assertEquals(clients[2]!.end.unread, 0);
  clients[0]!.leave();
  await clients[2]!.expect("05 00");
  assertEquals(running.server.sessions, 2);
});

test("the limit on sessions is that of all listeners together", async () => {
  const listen = ["192.0.2.1:1080", "192.0.2.2:1080", "192.0.2.3:1080"];
  await using running = await house({ bounds: { sessions: 1 }, listen });
  for (const at of listen) await new Wire(running.network.reach(at, FAR)).send([5, 1, 0]);
  await settle();
  assertEquals(running.server.sessions, 1);
});

test("every waiting client is served in the end", async () => {
  const listen = ["192.0.2.1:1080", "192.0.2.2:1080"];
  await using running = await house({ bounds: { sessions: 3 }, listen });
  const all = Array.from({ length: 40 }, async (_, i) => {
    const client = new Wire(running.network.reach(listen[i % 2]!, { ...FAR, port: i + 1 }));
    await client.send([5, 1, 0]);
    await client.expect("05 00");
    client.leave();
  });
  await soon(Promise.all(all));
  await running.seen.summary(39);
});

test("a client of this machine may reach this machine, one from afar may not", async () => {
  const network = new Network();
  echo(network, "127.0.0.1:80");
  await using running = await house({ listen: "192.0.2.1:1080" }, network);
  const request = [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80];
  const near = running.client(NEAR);
  await near.send(request);
  await near.expect("05 00 05 00 00 01");
  near.leave();
  const far = running.client(FAR);
  await far.send(request);
  await far.expect("05 00 05 02 00 01");
  far.leave();
});

test("a client on a UNIX socket is of this machine", async () => {
  const network = new Network();
  echo(network, "127.0.0.1:80");
  const seen = new Recorder();
  const server = await serve({ runtime: network, listen: "unix:/run/socks", observer: seen });
  const client = new Wire(network.reach("unix:/run/socks", undefined));
  await client.send([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80]);
  await client.expect("05 00 05 00 00 01");
  assertEquals(seen.sessions[0]!.isLocal, true);
  assertEquals(seen.sessions[0]!.client, undefined);
  await server.close();
});

test("nobody reaches the server through itself", async () => {
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ["127.0.0.1:1080", "127.0.0.1:1080", [127, 0, 0, 1]],
    ["0.0.0.0:1080", "127.0.0.1:1080", [127, 0, 0, 1]],
    ["0.0.0.0:1080", "127.0.0.1:1080", [127, 9, 9, 9]],
    ["0.0.0.0:1080", "127.0.0.1:1080", [198, 51, 100, 1]],
    ["192.0.2.1:1080", "192.0.2.1:1080", [192, 0, 2, 1]],
  ];
  for (const [listen, reached, ip] of cases) {
    const network = new Network();
    echo(network, `${ip.join(".")}:1080`);
    await using running = await house({ listen }, network);
    const client = new Wire(network.reach(reached, NEAR));
    await client.send([5, 1, 0, 5, 1, 0, 1, ...ip, 4, 56]);
    await client.expect("05 00 05 02 00 01");
    assertEquals(network.attempts, []);
    client.leave();
    await running.seen.summary();
  }
});

test("a session survives what others do", async () => {
  const network = new Network();
  const arrived = target(network, AT);
  await using running = await house({}, network);
  const client = running.client();
  await client.send(CONNECT5);
  await client.expect(GRANTED5);
  const far = await arrived;
  for (let i = 0; i < 20; i++) {
    const other = running.client({ ...FAR, port: 100 + i });
    await other.send([5, 1, 0, 5, 9]);
    other.leave(i % 2 === 0 ? "reset" : undefined);
    await running.seen.summary(i);
  }
  await far.send("fine");
  assertEquals(await client.text(4), "fine");
  assert(running.server.sessions === 1);
});

test("a limit of no sessions does not keep the server from closing", async () => {
  const running = await house({ bounds: { sessions: 0 } }).catch((error) => error);
  if (running instanceof RangeError) return; // refusing the option would do as well
  running.client();
  await settle();
  await soon(running.server.close(), "the close");
});

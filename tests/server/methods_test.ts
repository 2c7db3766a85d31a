import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import { AuthenticationError, type AuthMethod, type Encapsulation, type MethodChannel } from "../../src/auth/method.ts";
import { associate } from "../../src/client/associate.ts";
import { bind } from "../../src/client/bind.ts";
import type { ClientMethod } from "../../src/client/client_method.ts";
import { connect } from "../../src/client/connect.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import type { Duplex } from "../../src/runtime/runtime.ts";
import { memory } from "../../src/runtime/memory.ts";
import { Methods } from "../../src/server/methods.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { Recorder, settle, soon, Wire } from "./_harness.ts";

const CODE = 0x85;
const KEY = 0x5a;
const xor = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ KEY);

function hidden(stream: Duplex, closed?: (reason: unknown) => void): Duplex {
  return {
    read: async () => {
      const bytes = await stream.read();
      return bytes === null ? null : xor(bytes);
    },
    write: (bytes) => stream.write(xor(bytes)),
    closeWrite: () => stream.closeWrite(),
    close: (reason) => {
      closed?.(reason);
      stream.close(reason);
    },
  };
}

/** Both ends prove to know the key, and hide all that follows. */
function secret(closed?: (reason: unknown) => void): AuthMethod & ClientMethod {
  const around = (channel: MethodChannel): Encapsulation => ({
    duplex: hidden(channel.stream(), closed),
    datagrams: { wrap: xor, unwrap: (bytes) => bytes[0] === KEY ? xor(bytes) : undefined },
  });
  return {
    code: CODE,
    name: "secret",
    // As a server it reads a byte first, as a client it writes one.
    async negotiate(channel, whom) {
      if ("proxy" in whom) {
        await channel.write(Uint8Array.of(KEY));
        return around(channel);
      }
      const key = await channel.read((bytes) => bytes.length > 0 ? { value: bytes[0], length: 1 } : undefined, 1);
      if (key !== KEY) throw new AuthenticationError("Cannot log in: another key");
      return { user: { name: "keeper", by: "secret" }, ...around(channel) };
    },
  } as AuthMethod & ClientMethod;
}

const allow = { request: () => undefined };

/** A server that knows the method, and a place that gives back what it gets. */
async function house(options: ServeOptions = {}) {
  const runtime = memory();
  const recorder = new Recorder();
  const server = await serve({ methods: [secret()], rules: allow, observer: recorder, runtime, ...options });
  const echo = await runtime.listen({ address: { ip: "127.0.0.1", port: 7 } });
  const echoing = (async () => {
    for await (const peer of echo) peer.readable.pipeTo(peer.writable).catch(() => {});
  })();
  const dial = async (port = 1080) => new Wire(await runtime.connect({ ip: "127.0.0.1", port }) as never);
  return {
    runtime,
    recorder,
    server,
    dial,
    async [Symbol.asyncDispose]() {
      echo.close();
      await echoing;
      await server.close();
    },
  };
}

const through = { proxy: "socks5://127.0.0.1", methods: [secret()] };

test("a method of one's own hides the request, the reply and the relay, at both ends", async () => {
  await using it = await house();
  const connection = await connect("127.0.0.1:7", { ...through, runtime: it.runtime });
  const sent = crypto.getRandomValues(new Uint8Array(50_000));
  await connection.write(sent);
  connection.closeWrite();
  const came = new Uint8Array(await new Response(connection.readable).arrayBuffer());
  assertEquals(came, sent);
  const summary = await it.recorder.summary();
  assertEquals([summary.cause, summary.sent, summary.received], ["finished", sent.length, sent.length]);
  assertEquals(it.recorder.sessions[0]!.user, { name: "keeper", by: "secret" });
});

test("what follows the subnegotiation in the same chunk is not lost", async () => {
  await using it = await house();
  const client = await it.dial();
  await client.send([5, 1, CODE, KEY], xor(Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, 0, 7)), xor(Uint8Array.of(1, 2, 3)));
  await client.expect("05 85");
  assertEquals(xor(await client.read(10)).subarray(0, 4), Uint8Array.of(5, 0, 0, 1));
  assertEquals(xor(await client.read(3)), Uint8Array.of(1, 2, 3));
  client.finish();
  assertEquals((await client.rest()).length, 0);
});

test("a refusal is hidden, too", async () => {
  await using it = await house({ rules: { request: () => ({ deny: "no" }) } });
  const error = await assertRejects(() => connect("127.0.0.1:7", { ...through, runtime: it.runtime }), ProxyError);
  assertEquals([error.phase, error.reply], ["reply", 2]);
});

test("BIND goes through it, with both replies", async () => {
  await using it = await house();
  const binding = await bind(undefined, { ...through, runtime: it.runtime });
  const accepting = binding.accept();
  const peer = await it.runtime.connect({ ip: binding.address.host, port: binding.address.port });
  const { connection } = await soon(accepting, "the peer");
  const writer = peer.writable.getWriter();
  await writer.write(Uint8Array.of(9, 8, 7));
  await writer.close();
  assertEquals(new Uint8Array(await new Response(connection.readable).arrayBuffer()), Uint8Array.of(9, 8, 7));
  connection.close();
  peer.close();
});

test("datagrams go through it, and those that do not come out of it are dropped", async () => {
  await using it = await house();
  const echo = await it.runtime.bindDatagram({
    address: { ip: "127.0.0.1", port: 9 },
    onDatagram: (bytes, ip, port) => echo.send(bytes, ip, port),
  });
  const socket = await associate({ ...through, runtime: it.runtime });
  await socket.send(new TextEncoder().encode("hello"), "127.0.0.1:9");
  for await (const { data } of socket) {
    assertEquals(new TextDecoder().decode(data), "hello");
    break;
  }
  const bare = await associate({ ...through, runtime: it.runtime });
  const stray = await it.runtime.bindDatagram({ address: { ip: "127.0.0.1", port: 0 }, onDatagram: () => {} });
  const { address } = it.recorder.sessions.at(-1)!;
  stray.send(Uint8Array.of(0, 0, 0, 1, 127, 0, 0, 1, 0, 9, 1), "127.0.0.1", address!.port);
  await settle();
  bare.close();
  stray.close();
  echo.close();
  const summary = await it.recorder.summary(1);
  assertEquals(summary.sent, 0);
});

test("a client that fails the method is refused, and what was made for it too late is closed", async () => {
  await using it = await house();
  const client = await it.dial();
  await client.send([5, 1, CODE, 0]);
  await client.expect("05 85");
  assertEquals(await client.restHex(), "");
  assertEquals(it.recorder.refusals[0]!.cause, "authentication");

  let go!: () => void;
  const gate = new Promise<void>((resolve) => go = resolve);
  const closed: unknown[] = [];
  const slow: AuthMethod = {
    ...secret(),
    async negotiate(channel) {
      await gate;
      return { user: { name: "late" }, duplex: hidden(channel.stream(), (reason) => closed.push(reason)) };
    },
  };
  await it.server.reload({ methods: [slow], rules: allow, observer: it.recorder, timeouts: { authentication: 1 } });
  const late = await it.dial();
  await late.send([5, 1, CODE]);
  await late.expect("05 85");
  assertEquals(await late.restHex(), "");
  go();
  await settle();
  assertEquals(closed, [undefined]);
});

test("a method that names nobody, though it must, lets nobody in", async () => {
  const nameless: AuthMethod = { code: CODE, name: "nameless", negotiate: () => Promise.resolve({}) };
  await using it = await house({ methods: [nameless] });
  const client = await it.dial();
  await client.send([5, 1, CODE]);
  await client.expect("05 85");
  assertEquals(await client.restHex(), "");
  assertEquals(it.recorder.refusals[0]!.reason, 'Cannot log in: "nameless" names no user');
});

test("the first of the server's methods that the client offers is taken", async () => {
  const users = [{ name: "ada", password: "lovelace" }];
  const chosen = async (methods: ServeOptions["methods"], ...offered: number[]) => {
    await using it = await house({ methods, users });
    const client = await it.dial();
    await client.send([5, offered.length, ...offered]);
    return (await client.read(2))[1];
  };
  assertEquals(await chosen([secret(), "password"], 0, 2, CODE), CODE);
  assertEquals(await chosen(["password", secret()], CODE, 2), 2);
  assertEquals(await chosen([secret(), "password", "none"], 0), 0);
  assertEquals(await chosen([secret()], 0, 2), 255);
  assertEquals(await chosen(undefined, 0, 2), 2);
});

test("a listener's clients get its own methods, also over SOCKS4 and HTTP", async () => {
  const users = [{ name: "ada", password: "lovelace" }];
  const listen = ["127.0.0.1:1080", { address: "127.0.0.1:1081", name: "hidden" }, {
    address: "127.0.0.1:1082",
    name: "free",
  }];
  const listenerMethods = { hidden: [secret()], free: ["none"] } as const;
  await using it = await house({ listen, methods: undefined, listenerMethods, users, mixed: true });
  const answers = async (port: number) => {
    const greeting = await it.dial(port);
    await greeting.send([5, 3, 0, 2, CODE]);
    const method = (await greeting.read(2))[1];
    const four = await it.dial(port);
    await four.send([4, 1, 0, 7, 127, 0, 0, 1, 0]);
    const granted = (await four.read(2))[1];
    const http = await it.dial(port);
    await http.send("CONNECT 127.0.0.1:7 HTTP/1.1\r\nHost: x\r\n\r\n");
    const status = (await http.text(12)).slice(9);
    for (const wire of [greeting, four, http]) wire.leave();
    return [method, granted, status];
  };
  assertEquals(await answers(1080), [2, 91, "407"]);
  assertEquals(await answers(1081), [CODE, 91, "407"]);
  assertEquals(await answers(1082), [0, 90, "200"]);
});

test("a password does not open a listener that has other methods alone", async () => {
  const users = [{ name: "ada", password: "lovelace" }];
  await using it = await house({ users, mixed: true });
  const http = await it.dial();
  const login = btoa("ada:lovelace");
  await http.send(`CONNECT 127.0.0.1:7 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${login}\r\n\r\n`);
  assertEquals((await http.text(12)).slice(9), "407");
  http.leave();
});

test("only a server whose every method wants a user may listen for other machines", async () => {
  const listen = "0.0.0.0:1080";
  await using _it = await house({ listen });
  await assertRejects(() => house({ listen, methods: ["none", secret()] }), TypeError, "without users");
  await assertRejects(() => house({ listen, methods: [{ ...secret(), anonymous: true }] }), TypeError, "without users");
  const listenerMethods = { open: ["none"] } as const;
  const named = { address: listen, name: "open" };
  await assertRejects(() => house({ listen: named, listenerMethods }), TypeError, "without users");
});

test("methods that cannot be offered are refused, and it is said why", () => {
  const known = { none: { ...secret(), code: 0 } };
  assertThrows(
    () => new Methods({ methods: ["gssapi"] }, known),
    RangeError,
    'Cannot use methods: found "gssapi", expected auth.gssapi for it',
  );
  assertThrows(() => new Methods({ methods: [] }, known), RangeError, "expected at least one");
  assertThrows(() => new Methods({ methods: ["kerberos" as never] }, known), RangeError, 'found "kerberos"');
  assertThrows(() => new Methods({ methods: [secret(), secret()] }, known), RangeError, "133 twice");
  assertThrows(() => new Methods({ methods: [{ ...secret(), code: 255 }] }, known), RangeError, "255");
  assertThrows(() => new Methods({ listenerMethods: { a: [] } }, known), RangeError, "listenerMethods.a");
});

test("a recheck asks the method about its users, and keeps those it knows nothing of", async () => {
  await using it = await house();
  const options = { rules: allow, observer: it.recorder };
  const connection = await connect("127.0.0.1:7", { ...through, runtime: it.runtime });
  await it.server.reload({ ...options, methods: [secret()] }, { sessions: "recheck" });
  assertEquals(it.server.sessions, 1);
  const again = () => ({ name: "keeper", groups: ["new"], by: "secret" });
  await it.server.reload({ ...options, methods: [{ ...secret(), again }] }, { sessions: "recheck" });
  assertEquals(it.recorder.sessions[0]!.user?.groups, ["new"]);
  await it.server.reload({ ...options, methods: [{ ...secret(), again: () => undefined }] }, { sessions: "recheck" });
  const summary = await it.recorder.summary();
  assertEquals(summary.cause, "revoked");
  connection.close();
});

test("a proxy without the method is spoken to as if there were none", async () => {
  await using it = await house({ methods: ["none"] });
  const connection = await connect("127.0.0.1:7", { ...through, runtime: it.runtime, optimistic: true });
  await connection.write(Uint8Array.of(1, 2));
  assertEquals(await soon(connection.read(), "the echo"), Uint8Array.of(1, 2));
  connection.close();
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { associate } from "../../src/client/associate.ts";
import { bind } from "../../src/client/bind.ts";
import { connect } from "../../src/client/connect.ts";
import { handshake } from "../../src/client/handshake.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { NetError } from "../../src/net/errors.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Connection, Duplex, Runtime } from "../../src/runtime/runtime.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { echo, hex, house, soon, target } from "../server/_harness.ts";
import { Network } from "../server/_network.ts";
import { act, bytewise } from "./_script.ts";

const OPEN = { request: () => undefined };

/** A network in memory, with names that only some of its machines know. */
function network(split?: (bytes: Uint8Array) => Iterable<Uint8Array>): Runtime {
  return memory({
    ...(split === undefined ? {} : { split }),
    hosts: { "proxy.test": ["192.0.2.1"], "two.test": ["2001:db8::7", "192.0.2.7"], "six.test": ["2001:db8::7"] },
  });
}

function start(runtime: Runtime, listen: string, options: Partial<ServeOptions> = {}): Promise<Server> {
  return serve({ listen, rules: OPEN, open: true, runtime, ...options });
}

/** A machine that sends everything back. */
async function echoAt(runtime: Runtime, ip: string): Promise<Disposable> {
  const listener = await runtime.listen({ address: { ip, port: 7 } });
  (async () => {
    for await (const connection of listener) connection.readable.pipeTo(connection.writable).catch(() => {});
  })();
  return { [Symbol.dispose]: () => listener.close() };
}

async function says(connection: Connection & Duplex, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
  connection.closeWrite();
  assertEquals(await soon(new Response(connection.readable).text()), text);
}

for (const [how, split] of [["whole", undefined], ["byte by byte", bytewise]] as const) {
  describe(`bytes arrive ${how}`, () => {
    for (const scheme of ["socks4", "socks4a", "socks5", "socks5h"]) {
      for (const optimistic of [false, true]) {
        test(`${scheme}${optimistic ? ", optimistic" : ""}: through a server of ours, there and back`, async () => {
          const runtime = network(split);
          await using _server = await start(runtime, "192.0.2.1:1080");
          using _echo = await echoAt(runtime, "192.0.2.7");
          const options = { proxy: `${scheme}://proxy.test`, runtime, optimistic };
          await says(await soon(connect("192.0.2.7:7", options)), "an address");
          await says(await soon(connect("two.test:7", options)), "a name");
        });
      }
    }

    test("a chain of three, each with a login of its own", async () => {
      const runtime = network(split);
      const users = (name: string) => ({ users: [{ name, password: `of ${name}` }] });
      await using _first = await start(runtime, "192.0.2.1:1080", users("ada"));
      await using _second = await start(runtime, "192.0.2.2:1080", users("bea"));
      await using _third = await start(runtime, "192.0.2.3:1080");
      using _echo = await echoAt(runtime, "192.0.2.7");
      const proxy = ["socks5h://ada:of%20ada@192.0.2.1", "socks5://bea:of%20bea@192.0.2.2", "socks4a://192.0.2.3"];
      for (const optimistic of [false, true]) {
        await says(await soon(connect("two.test:7", { proxy, runtime, optimistic })), "far away");
      }
    });
  });
}

test("the payload goes with the request", async () => {
  const runtime = network();
  await using _server = await start(runtime, "192.0.2.1:1080");
  using _echo = await echoAt(runtime, "192.0.2.7");
  const payload = new TextEncoder().encode("early ");
  const options = { proxy: "socks5h://192.0.2.1", runtime, payload };
  await assertRejects(() => connect("192.0.2.7:7", options), TypeError);
  const connection = await soon(connect("192.0.2.7:7", { ...options, optimistic: true }));
  await connection.write(new TextEncoder().encode("late"));
  connection.closeWrite();
  assertEquals(await soon(new Response(connection.readable).text()), "early late");
});

test("a name that is left to the proxy is not looked up here, and one that is not is", async () => {
  const mine = new Network();
  mine.names.set("target.test", [["198.51.100.7"]]);
  const told: string[] = [];
  mine.answers.set("192.0.2.1:1080", async (end) => {
    await end.read();
    await end.write(Uint8Array.of(5, 0));
    told.push(hex((await end.read())!));
    await end.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
  });
  await soon(connect("target.test:80", { proxy: "socks5h://192.0.2.1", runtime: mine }));
  assertEquals(mine.lookups, []);
  await soon(connect("target.test:80", { proxy: "socks5://192.0.2.1", runtime: mine }));
  assertEquals(mine.lookups, ["target.test"]);
  assertEquals(told, ["05 01 00 03 0b 74 61 72 67 65 74 2e 74 65 73 74 00 50", "05 01 00 01 c6 33 64 07 00 50"]);
});

test("the connection is the runtime's own", async () => {
  const mine = new Network();
  echo(mine, "198.51.100.7:7");
  await using at = await house({}, mine);
  mine.answers.set("192.0.2.1:1080", (end) => {
    const client = at.client().end;
    const pump = async (from: Duplex, to: Duplex) => {
      for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) await to.write(chunk.slice());
      to.closeWrite();
    };
    pump(end, client).catch(() => {});
    pump(client, end).catch(() => {});
  });
  const connection = await soon(connect("198.51.100.7:7", { proxy: "socks5h://192.0.2.1", runtime: mine }));
  assert((mine.made as readonly unknown[]).includes(connection));
});

describe("failures", () => {
  const failing = async (proxy: string | string[], to = "192.0.2.7:7", more = {}) => {
    const runtime = network();
    await using _server = await start(runtime, "192.0.2.1:1080");
    await using _second = await start(runtime, "192.0.2.2:1080", { users: [{ name: "ada", password: "pw" }] });
    const error = await assertRejects(() => soon(connect(to, { proxy, runtime, ...more })), ProxyError);
    return [error.hop, error.phase, error.code, error.reply];
  };

  test("say where it was, and what", async () => {
    assertEquals(await failing("socks5://192.0.2.9"), [0, "dial", "refused", undefined]);
    assertEquals(await failing("socks5://nowhere.test"), [0, "dial", "name-not-found", undefined]);
    assertEquals(await failing("socks5://192.0.2.2"), [0, "greeting", "permission-denied", undefined]);
    assertEquals(await failing("socks5://ada:no@192.0.2.2"), [0, "authentication", "permission-denied", undefined]);
    assertEquals(await failing("socks5://192.0.2.1"), [0, "reply", "refused", 5]);
    assertEquals(await failing("socks4://192.0.2.1"), [0, "reply", "unknown", 91]);
    assertEquals(await failing("socks5h://192.0.2.1", "nowhere.test:7"), [0, "reply", "unreachable-host", 4]);
    assertEquals(await failing("socks5://192.0.2.1", "nowhere.test:7"), [0, "request", "name-not-found", undefined]);
    assertEquals(await failing("socks4://192.0.2.1", "six.test:7"), [0, "request", "name-not-found", undefined]);
    assertEquals(await failing("socks4://192.0.2.1", "[::7]:7"), [0, "request", "not-supported", undefined]);
    assertEquals(await failing("socks5+tls://192.0.2.1"), [0, "tls", "not-supported", undefined]);
  });

  test("in a chain, name the proxy that failed", async () => {
    const [one, two] = ["socks5://192.0.2.1", "socks5://ada:pw@192.0.2.2"];
    assertEquals(await failing([one, "socks5://192.0.2.9"]), [0, "reply", "refused", 5]);
    assertEquals(await failing([one, "socks5://192.0.2.2"]), [1, "greeting", "permission-denied", undefined]);
    assertEquals(await failing([one, two]), [1, "reply", "refused", 5]);
    assertEquals(await failing([one, "socks5://nowhere.test"]), [0, "request", "name-not-found", undefined]);
  });

  test("are told when a signal aborts, and when the time is over", async () => {
    const runtime = new Network();
    runtime.answers.set("192.0.2.1:1080", () => {});
    runtime.answers.set("192.0.2.2:1080", "silence");
    const outcome = async (proxy: string, more: { signal?: AbortSignal; timeout?: number }) => {
      const error = await assertRejects(() => soon(connect("h:1", { proxy, runtime, ...more })), ProxyError);
      return `${error.phase} ${error.code}`;
    };
    assertEquals(await outcome("socks5h://192.0.2.1", { timeout: 1 }), "greeting timeout");
    assertEquals(await outcome("socks5h://192.0.2.2", { timeout: 1 }), "dial timeout");
    assertEquals(await outcome("socks5h://192.0.2.2", { signal: AbortSignal.abort("no more") }), "dial aborted");
    const controller = new AbortController();
    const late = outcome("socks5h://192.0.2.1", { signal: controller.signal });
    controller.abort();
    assertEquals((await late).endsWith(" aborted"), true);
    assertEquals(runtime.made.every((end) => end.isClosed), true);
  });

  test("options that make no sense are the caller's mistake", async () => {
    const runtime = network();
    await assertRejects(() => connect("h", { proxy: "socks5://h", runtime }), SyntaxError);
    await assertRejects(() => connect("unix:/h", { proxy: "socks5://h", runtime }), SyntaxError);
    await assertRejects(() => connect("h:1", { proxy: [], runtime }), RangeError);
    await assertRejects(() => connect("h:1", { proxy: "socks5://h", runtime, timeout: 0 }), RangeError);
  });
});

test("bind tells where it listens, then who came", async () => {
  for (const scheme of ["socks4", "socks5"]) {
    const runtime = network(bytewise);
    await using _server = await start(runtime, "192.0.2.1:1080");
    const binding = await soon(bind("127.0.0.1:0", { proxy: `${scheme}://192.0.2.1`, runtime }));
    const accepting = binding.accept();
    const peer = duplexOf(await runtime.connect({ ip: binding.address.host, port: binding.address.port }));
    const accepted = await soon(accepting);
    assertEquals([accepted.peer.host, accepted.peer.port], [peer.local!.ip, peer.local!.port]);
    await peer.write(new TextEncoder().encode("hi"));
    peer.closeWrite();
    assertEquals(await soon(new Response(accepted.connection.readable).text()), "hi");
    accepted.connection.close();
  }
});

test("nobody comes: the binding says so when its caller gives up, and the proxy stops listening", async () => {
  const runtime = network();
  await using _server = await start(runtime, "192.0.2.1:1080");
  const binding = await soon(bind("127.0.0.1:0", { proxy: "socks5://192.0.2.1", runtime }));
  const error = await assertRejects(() => soon(binding.accept({ timeout: 1 })), ProxyError);
  assertEquals([error.phase, error.code], ["peer", "timeout"]);
});

describe("datagrams", () => {
  const echoing = async (runtime: Runtime, ip: string) => {
    const socket = await runtime.bindDatagram({
      address: { ip, port: 7 },
      onDatagram: (bytes, ip, port) => socket.send(bytes, ip, port),
    });
    return socket;
  };

  test("go there and back, by address and by name", async () => {
    for (const scheme of ["socks5", "socks5h"]) {
      const runtime = memory({ hosts: { "echo.test": ["127.0.0.1"] } });
      await using _server = await start(runtime, "127.0.0.1:1080");
      const echo = await echoing(runtime, "127.0.0.1");
      const socket = await soon(associate({ proxy: `${scheme}://127.0.0.1`, runtime }));
      const incoming = socket[Symbol.asyncIterator]();
      for (const to of ["127.0.0.1:7", "echo.test:7"]) {
        await socket.send(new TextEncoder().encode(to), to);
        const { value } = await soon(incoming.next());
        assertEquals(new TextDecoder().decode(value!.data), to);
        assertEquals(value!.source, { type: "ipv4", host: "127.0.0.1", port: 7 });
      }
      await incoming.return(undefined);
      await assertRejects(() => socket.send(new Uint8Array(1), "127.0.0.1:7"), NetError);
      echo.close();
    }
  });

  test("end when the proxy ends the association", async () => {
    const runtime = memory();
    const server = await start(runtime, "127.0.0.1:1080");
    const socket = await soon(associate({ proxy: "socks5://127.0.0.1", runtime }));
    const reading = socket[Symbol.asyncIterator]().next();
    await soon(server.close());
    assertEquals((await soon(reading)).done, true);
  });

  test("of strangers, fragments and what is no datagram of SOCKS are dropped", async () => {
    const runtime = memory();
    const good = (byte: number) => Uint8Array.of(0, 0, 0, 1, 127, 0, 0, 1, 0, 7, byte);
    const open = (ip: string, port: number) => runtime.bindDatagram({ address: { ip, port }, onDatagram: () => {} });
    const [neighbour, other] = [await open("127.0.0.1", 10), await open("127.0.0.2", 9)];
    const relay = await runtime.bindDatagram({
      address: { ip: "127.0.0.1", port: 9 },
      onDatagram: (_bytes, ip, port) => {
        neighbour.send(good(1), ip, port);
        other.send(good(2), ip, port);
        relay.send(Uint8Array.of(0, 0, 1, ...good(3).subarray(3)), ip, port);
        relay.send(good(4).subarray(0, 7), ip, port);
        relay.send(good(5), ip, port);
      },
    });
    const listener = await runtime.listen({ address: { ip: "127.0.0.1", port: 1080 } });
    (async () => {
      for await (const connection of listener) {
        const zeros = "05 00 00 01 00 00 00 00 00 09"; // the proxy itself
        await act(duplexOf(connection), [[3, "05 00"], [10, zeros]], []);
      }
    })();
    await using socket = await soon(associate({ proxy: "socks5://127.0.0.1", runtime }));
    assertEquals(socket.relay, { ip: "127.0.0.1", port: 9 });
    await socket.send(new Uint8Array(1), "127.0.0.1:7");
    const { value } = await soon(socket[Symbol.asyncIterator]().next());
    assertEquals(hex(value!.data), "05");
    for (const each of [listener, neighbour, other, relay]) each.close();
  });

  test("do not go through SOCKS4", async () => {
    const error = await assertRejects(
      () => soon(associate({ proxy: "socks4://192.0.2.1", runtime: memory() })),
      ProxyError,
    );
    assertEquals([error.hop, error.code], [0, "not-supported"]);
  });
});

test("a target that speaks first is heard", async () => {
  const mine = new Network();
  const speaking = target(mine, "198.51.100.7:7");
  await using at = await house({}, mine);
  const wire = at.client();
  const request = { command: 1, target: { type: "ipv4", host: "198.51.100.7", port: 7 } } as const;
  const shaking = handshake(wire.end, { scheme: "socks5", host: "192.0.2.1", port: 1080 }, request);
  await (await soon(speaking)).send("hello");
  const { connection } = await soon(shaking);
  assertEquals(new TextDecoder().decode((await soon(connection.read()))!), "hello");
  connection.close();
});

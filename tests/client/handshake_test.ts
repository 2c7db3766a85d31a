import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { awaitPeer, handshake, type HandshakeOptions } from "../../src/client/handshake.ts";
import { parseProxy } from "../../src/client/proxy.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { NetError } from "../../src/net/errors.ts";
import { targetOf } from "../../src/protocol/address.ts";
import { Command } from "../../src/protocol/constants.ts";
import { hex, soon } from "../server/_harness.ts";
import { pipe } from "../server/_pipe.ts";
import { act, bytewise, type Line, script } from "./_script.ts";

const YES = "05 00 00 01 c0 00 02 01 04 38";
const BOUND = { type: "ipv4", host: "192.0.2.1", port: 1080 } as const;
const CONNECT = { command: Command.CONNECT, target: targetOf("example.com", 80) };
const ASKED = "05 01 00 03 0b 65 78 61 6d 70 6c 65 2e 63 6f 6d 00 50";
const LOGIN = "01 03 61 64 61 02 70 77";
const PLAIN = parseProxy("socks5h://proxy.example");
const KNOWN = parseProxy("socks5h://ada:pw@proxy.example");

async function failure(lines: readonly Line[], proxy = PLAIN, options: HandshakeOptions = {}): Promise<ProxyError> {
  const { connection } = script(lines);
  const error = await assertRejects(() => soon(handshake(connection, proxy, CONNECT, options)), ProxyError);
  await soon(connection.closed, "the close of the connection");
  return error;
}

for (const [how, split] of [["whole", undefined], ["byte by byte", bytewise]] as const) {
  describe(`messages that arrive ${how}`, () => {
    test("SOCKS5 without a login: greeting, request, reply", async () => {
      const { connection, told } = script([[3, "05 00"], [18, YES]], split);
      const result = await soon(handshake(connection, PLAIN, CONNECT));
      assertEquals(told, ["05 01 00", ASKED]);
      assertEquals(result.bound, BOUND);
      assertStrictEquals(result.connection, connection);
    });

    test("SOCKS5 with a login: it is offered, and sent when it is chosen", async () => {
      const { connection, told } = script([[4, "05 02"], [8, "01 00"], [18, YES]], split);
      await soon(handshake(connection, KNOWN, CONNECT));
      assertEquals(told, ["05 02 00 02", LOGIN, ASKED]);
    });

    test("SOCKS4 with a user and an address", async () => {
      const { connection, told } = script([[12, "00 5a 04 38 c0 00 02 01"]], split);
      const request = { command: Command.CONNECT, target: targetOf("198.51.100.7", 80) };
      const { bound } = await soon(handshake(connection, parseProxy("socks4://ada@proxy.example"), request));
      assertEquals(told, ["04 01 00 50 c6 33 64 07 61 64 61 00"]);
      assertEquals(bound, BOUND);
    });

    test("SOCKS4a with a name", async () => {
      const { connection, told } = script([[21, "00 5a 00 00 00 00 00 00"]], split);
      await soon(handshake(connection, parseProxy("socks4a://proxy.example"), CONNECT));
      assertEquals(told, ["04 01 00 50 00 00 00 01 00 65 78 61 6d 70 6c 65 2e 63 6f 6d 00"]);
    });

    test("what follows the reply is read from the connection, and its end", async () => {
      const { connection, proxy, said } = script([[3, "05 00"], [18, `${YES} 68 65 6c`]], split);
      await soon(handshake(connection, PLAIN, CONNECT));
      await said;
      proxy.closeWrite();
      const bytes: number[] = [];
      for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) bytes.push(...chunk);
      assertEquals(hex(Uint8Array.from(bytes)), "68 65 6c");
    });

    test("what follows the reply is in the stream", async () => {
      const { connection, proxy, said } = script([[3, "05 00"], [18, `${YES} 68 65 6c`]], split);
      await soon(handshake(connection, PLAIN, CONNECT));
      await said;
      proxy.closeWrite();
      assertEquals(await soon(new Response(connection.readable).text()), "hel");
    });

    test("BIND has a second reply, which says who came; what follows it stays", async () => {
      const { connection } = script([[3, "05 00"], [18, `${YES} 05 00 00 01 c6 33 64 07 00 09 21`]], split);
      await soon(handshake(connection, PLAIN, { ...CONNECT, command: Command.BIND }));
      const { bound } = await soon(awaitPeer(connection, PLAIN));
      assertEquals(bound, { type: "ipv4", host: "198.51.100.7", port: 9 });
      assertEquals(hex((await soon(connection.read()))!), "21");
    });
  });
}

test("a connection of somebody else's keeps what followed the reply too", async () => {
  const [mine, theirs] = pipe();
  const acting = act(theirs, [[3, "05 00"], [18, `${YES} 68 69`]], []);
  const { connection } = await soon(handshake(mine, PLAIN, CONNECT));
  await acting;
  theirs.closeWrite();
  assertEquals(await soon(new Response(connection.readable).text()), "hi");
});

test("two streams are enough of a connection", async () => {
  const { connection, proxy, said } = script([[3, "05 00"], [18, `${YES} 68 69`]]);
  const { readable, writable } = connection;
  const result = await soon(handshake({ readable, writable }, PLAIN, CONNECT));
  await said;
  proxy.closeWrite();
  assertEquals(hex((await soon(result.connection.read()))!), "68 69");
});

describe("optimistic", () => {
  test("greeting, login, request and payload go out before the proxy says a word", async () => {
    const { connection, told } = script([[3 + 8 + 18 + 2, `05 02 01 00 ${YES}`]]);
    const request = { ...CONNECT, payload: Uint8Array.of(0x47, 0x45) };
    await soon(handshake(connection, KNOWN, request, { optimistic: true }));
    assertEquals(told, [`05 01 02 ${LOGIN} ${ASKED} 47 45`]);
  });

  test("a refused login is a refused login", async () => {
    const error = await failure([[29, "05 02 01 01"]], KNOWN, { optimistic: true });
    assertEquals([error.phase, error.code], ["authentication", "permission-denied"]);
  });
});

describe("an error names the hop, the proxy without its login, the phase and the reply", () => {
  const cases: [string, readonly Line[], string, string, number | undefined][] = [
    ["no acceptable method", [[4, "05 ff"]], "greeting", "permission-denied", undefined],
    ["a method that was not offered", [[4, "05 01"]], "greeting", "not-supported", undefined],
    ["another version", [[4, "48 54"]], "greeting", "not-supported", undefined],
    ["an end before an answer", [[4, "end"]], "greeting", "closed", undefined],
    ["a reset before an answer", [[4, "reset"]], "greeting", "reset", undefined],
    ["a refused login", [[4, "05 02"], [8, "01 01"]], "authentication", "permission-denied", undefined],
    ["a login answered in another version", [[4, "05 02"], [8, "05 00"]], "authentication", "not-supported", undefined],
    ["an end in the reply", [[4, "05 00"], [18, "05 00 00"], [0, "end"]], "reply", "closed", undefined],
    ["a reply with an address of no RFC", [[4, "05 00"], [18, "05 00 00 02"]], "reply", "not-supported", undefined],
    ["not allowed", [[4, "05 00"], [18, "05 02 00 01 00 00 00 00 00 00"]], "reply", "not-allowed", 2],
    ["refused", [[4, "05 00"], [18, "05 05 00 01 00 00 00 00 00 00"]], "reply", "refused", 5],
    ["a no of two bytes", [[4, "05 00"], [18, "05 04"]], "reply", "unreachable-host", 4],
    ["a code of no RFC", [[4, "05 00"], [18, "05 63"]], "reply", "unknown", 0x63],
  ];
  for (const [name, lines, phase, code, reply] of cases) {
    test(name, async () => {
      const error = await failure(lines, KNOWN, { hop: 1 });
      assertEquals([error.phase, error.code, error.reply], [phase, code, reply]);
      assertEquals([error.hop, error.proxy], [1, "socks5h://proxy.example:1080"]);
      assertStringIncludes(error.message, `Cannot go through proxy 2, "socks5h://proxy.example:1080" (${phase}): `);
      assert(!/ada|pw/.test(`${error.message} ${error.stack}`));
    });
  }

  test("SOCKS4's no", async () => {
    const error = await failure([[21, "00 5b 00 00 00 00 00 00"]], parseProxy("socks4a://h"));
    assertEquals([error.phase, error.code, error.reply], ["reply", "unknown", 91]);
  });

  test("SOCKS4 and IPv6, SOCKS4 and UDP: refused before a byte goes out", async () => {
    for (
      const request of [
        { command: Command.CONNECT, target: targetOf("2001:db8::1", 80) },
        { command: Command.UDP_ASSOCIATE, target: targetOf("0.0.0.0", 0) },
      ]
    ) {
      const { connection, proxy } = script([]);
      const error = await assertRejects(() => handshake(connection, parseProxy("socks4://h"), request), ProxyError);
      assertEquals([error.phase, error.code], ["request", "not-supported"]);
      assertEquals(await soon(proxy.read()), null);
    }
  });

  test("a name of 256 bytes", async () => {
    const { connection } = script([]);
    const request = { command: Command.CONNECT, target: targetOf("a".repeat(256), 80) };
    const error = await assertRejects(() => handshake(connection, PLAIN, request), ProxyError);
    assertEquals(error.phase, "request");
  });
});

test("a proxy that says no more: the signal ends it, says why, and closes the connection", async () => {
  const [connection, proxy] = pipe();
  const controller = new AbortController();
  const shaking = handshake(connection, PLAIN, CONNECT, { signal: controller.signal });
  shaking.catch(() => {});
  await act(proxy, [[3, "05 00"], [18, "05"]], []);
  controller.abort(new NetError("timeout", "too late"));
  const error = await assertRejects(() => soon(shaking), ProxyError);
  assertEquals([error.phase, error.code], ["reply", "timeout"]);
  assert(connection.isClosed);
});

import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { handshake, type HandshakeOptions, type ProxyRequest } from "../../src/client/handshake.ts";
import { parseProxy } from "../../src/client/proxy.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { NO_ADDRESS, targetOf } from "../../src/protocol/address.ts";
import { Command } from "../../src/protocol/constants.ts";
import { connectionPair } from "../../src/runtime/memory.ts";
import type { Connection, Duplex } from "../../src/runtime/runtime.ts";
import { soon } from "../server/_harness.ts";
import { bytewise } from "./_script.ts";

const PLAIN = parseProxy("http://proxy.example");
const KNOWN = parseProxy("http://ada:l%C3%B6ve:x@proxy.example");
const CONNECT: ProxyRequest = { command: Command.CONNECT, target: targetOf("example.com", 443) };
const ASKED = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n";
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A proxy that reads a head and says this. */
function answering(says: string, split?: (bytes: Uint8Array) => Iterable<Uint8Array>) {
  const [connection, proxy] = connectionPair({ split });
  return { connection, proxy, told: act(proxy, says) };
}

async function act(proxy: Connection & Duplex, says: string): Promise<string> {
  let told = "";
  while (!told.includes("\r\n\r\n")) {
    const chunk = await proxy.read();
    if (chunk === null) return told;
    told += new TextDecoder().decode(chunk);
  }
  await proxy.write(latin1(says));
  return told;
}

async function failure(
  says: string,
  { proxy = PLAIN, request = CONNECT, ...options }: HandshakeOptions & {
    proxy?: typeof PLAIN;
    request?: ProxyRequest;
  } = {},
): Promise<ProxyError> {
  const { connection, proxy: end, told } = answering(says);
  if (!says.includes("\r\n\r\n")) told.then(() => end.closeWrite());
  const error = await assertRejects(() => soon(handshake(connection, proxy, request, options)), ProxyError);
  await soon(connection.closed, "the close of the connection");
  return error;
}

for (const [how, split] of [["whole", undefined], ["byte by byte", bytewise]] as const) {
  describe(`heads that arrive ${how}`, () => {
    test("a request without a login, and what follows the answer is read from the connection", async () => {
      const says = "HTTP/1.1 200 Connection established\r\nVia: 1.1 x\r\n\r\nhello";
      const { connection, proxy, told } = answering(says, split);
      const result = await soon(handshake(connection, PLAIN, CONNECT));
      assertEquals(await told, `${ASKED}\r\n`);
      assertEquals(result.bound, NO_ADDRESS);
      assertStrictEquals(result.connection, connection);
      let heard = "";
      while (heard.length < 5) heard += new TextDecoder().decode((await soon(connection.read()))!);
      assertEquals(heard, "hello");
      proxy.closeWrite();
      assertEquals(await soon(connection.read()), null);
    });

    test("with a login, in UTF-8", async () => {
      const { connection, told } = answering("HTTP/1.0 200\r\n\r\n", split);
      await soon(handshake(connection, KNOWN, CONNECT));
      assertEquals(await told, `${ASKED}Proxy-Authorization: Basic ${btoa("ada:l\xc3\xb6ve:x")}\r\n\r\n`);
    });

    test("provisional answers come before the answer", async () => {
      const { connection } = answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\nA: b\r\n\r\nHTTP/1.1 204 x\r\n\r\n",
        split,
      );
      await soon(handshake(connection, PLAIN, CONNECT));
    });
  });
}

test("an IPv6 address stands in brackets, and a name in its ASCII form", async () => {
  for (const [host, said] of [["2001:db8::1", "[2001:db8::1]:443"], ["Bücher.example", "xn--bcher-kva.example:443"]]) {
    const { connection, told } = answering("HTTP/1.1 200 x\r\n\r\n");
    await soon(handshake(connection, PLAIN, { ...CONNECT, target: targetOf(host!, 443) }));
    assertEquals(await told, `CONNECT ${said} HTTP/1.1\r\nHost: ${said}\r\n\r\n`);
  }
});

test("a body that a yes announces is the target's own", async () => {
  const { connection } = answering("HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\nhello");
  await soon(handshake(connection, PLAIN, CONNECT));
  assertEquals(new TextDecoder().decode((await soon(connection.read()))!), "hello");
});

test("optimistic: the payload goes with the request", async () => {
  const { connection, told } = answering("HTTP/1.1 200 x\r\n\r\n");
  const payload = new TextEncoder().encode("hello");
  await soon(handshake(connection, PLAIN, { ...CONNECT, payload }, { optimistic: true }));
  assertEquals(await told, `${ASKED}\r\nhello`);
});

describe("what an answer means", () => {
  const cases: readonly [
    status: number,
    reply: number | undefined,
    code: string,
    answer: number,
    isOfTarget: boolean,
  ][] = [
    [400, 1, "unknown", 1, true],
    [403, 2, "not-allowed", 2, true],
    [405, 7, "not-supported", 7, true],
    [407, undefined, "permission-denied", 1, false],
    [429, undefined, "unknown", 1, false],
    [500, 1, "unknown", 1, true],
    [502, 4, "unreachable-host", 4, true],
    [503, 4, "unreachable-host", 4, true],
    [504, 6, "timeout", 6, true],
    [101, 1, "unknown", 1, true],
    [301, 1, "unknown", 1, true],
  ];
  for (const [status, reply, code, answer, isOfTarget] of cases) {
    test(`${status} is REP 0${answer}`, async () => {
      const error = await failure(`HTTP/1.1 ${status} Some words\r\nContent-Length: 5\r\n\r\nnever`);
      assertEquals(
        [error.status, error.reply, error.code, error.answer, error.isOfTarget],
        [status, reply, code, answer, isOfTarget],
      );
      assertEquals(error.phase, status === 407 ? "authentication" : "reply");
      if (status !== 407) assertStringIncludes(error.message, `it answers ${status} Some words`);
      const elsewhere = await failure(`HTTP/1.1 ${status} x\r\n\r\n`, { hop: 0, isLast: false });
      assertEquals([elsewhere.answer, elsewhere.isOfTarget], [1, false]);
    });
  }

  test("a login that is wanted, and one that is wrong", async () => {
    assertStringIncludes((await failure("HTTP/1.1 407 x\r\n\r\n")).message, "it wants a login");
    const { message } = await failure("HTTP/1.1 407 x\r\n\r\n", { proxy: KNOWN });
    assertStringIncludes(message, "wrong user or password");
    assert(!message.includes("ve"), message);
  });

  test("words that a log cannot bear are not told", async () => {
    const { message } = await failure("HTTP/1.1 502 a\xffb\r\n\r\n");
    assertStringIncludes(message, "it answers 502 a?b");
  });
});

describe("what is no answer", () => {
  const cases: Record<string, string> = {
    "SOCKS": "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00\r\n\r\n",
    "another protocol": "SSH-2.0-x\r\n\r\n",
    "HTTP/2": "HTTP/2 200\r\n\r\n",
    "no status": "HTTP/1.1 2x0 x\r\n\r\n",
    "a bare LF": "HTTP/1.1 200 x\n\r\n\r\n",
    "a folded line with a NUL": "HTTP/1.1 200 x\r\nA: b\r\n \0\r\n\r\n",
    "the end before the head's": "HTTP/1.1 200 x\r\nA: b\r\n",
    "nothing": "",
    "a head without an end": `HTTP/1.1 200 x\r\nA: ${"b".repeat(70_000)}\r\n\r\n`,
    "fields without an end": `HTTP/1.1 200 x\r\n${"A: b\r\n".repeat(200)}\r\n`,
    "provisional answers without an end": "HTTP/1.1 100 x\r\n\r\n".repeat(20),
  };
  for (const [name, says] of Object.entries(cases)) {
    test(name, async () => {
      const error = await failure(says);
      assertEquals([error.phase, error.reply, error.answer, error.isOfTarget], ["reply", undefined, 1, false]);
    });
  }
});

test("what HTTP cannot say is not asked", async () => {
  for (const command of [Command.BIND, Command.UDP_ASSOCIATE]) {
    const error = await failure("", { request: { ...CONNECT, command } });
    assertEquals([error.phase, error.code], ["request", "not-supported"]);
  }
  for (const host of ["a b", "a/b", "a\r\nHost: b", "a:1", "a@b", "a?b", "a#b", "[a", "a%41", "ä/b"]) {
    const target = { type: "name", host, port: 80 } as const;
    const { connection, told, proxy } = answering("");
    const error = await assertRejects(() => soon(handshake(connection, PLAIN, { ...CONNECT, target })), ProxyError);
    assertEquals([error.phase, error.code, error.answer], ["request", "name-not-found", 4], host);
    proxy.closeWrite();
    assertEquals(await told.catch(() => ""), "");
  }
  const proxy = { ...PLAIN, user: "a:b", password: "c" };
  assertStringIncludes((await failure("", { proxy })).message, "colon");
});

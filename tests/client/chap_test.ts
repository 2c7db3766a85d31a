import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { describe, test } from "node:test";
import { chapMethod } from "../../src/client/chap_method.ts";
import { connect } from "../../src/client/connect.ts";
import { handshake } from "../../src/client/handshake.ts";
import { parseProxy, type Proxy } from "../../src/client/proxy.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { hmacMd5 } from "../../src/auth/hmac_md5.ts";
import { ChapAttribute, type ChapValue, decodeChap, encodeChap, MAX_CHAP } from "../../src/protocol/chap.ts";
import { targetOf } from "../../src/protocol/address.ts";
import { Command } from "../../src/protocol/constants.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { connectionPair, memory } from "../../src/runtime/memory.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { Channel } from "../../src/stream/channel.ts";
import { hex, soon } from "../server/_harness.ts";
import { pipe } from "../server/_pipe.ts";
import { bytewise } from "./_script.ts";

const { STATUS, TEXT_MESSAGE, USER_IDENTITY, CHALLENGE, RESPONSE, ALGORITHMS } = ChapAttribute;
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const ADA = { name: "ada", chapSecret: "lovelace" };
const ASKED = { command: Command.CONNECT, target: targetOf("example.com", 80) };
const YES = Uint8Array.of(5, 0, 0, 1, 192, 0, 2, 1, 4, 56);
const CHOICE = { type: ALGORITHMS, value: Uint8Array.of(0x85) };
const THEIRS = new Uint8Array(32).map((_, i) => i);
const ASK = { type: CHALLENGE, value: THEIRS };
const DONE = { type: STATUS, value: Uint8Array.of(0) };

function start(runtime: Runtime, options: Partial<ServeOptions> = {}) {
  return serve({ listen: "192.0.2.1:1080", rules: { request: () => undefined }, runtime, users: [ADA], ...options });
}

async function echoAt(runtime: Runtime): Promise<Disposable> {
  const listener = await runtime.listen({ address: { ip: "192.0.2.7", port: 7 } });
  (async () => {
    for await (const connection of listener) connection.readable.pipeTo(connection.writable).catch(() => {});
  })();
  return { [Symbol.dispose]: () => listener.close() };
}

for (const [how, split] of [["whole", undefined], ["byte by byte", bytewise]] as const) {
  describe(`bytes arrive ${how}`, () => {
    for (const scheme of ["socks5+chap", "socks5h+chap", "socks5+chap+mutual"]) {
      test(`${scheme} through a server of ours`, async () => {
        const runtime = memory(split === undefined ? {} : { split });
        await using _server = await start(runtime);
        using _echo = await echoAt(runtime);
        const proxy = `${scheme}://ada:lovelace@192.0.2.1`;
        for (const options of [{}, { optimistic: true }, { optimistic: true, payload: ascii("early ") }]) {
          const connection = await soon(connect("192.0.2.7:7", { proxy, runtime, ...options }));
          await connection.write(ascii("late"));
          connection.closeWrite();
          const expected = "payload" in options ? "early late" : "late";
          assertEquals(await soon(new Response(connection.readable).text()), expected);
        }
      });
    }

    test("a wrong secret and an unknown user are told", async () => {
      const runtime = memory(split === undefined ? {} : { split });
      await using _server = await start(runtime);
      for (const login of ["ada:babbage", "eve:lovelace"]) {
        for (const scheme of ["socks5+chap", "socks5+chap+mutual"]) {
          const dialling = connect("192.0.2.7:7", { proxy: `${scheme}://${login}@192.0.2.1`, runtime });
          const error = await assertRejects(() => soon(dialling), ProxyError, "wrong user or password");
          assertEquals([error.code, error.phase], ["permission-denied", "authentication"]);
          assertEquals(/lovelace|babbage/.test(error.message), false);
        }
      }
    });
  });
}

test("a chain may log in by CHAP at each proxy", async () => {
  const runtime = memory();
  await using _first = await start(runtime);
  await using _second = await start(runtime, { listen: "192.0.2.2:1080", users: [{ name: "bea", chapSecret: "b" }] });
  using _echo = await echoAt(runtime);
  const proxy = ["socks5+chap+mutual://ada:lovelace@192.0.2.1", "socks5h+chap://bea:b@192.0.2.2"];
  const connection = await soon(connect("192.0.2.7:7", { proxy, runtime }));
  connection.close();
});

test("over sockets of the system, both ways", async () => {
  const runtime = await currentRuntime();
  await using server = await serve({ listen: "127.0.0.1:0", rules: { request: () => undefined }, users: [ADA] });
  const echo = await runtime.listen({ address: { ip: "127.0.0.1", port: 0 } });
  (async () => {
    for await (const connection of echo) connection.readable.pipeTo(connection.writable).catch(() => {});
  })();
  const { port } = server.addresses[0] as { port: number };
  const to = `127.0.0.1:${(echo.address as { port: number }).port}`;
  const connection = await soon(connect(to, { proxy: `socks5+chap+mutual://ada:lovelace@127.0.0.1:${port}` }));
  await connection.write(ascii("hello"));
  connection.closeWrite();
  assertEquals(await soon(new Response(connection.readable).text()), "hello");
  const wrong = connect(to, { proxy: `socks5+chap+mutual://ada:babbage@127.0.0.1:${port}` });
  await assertRejects(() => soon(wrong), ProxyError, "wrong user or password");
  echo.close();
});

/** A proxy of one's own, which has chosen CHAP. */
class Liar {
  readonly told: (readonly ChapValue[])[] = [];
  readonly offered: Promise<string>;
  readonly handshaking: Promise<unknown>;
  readonly #channel: Channel;

  constructor(act: (liar: Liar) => Promise<void>, proxy: Proxy) {
    const [near, far] = connectionPair();
    this.#channel = new Channel(far);
    this.handshaking = handshake(near, proxy, ASKED);
    this.handshaking.catch(() => {});
    this.offered = this.#greet();
    this.offered.then(() => act(this)).catch(() => {});
  }

  async #greet(): Promise<string> {
    const greeting = await this.#channel.read(
      (bytes) => bytes.length < 3 ? undefined : { value: hex(bytes.subarray(0, 3)), length: 3 },
      3,
    );
    await this.#channel.write(Uint8Array.of(5, 3));
    return greeting;
  }

  async hear(): Promise<readonly ChapValue[]> {
    const heard = await this.#channel.read(decodeChap, MAX_CHAP);
    this.told.push(heard);
    return heard;
  }

  async say(...attributes: readonly ChapValue[]): Promise<void> {
    await this.#channel.write(encodeChap(attributes));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#channel.write(bytes);
  }
}

const KNOWN = parseProxy("socks5+chap://ada:lovelace@proxy.example");
const MUTUAL = parseProxy("socks5+chap+mutual://ada:lovelace@proxy.example");

test("nothing but CHAP is offered: whoever poses as the proxy is told no password", async () => {
  for (const chosen of [0, 2]) {
    const [near, far] = connectionPair();
    const handshaking = handshake(near, KNOWN, ASKED);
    handshaking.catch(() => {});
    assertEquals(hex((await far.read())!), "05 01 03");
    await far.write(Uint8Array.of(5, chosen));
    await assertRejects(() => soon(handshaking), ProxyError, "which was not offered");
    assertEquals(await far.read(), null);
  }
});

test("a proxy that does not take CHAP is told so", async () => {
  const [near, far] = connectionPair();
  const handshaking = handshake(near, KNOWN, ASKED);
  handshaking.catch(() => {});
  await far.read();
  await far.write(Uint8Array.of(5, 0xff));
  const error = await assertRejects(() => soon(handshaking), ProxyError, "it does not take chap");
  assertEquals(error.code, "permission-denied");
});

test("what is said is what the draft says, and texts are passed over", async () => {
  const proxy = new Liar(async (liar) => {
    await liar.hear();
    await liar.say({ type: TEXT_MESSAGE, value: ascii("hello") });
    await liar.say(CHOICE);
    await liar.say(ASK, { type: 0x42, value: ascii("?") });
    await liar.hear();
    await liar.say({ type: TEXT_MESSAGE, value: ascii("welcome") });
    await liar.say(DONE);
    await liar.write(YES);
  }, KNOWN);
  await soon(proxy.handshaking);
  assertEquals(await proxy.offered, "05 01 03");
  assertEquals(proxy.told, [
    [CHOICE, { type: USER_IDENTITY, value: ascii("ada") }],
    [{ type: RESPONSE, value: await hmacMd5(ascii("lovelace"), THEIRS) }],
  ]);
});

test("a proxy that cannot prove to know the password is not used, and told so", async () => {
  const proofs: ((own: Uint8Array) => Promise<readonly ChapValue[]>)[] = [
    () => Promise.resolve([]),
    () => Promise.resolve([{ type: RESPONSE, value: new Uint8Array(16) }]),
    () => Promise.resolve([{ type: RESPONSE, value: new Uint8Array(0) }]),
    async (own) => [{ type: RESPONSE, value: await hmacMd5(ascii("babbage"), own) }],
    async (own) => [{ type: RESPONSE, value: (await hmacMd5(ascii("lovelace"), own)).subarray(0, 15) }],
  ];
  for (const proof of proofs) {
    let answer: readonly ChapValue[] = [];
    const proxy = new Liar(async (liar) => {
      await liar.hear();
      await liar.say(CHOICE, ASK);
      const [, own] = await liar.hear();
      await liar.say(DONE, ...await proof(own!.value));
      answer = await liar.hear();
    }, MUTUAL);
    const error = await assertRejects(() => soon(proxy.handshaking), ProxyError, "does not prove that it knows");
    assertEquals(error.code, "permission-denied");
    assertEquals(answer, [{ type: STATUS, value: Uint8Array.of(0xff) }]);
  }
});

test("a challenge of a client's own is not answered: a proxy could have it from another talk", async () => {
  let own: ChapValue | undefined;
  const first = new Liar(async (liar) => {
    await liar.hear();
    await liar.say(CHOICE, ASK);
    own = (await liar.hear())[1]!;
    await liar.say({ type: STATUS, value: Uint8Array.of(1) });
  }, MUTUAL);
  await assertRejects(() => soon(first.handshaking), ProxyError, "wrong user or password");
  assertEquals(own?.type, CHALLENGE);
  const second = new Liar(async (liar) => {
    await liar.hear();
    await liar.say(CHOICE, own!);
    await liar.hear();
  }, KNOWN);
  await assertRejects(() => soon(second.handshaking), ProxyError, "its challenge is one that a client made");
  assertEquals(second.told.length, 1);
});

test("a proxy that says what makes no sense, or nothing to the point, is left", async () => {
  const cases: [(liar: Liar) => Promise<void>, string][] = [
    [(liar) => liar.say({ type: ALGORITHMS, value: Uint8Array.of(5) }, ASK), "an algorithm that was not offered"],
    [(liar) => liar.say(CHOICE, { type: CHALLENGE, value: new Uint8Array(0) }), "its challenge is empty"],
    [(liar) => liar.say({ type: STATUS, value: Uint8Array.of(9) }), "wrong user or password"],
    [(liar) => liar.write(Uint8Array.of(5, 0)), "VER is 5, expected 1"],
    [(liar) => liar.write(Uint8Array.of(1, 255)), "255 attributes"],
    [async (liar) => {
      for (let i = 0; i < 8; i++) await liar.say(CHOICE);
    }, "it does not come to a challenge"],
    [async (liar) => {
      await liar.say(CHOICE, ASK);
      for (let i = 0; i < 8; i++) await liar.say();
    }, "it does not come to an answer"],
  ];
  for (const [act, message] of cases) {
    const proxy = new Liar(async (liar) => {
      await liar.hear();
      await act(liar);
    }, KNOWN);
    await assertRejects(() => soon(proxy.handshaking), ProxyError, message);
  }
});

test("whatever a proxy sends, it proves nothing by it", async () => {
  const attribute = fc.record({
    type: fc.constantFrom(STATUS, TEXT_MESSAGE, CHALLENGE, RESPONSE, ALGORITHMS, 0x42),
    value: fc.oneof(fc.constantFrom(DONE.value, CHOICE.value, THEIRS), fc.uint8Array({ maxLength: 20 })),
  });
  const message = fc.oneof(fc.array(attribute, { maxLength: 4 }).map(encodeChap), fc.uint8Array({ maxLength: 30 }));
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
      const [near, far] = pipe();
      const talking = chapMethod.negotiate(new Channel(near), { proxy: MUTUAL });
      talking.catch(() => {});
      for (const bytes of messages) if (bytes.length > 0) await far.write(bytes);
      far.closeWrite();
      await assertRejects(() => soon(talking));
    }),
    { numRuns: 60 },
  );
});

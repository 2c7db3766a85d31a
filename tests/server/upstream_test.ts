/** CONNECT through ways out. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import type { SocketAddress } from "../../src/net/address.ts";
import { NetError } from "../../src/net/errors.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { echo, eventually, FAR, type House, house, NEAR, Recorder, soon, type Wire } from "./_harness.ts";
import { Network } from "./_network.ts";
import { type Asked, proxyAt, type Script } from "./_proxy.ts";

const PROXY = "192.0.2.200:1080";
const TOR = { tor: { proxy: `socks5h://${PROXY}` } };
const text = (value: string) => Array.from(new TextEncoder().encode(value));
const named = (name: string, port = 443) => [3, name.length, ...text(name), port >> 8, port & 255];
const IP = [1, 93, 184, 216, 34, 1, 187];
const GRANTED = "05 00 00 01 cb 00 71 4d 12 34";
const refused = (reply: number) => `05 0${reply} 00 01 00 00 00 00 00 00`;

/** A server behind a proxy. No name may be looked up unless the test gives it addresses. */
async function behind(options: ServeOptions, script?: Script): Promise<House & { asked: Asked[] }> {
  const network = new Network();
  const asked = proxyAt(network, PROXY, script);
  echo(network, "93.184.216.34:443");
  network.names.set("example.com", [["93.184.216.34"]]);
  const running = await house({ upstreams: TOR, via: "tor", ...options }, network);
  return Object.assign(running, { asked });
}

/** Asks to be connected. */
async function ask({ client }: House, address: readonly number[], from = FAR): Promise<Wire> {
  const wire = client(from);
  await wire.send([5, 1, 0, 5, 1, 0, ...address]);
  await wire.expect("05 00");
  return wire;
}

async function asks(running: House, address: readonly number[], hears: string, from = FAR): Promise<void> {
  const wire = await ask(running, address, from);
  await wire.expect(hears);
  wire.leave();
}

test("a name goes to the proxy as it is, nobody looks it up, and the reply says what the proxy said", async () => {
  await using running = await behind({});
  const wire = await ask(running, named("example.com"));
  await wire.expect(GRANTED);
  await wire.send("hello");
  assertEquals(await wire.text(5), "hello");
  wire.finish();
  assertEquals(await wire.restHex(), "");
  assertEquals(running.asked, [{ login: undefined, target: "example.com:443" }]);
  assertEquals([running.network.lookups, running.network.attempts], [[], [PROXY]]);
  const { cause, sent, received } = await running.seen.summary();
  assertEquals([cause, sent, received], ["finished", 5, 5]);
  const session = running.seen.sessions.at(-1)!;
  assertEquals([session.via, session.address], ["tor", undefined]);
});

test("an address goes there as well, and is known as that of the session", async () => {
  await using running = await behind({});
  const wire = await ask(running, IP);
  await wire.expect(GRANTED);
  assertEquals(running.asked.map(({ target }) => target), ["93.184.216.34:443"]);
  assertEquals(running.seen.sessions.at(-1)!.address, { ip: "93.184.216.34", port: 443 });
  wire.leave();
});

describe("the reply of the proxy is that of the server", () => {
  for (const reply of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`REP 0${reply}`, async () => {
      await using running = await behind({}, { reply });
      await asks(running, named("example.com"), refused(reply));
      const [{ cause, reason }] = running.seen.refusals as [{ cause: string; reason: string }];
      assertEquals(cause, "network");
      assertStringIncludes(reason, `Cannot go through proxy 1, "socks5h://${PROXY}" (reply): `);
    });
  }

  test("a code that no RFC has is a general failure", async () => {
    await using running = await behind({}, { reply: 0x42 });
    await asks(running, named("example.com"), refused(1));
  });

  test("without one it is a general failure", async () => {
    await using running = await behind({}, { reply: "close" });
    await asks(running, named("example.com"), refused(1));
  });

  test("HTTP clients hear 403, 504 and 502", async () => {
    for (const [reply, status] of [[2, 403], [6, 504], [5, 502], [1, 502]] as const) {
      await using running = await behind({ mixed: true }, { reply });
      const wire = running.client();
      await wire.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
      assertEquals(await wire.text(12), `HTTP/1.1 ${status}`);
      const isSaid = new TextDecoder().decode(await wire.rest()).endsWith(
        "\nA proxy on the way does not allow that.\n",
      );
      assertEquals(isSaid, reply === 2);
      wire.leave();
    }
  });

  test("SOCKS4 clients hear 91", async () => {
    await using running = await behind({}, { reply: 5 });
    const wire = running.client();
    await wire.send([4, 1, 1, 187, 0, 0, 0, 1, 0, ...text("example.com"), 0]);
    await wire.expect("00 5b 00 00 00 00 00 00");
    wire.leave();
  });
});

test("SOCKS4's no is a general failure, and so is what it says of our identity", async () => {
  for (const reply of [91, 92, 93]) {
    const upstreams = { tor: { proxy: `socks4a://${PROXY}` } };
    await using running = await behind({ upstreams });
    running.network.answers.set(PROXY, async (end) => {
      await end.read();
      await end.write(Uint8Array.of(0, reply, 0, 0, 0, 0, 0, 0));
      end.close();
    });
    await asks(running, named("example.com"), refused(1));
  }
});

test("an HTTP proxy's answers are replies, and those to our login are not told", async () => {
  for (const [status, reply] of [[403, 2], [502, 4], [504, 6], [500, 1], [407, 1]] as const) {
    await using running = await behind({ upstreams: { tor: { proxy: `http://me:secret@${PROXY}` } } });
    running.network.answers.set(PROXY, async (end) => {
      await end.read();
      await end.write(new TextEncoder().encode(`HTTP/1.1 ${status} x\r\n\r\n`));
      end.closeWrite();
    });
    await asks(running, named("example.com"), refused(reply));
    assertEquals(running.seen.refusals[0]!.reason.includes("secret"), false);
  }
});

test("an HTTP request is forwarded through the proxy", async () => {
  await using running = await behind({ mixed: true });
  const wire = running.client();
  await wire.send("GET http://example.com/x HTTP/1.1\r\nHost: example.com\r\n\r\n");
  // The proxy sends back what it gets, and a request is no answer.
  assertEquals(await wire.text(12), "HTTP/1.1 502");
  assertEquals([running.asked, running.network.lookups], [[{ login: undefined, target: "example.com:80" }], []]);
  wire.leave();
});

test("a dialler of one's own says what the reply states, too", async () => {
  const network = new Network();
  echo(network, "192.0.2.7:7");
  const bound = { type: "ipv4", host: "203.0.113.9", port: 258 } as const;
  await using running = await house({
    resolve: false,
    dial: async (_target, { runtime, signal }) => ({
      connection: await runtime.connect({ ip: "192.0.2.7", port: 7 }, { signal }),
      bound,
      address: { ip: "198.51.100.9", port: 9 },
    }),
  }, network);
  await asks(Object.assign(running, { asked: [] }), named("example.com"), "05 00 00 01 cb 00 71 09 01 02");
  assertEquals(running.seen.sessions.at(-1)!.address, { ip: "198.51.100.9", port: 9 });
});

describe("a proxy that cannot be used is a general failure, and the log says why", () => {
  const cases: { name: string; options?: ServeOptions; script?: Script; answer?: "refused"; says: string }[] = [
    { name: "nobody listens", answer: "refused", says: "(dial): Cannot connect" },
    {
      name: "it refuses our login",
      options: { upstreams: { tor: { proxy: `socks5h://me:secret@${PROXY}` } } },
      script: { refusesLogin: true },
      says: "(authentication): wrong user or password",
    },
  ];
  for (const { name, options, script, answer, says } of cases) {
    test(name, async () => {
      await using running = await behind({ ...options }, script);
      if (answer !== undefined) running.network.answers.set(PROXY, answer);
      await asks(running, named("example.com"), refused(1));
      const { reason } = running.seen.refusals[0]!;
      assertStringIncludes(reason, says);
      assertEquals(reason.includes("secret"), false);
    });
  }

  test("it is this server itself", async () => {
    for (const proxy of ["socks5h://192.0.2.1:1080", "socks5h://me.test:1080"]) {
      await using running = await behind({ upstreams: { tor: { proxy } } });
      running.network.names.set("me.test", [["192.0.2.1"]]);
      await asks(running, named("example.com"), refused(1));
      assertStringIncludes(
        running.seen.refusals[0]!.reason,
        '(dial): Cannot connect to "192.0.2.1:1080": it is a listener',
      );
      assertEquals(running.network.attempts, []);
    }
  });

  test("a hop of a chain that another refuses to reach is not the target", async () => {
    const second = "192.0.2.201:1080";
    const upstreams = { tor: { proxy: [`socks5h://${PROXY}`, `socks5h://${second}`] } };
    await using running = await behind({ upstreams }, { reply: 5 });
    await asks(running, named("example.com"), refused(1));
    assertStringIncludes(running.seen.refusals[0]!.reason, "proxy 1");
    assertEquals(running.asked[0]!.target, second);
  });

  test("out of time while the proxy says nothing of the target it is REP 06, and 01 while it is not there", async () => {
    const timeouts = { connect: 30 };
    await using quiet = await behind({ timeouts }, { reply: "silence" });
    await asks(quiet, named("example.com"), refused(6));
    await using absent = await behind({ timeouts });
    absent.network.answers.set(PROXY, "silence");
    await asks(absent, named("example.com"), refused(1));
  });
});

describe("while a proxy is silent", () => {
  test("the end of the server ends what waits for it", async () => {
    const running = await behind({}, { reply: "silence" });
    const wire = await ask(running, named("example.com"));
    await eventually(() => running.asked.length === 1, "the request to the proxy");
    await running[Symbol.asyncDispose]();
    assertEquals((await running.seen.summary()).cause, "shutdown");
    assertEquals(running.network.made.map(({ isClosed }) => isClosed), [true, true]);
    wire.leave();
  });

  test("a client that resets is not waited for, and its place is free", async () => {
    const runtime = memory();
    const seen = new Recorder();
    const proxy = await runtime.listen({ address: { ip: "127.0.0.1", port: 1081 } });
    const upstreams = { tor: { proxy: "socks5h://127.0.0.1:1081" } };
    const limits = [{ per: "server" as const, sessions: 1 }];
    await using server = await serve({ runtime, upstreams, via: "tor", limits, observer: seen });
    const accepted = proxy[Symbol.asyncIterator]();
    for (let i = 0; i < 2; i++) {
      const client = duplexOf(await runtime.connect(server.addresses[0] as SocketAddress));
      await client.write(Uint8Array.from([5, 1, 0, 5, 1, 0, ...named("example.com")]));
      const end = duplexOf((await soon(accepted.next())).value!);
      assertEquals([...(await soon(end.read()))!], [5, 1, 0]);
      client.close(new Error("The test resets"));
      assertEquals((await seen.summary(i)).cause, "vanished");
      await assertRejects(() => soon(end.read()), NetError, "reset");
    }
    proxy.close();
  });
});

describe("rules", () => {
  test("say which way is taken, before the server's own", async () => {
    await using running = await behind({
      rules: [{ action: "allow", to: [".example.com"], via: "tor" }, {
        action: "allow",
        to: ["blocked.test"],
        via: "block",
      }],
      via: "direct",
    });
    await asks(running, named("www.example.com"), GRANTED);
    assertEquals([running.asked.length, running.network.lookups], [1, []]);
    await asks(running, named("blocked.test"), refused(2));
    assertEquals(running.network.lookups, []);
    await asks(running, named("no.test"), refused(4));
    assertEquals([running.asked.length, running.network.lookups], [1, ["no.test"]]);
  });

  test("that are about addresses do not apply to a name that is kept", async () => {
    await using running = await behind({
      rules: [
        { action: "deny", to: ["93.184.216.0/24"] },
        { action: "allow", to: ["198.51.100.0/24"], via: "direct" },
        { action: "allow", ports: [443] },
      ],
      otherwise: "deny",
    });
    await asks(running, named("example.com"), GRANTED);
    await asks(running, IP, refused(2));
    await asks(running, named("example.com", 80), refused(2));
    assertEquals([running.asked.length, running.network.lookups], [1, []]);
  });

  test("that send a name directly have it looked up, and its address is asked for", async () => {
    await using running = await behind({ rules: [{ action: "allow", to: ["example.com"], via: "direct" }] });
    await asks(running, named("example.com"), "05 00 00 01 c6 33 64 01 9c 40");
    assertEquals([running.network.lookups, running.network.attempts], [["example.com"], ["93.184.216.34:443"]]);
  });

  test("about an address take a name that goes directly to a way out, by the address that they saw", async () => {
    await using running = await behind({
      via: "direct",
      rules: [{ action: "allow", to: ["93.184.216.0/24"], via: "tor" }],
    });
    await asks(running, named("example.com"), GRANTED);
    assertEquals([running.network.lookups, running.asked.map(({ target }) => target)], [["example.com"], [
      "93.184.216.34:443",
    ]]);
  });

  test("of one's own are asked about the name in place of its addresses", async () => {
    const seen: string[] = [];
    await using running = await behind({
      rules: {
        address: ({ ip }) => void seen.push(ip),
        name: ({ host }) => (seen.push(host), host.startsWith("no") ? "deny" : undefined),
      },
    });
    await asks(running, named("example.com"), GRANTED);
    await asks(running, named("no.example.com"), refused(2));
    assertEquals(seen, ["example.com", "no.example.com"]);
  });

  test("of one's own that ask for a way that is not there lead nowhere", async () => {
    await using running = await behind({ rules: { request: () => ({ allow: "safely", via: "moon" }) } });
    await asks(running, IP, refused(1));
    assertStringIncludes(running.seen.refusals[0]!.reason, 'found "moon"');
  });
});

describe("safe defaults", () => {
  const FORBIDDEN = [
    ["an address of this machine", [1, 127, 0, 0, 1, 1, 187]],
    ["localhost", named("localhost")],
    ["a name below localhost", named("www.LOCALHOST.")],
    ["localhost in other letters", [3, 27, ...text("ｌｏｃａｌｈｏｓｔ"), 1, 187]],
  ] as const;
  for (const [name, address] of FORBIDDEN) {
    test(`${name} is for clients of this machine`, async () => {
      await using running = await behind({});
      await asks(running, address, refused(2));
      await asks(running, address, GRANTED, NEAR);
      assertEquals([running.asked.length, running.network.lookups], [1, []]);
    });
  }

  for (const name of ["127.1", "0x7f000001", "2130706433", "①②⑦.0.0.1"]) {
    test(`${name} is 127.0.0.1`, async () => {
      await using running = await behind({});
      const address = [3, new TextEncoder().encode(name).length, ...text(name), 1, 187];
      await asks(running, address, refused(2));
      await asks(running, address, GRANTED, NEAR);
      assertEquals(running.asked.map(({ target }) => target), ["127.0.0.1:443"]);
    });
  }

  test("what ends in a number and is no address is no name either", async () => {
    await using running = await behind({});
    for (const name of ["1.2.3.4.5", "example.0x1"]) await asks(running, named(name), refused(4), NEAR);
    assertEquals([running.asked, running.network.lookups], [[], []]);
  });
});

test("a way that does not keep names gets the addresses that the rules allow, one after the other", async () => {
  const upstreams = { tor: { proxy: `socks5://${PROXY}` } };
  await using running = await behind({ upstreams });
  running.network.names.set("many.test", [["10.0.0.1", "93.184.216.34"]]);
  await asks(running, named("many.test"), GRANTED);
  assertEquals(running.asked.map(({ target }) => target), ["93.184.216.34:443"]);
});

test("a group with the direct way has names looked up, and hands on what the rules have seen", async () => {
  const upstreams = { ...TOR, either: { group: ["tor", "direct"] } };
  await using running = await behind({ upstreams, via: "either" });
  await asks(running, named("example.com"), GRANTED);
  assertEquals(running.asked.map(({ target }) => target), ["93.184.216.34:443"]);
  running.network.answers.set(PROXY, "refused");
  const wire = await ask(running, named("example.com"));
  await wire.expect("05 00 00 01 c6 33 64 01 9c 41");
  await wire.send("hello");
  assertEquals(await wire.text(5), "hello");
  const { via, viaMember } = running.seen.sessions.at(-1)!;
  assertEquals([via, viaMember], ["either", "direct"]);
  wire.leave();
});

test("the proxy's own name is looked up as other names are", async () => {
  const names: string[] = [];
  await using running = await behind({
    upstreams: { tor: { proxy: "socks5h://proxy.test" } },
    resolve: (name) => (names.push(name), ["192.0.2.200"]),
  });
  await asks(running, named("example.com"), GRANTED);
  assertEquals(names, ["proxy.test"]);
});

test("each session logs in as its own", async () => {
  const upstreams = { tor: { proxy: `socks5h://me:pw@${PROXY}`, isolate: { user: "{user}-{listener}-{session}" } } };
  const users = [{ name: "a-da", password: "x" }];
  await using running = await behind({ upstreams, users, listen: { address: "192.0.2.1:1080", name: "in" } });
  for (let i = 0; i < 2; i++) {
    const wire = running.client();
    await wire.send([5, 1, 2, 1, 4, ...text("a-da"), 1, ...text("x"), 5, 1, 0, ...named("example.com")]);
    await wire.expect("05 02 01 00");
    await wire.expect(GRANTED);
    wire.leave();
  }
  const [one, two] = running.asked.map(({ login }) => login!);
  const form = /^a%2Dda-in-([\da-f]{16}):pw$/;
  assertEquals([form.test(one!), form.test(two!), one === two], [true, true, false], `${one} ${two}`);
});

test("a session without a user is anonymous, and a login that is too long is refused", async () => {
  const upstreams = { tor: { proxy: `socks5h://${PROXY}`, isolate: { user: "{user}", password: "{listener}" } } };
  await using running = await behind({ upstreams });
  await asks(running, named("example.com"), GRANTED);
  assertEquals(running.asked[0]!.login, "anonymous:192.0.2.1:1080");
  await using long = await behind({ upstreams, listen: { address: "192.0.2.1:1080", name: "x".repeat(256) } });
  await asks(long, named("example.com"), refused(1));
  assertStringIncludes(long.seen.refusals[0]!.reason, "256 bytes");
});

test("what makes no sense does not start", async () => {
  const fails = async (options: ServeOptions): Promise<string> =>
    (await assertRejects(() => serve({ listen: "127.0.0.1:0", runtime: new Network(), ...options }), RangeError))
      .message;
  const upstreams = (more: unknown) => ({ upstreams: { ...TOR, ...more as typeof TOR } });
  assertEquals(await fails({ via: "moon" }), 'Cannot use via: found "moon", expected "direct", "block"');
  assertEquals(
    await fails({ ...upstreams({}), rules: [{ action: "allow" }, { action: "allow", via: "moon" }] }),
    'Cannot use rules[1].via: found "moon", expected "direct", "block", "tor"',
  );
  assertEquals(
    await fails(upstreams({ eu: { group: ["tor", "moon"] } })),
    'Cannot use upstreams.eu.group[1]: found "moon", expected "direct" or the name of another way out',
  );
  assertEquals(
    await fails(upstreams({ a: { group: ["b"] }, b: { group: ["tor", { name: "a", weight: 2 }] } })),
    'Cannot use upstreams.b.group[1]: found "a", expected no group within itself (a → b → a)',
  );
  assertEquals(
    await fails(upstreams({ a: { group: ["tor", "tor"] } })),
    'Cannot use upstreams.a.group[1]: found "tor", expected each member once',
  );
  assertEquals(
    await fails(upstreams({ a: { group: ["block"] } })),
    'Cannot use upstreams.a.group[0]: found "block", expected "direct" or the name of another way out',
  );
  assertEquals(
    await fails(upstreams({ a: { group: [] } })),
    "Cannot use upstreams.a.group: found an empty list, expected a list of at least one name",
  );
  assertEquals(
    await fails(upstreams({ direct: { proxy: "socks5://x" } })),
    'Cannot use upstreams: found "direct", expected another name than "direct", "block" and ""',
  );
  assertEquals(
    await fails(upstreams({ a: {} })),
    "Cannot use upstreams.a: found an object, expected either proxy or group",
  );
  assertEquals(
    await fails(upstreams({ a: { proxy: [] } })),
    "Cannot use upstreams.a.proxy: found an empty list, expected at least one proxy",
  );
  const bad = await fails(upstreams({ a: { proxy: ["socks5h://x", "ftp://me:secret@x"] } }));
  assertStringIncludes(bad, "Cannot use upstreams.a.proxy[1]: found another scheme");
  assertEquals(bad.includes("secret"), false);
  for (const user of ["", "{name}", "{user}{listener}", "{user}x{listener}"]) {
    assertStringIncludes(
      await fails(upstreams({ a: { proxy: "socks5h://x", isolate: { user } } })),
      "Cannot use upstreams.a.isolate.user: found ",
    );
  }
  const long = await fails(upstreams({ a: { proxy: "socks4a://x", isolate: { user: "u", password: "hush" } } }));
  assertEquals(
    long,
    "Cannot use upstreams.a.isolate.password: found another text, expected none: SOCKS4 has no such thing",
  );
});

describe("after a reload", () => {
  const LISTEN = { listen: "192.0.2.1:1080", open: true };

  test("new sessions leave by the new way, and those that are open go on", async () => {
    await using running = await behind({});
    const before = await ask(running, named("example.com"));
    await before.expect(GRANTED);
    await running.server.reload({ ...LISTEN, runtime: running.network });
    await asks(running, named("example.com"), "05 00 00 01 c6 33 64 01 9c 41");
    await before.send("on");
    assertEquals(await before.text(2), "on");
    before.leave();
  });

  test("with recheck, sessions that would leave by another way are ended, and no others", async () => {
    await using running = await behind({});
    const { network, seen, server } = running;
    const wire = await ask(running, named("example.com"));
    await wire.expect(GRANTED);
    const same = {
      ...LISTEN,
      runtime: network,
      observer: seen,
      upstreams: TOR,
      via: "tor",
      otherwise: "safe" as const,
    };
    await server.reload(same, { sessions: "recheck" });
    await wire.send("on");
    assertEquals(await wire.text(2), "on");
    await server.reload({ ...same, upstreams: { tor: { proxy: "socks5h://192.0.2.9" } } }, { sessions: "recheck" });
    await wire.restHex().catch(() => {});
    const { cause, reason } = await seen.summary();
    assertEquals(cause, "revoked");
    assertStringIncludes(reason!, 'its way out, "tor", is another');
  });

  test("with recheck, a name that is left to the proxy is asked for again, as a name", async () => {
    await using running = await behind({});
    const { network, seen, server } = running;
    const wire = await ask(running, named("example.com"));
    await wire.expect(GRANTED);
    const same = { ...LISTEN, runtime: network, observer: seen, upstreams: TOR, via: "tor" };
    await server.reload({ ...same, rules: [{ action: "deny", to: ["93.184.216.34"] }] }, { sessions: "recheck" });
    await wire.send("on");
    assertEquals(await wire.text(2), "on");
    await server.reload({ ...same, rules: [{ action: "deny", to: [".com"] }] }, { sessions: "recheck" });
    await wire.restHex().catch(() => {});
    assertEquals((await seen.summary()).cause, "revoked");
    assertEquals(network.lookups, []);
  });

  test("with recheck, a session goes on while the member of the group that it leaves by is there", async () => {
    const group = (...names: string[]) => ({ ...TOR, moon: { proxy: "socks5h://192.0.2.9" }, pool: { group: names } });
    await using running = await behind({ upstreams: group("tor"), via: "pool" });
    const { network, seen, server } = running;
    const wire = await ask(running, named("example.com"));
    await wire.expect(GRANTED);
    const reload = (options: ServeOptions) =>
      server.reload({ ...LISTEN, runtime: network, observer: seen, via: "pool", ...options }, { sessions: "recheck" });
    await reload({ upstreams: group("moon", "tor") });
    await reload({ upstreams: { ...group("moon", "tor"), all: { group: ["pool"] } } });
    await wire.send("on");
    assertEquals(await wire.text(2), "on");
    await reload({ upstreams: group("moon") });
    await wire.restHex().catch(() => {});
    assertStringIncludes((await seen.summary()).reason!, 'its way out, "pool", is another');
  });

  test("with recheck, rules of one's own that ask for a way that is not there end a session, and not the server", async () => {
    await using running = await behind({});
    const wire = await ask(running, named("example.com"));
    await wire.expect(GRANTED);
    const rules = { request: () => ({ allow: "always" as const, via: "moon" }) };
    const options = { ...LISTEN, runtime: running.network, observer: running.seen, upstreams: TOR, rules };
    await running.server.reload(options, { sessions: "recheck" });
    assertStringIncludes((await running.seen.summary()).reason!, 'found "moon"');
    await asks(running, named("example.com"), refused(1));
  });

  test("a failed one leaves the ways as they were", async () => {
    await using running = await behind({});
    const upstreams = { tor: { proxy: "socks5h://192.0.2.9" } };
    const options = { ...LISTEN, runtime: running.network, upstreams, via: "tor" };
    await assertRejects(() => running.server.reload({ ...options, via: "moon" }), RangeError);
    await assertRejects(() => running.server.reload({ ...options, listen: "nonsense:x" }), SyntaxError);
    await asks(running, named("example.com"), GRANTED);
  });

  test("a session that is being connected goes the new way", async () => {
    let grant = (_reply: number): void => {};
    await using running = await behind({}, { reply: new Promise((resolve) => grant = resolve) });
    const wire = await ask(running, named("example.com"));
    await eventually(() => running.asked.length === 1, "the request to the proxy");
    await running.server.reload({ ...LISTEN, runtime: running.network });
    grant(0);
    await wire.expect("05 00 00 01 c6 33 64 01 9c 41");
    await wire.send("hello");
    assertEquals(await wire.text(5), "hello");
    assertEquals(running.network.made.filter(({ isClosed }) => isClosed).length, 1);
    wire.leave();
  });
});

import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { handle } from "../../src/server/handle.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { Clock } from "./_clock.ts";
import { FAR, type House, house, NEAR, soon, target, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";
import { pipe } from "./_pipe.ts";
import type { ServeOptions } from "../../src/server/options.ts";

const ORIGIN = "198.51.100.7:80";
const BASIC = `Proxy-Authorization: Basic ${btoa("ada:love:lace")}\r\n`;
const USERS = [{ name: "ada", password: "love:lace" }];

/** A server for HTTP and SOCKS, and the origin behind it. */
function mixed(options: ServeOptions = {}): Promise<House> {
  return house({ mixed: true, ...options });
}

async function head(wire: Wire): Promise<string> {
  let text = "";
  while (!text.endsWith("\r\n\r\n")) text += await wire.text(1);
  return text;
}

async function rest(wire: Wire): Promise<string> {
  return new TextDecoder().decode(await wire.rest());
}

/** Sends each byte by itself. */
async function drip(wire: Wire, text: string): Promise<void> {
  for (const byte of new TextEncoder().encode(text)) await wire.send([byte]);
}

test("CONNECT opens a tunnel, and what is sent ahead reaches the target", async () => {
  await using running = await mixed();
  const arrived = target(running.network, "198.51.100.7:443");
  const client = running.client();
  await client.send("CONNECT 198.51.100.7:443 HTTP/1.1\r\nHost: 198.51.100.7:443\r\n\r\nahead");
  const origin = await soon(arrived);
  assertEquals(await head(client), "HTTP/1.1 200 Connection established\r\n\r\n");
  assertEquals(await origin.text(5), "ahead");
  await origin.send("back");
  assertEquals(await client.text(4), "back");
  client.finish();
  assertEquals(await rest(origin), "");
  origin.finish();
  assertEquals(await rest(client), "");
  assertEquals((await running.seen.summary()).cause, "finished");
  assertEquals(running.seen.events, [
    "opened",
    "requested http connect 198.51.100.7:443",
    "connected 198.51.100.7:443",
    "closed finished",
  ]);
});

test("a request in absolute form is forwarded without what is for one hop alone", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await drip(
    client,
    "GET http://198.51.100.7/a?b=c HTTP/1.1\r\nhost: elsewhere\r\nConnection: x-one, Keep-Alive\r\nX-One: 1\r\n" +
      "X-Two:  2 \r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: Basic eDp5\r\n\r\n",
  );
  const origin = await soon(arrived);
  assertEquals(await head(origin), "GET /a?b=c HTTP/1.1\r\nHost: 198.51.100.7\r\nX-Two: 2\r\n\r\n");
  await drip(
    origin,
    "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nConnection: x-hop\r\nX-Hop: 1\r\nProxy-Authenticate: Basic\r\nETag: e\r\n\r\nhello",
  );
  assertEquals(await head(client), "HTTP/1.1 200 Fine\r\nETag: e\r\nContent-Length: 5\r\n\r\n");
  assertEquals(await client.text(5), "hello");

  // The same client, the same origin: the same connections.
  await client.send("HEAD http://198.51.100.7 HTTP/1.1\r\nHost: 198.51.100.7\r\n\r\n");
  assertEquals(await head(origin), "HEAD / HTTP/1.1\r\nHost: 198.51.100.7\r\n\r\n");
  await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  assertEquals(await head(client), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  await client.send("OPTIONS http://198.51.100.7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assertEquals(await head(origin), "OPTIONS * HTTP/1.1\r\nHost: 198.51.100.7\r\nConnection: close\r\n\r\n");
  await origin.send("HTTP/1.1 204 No\r\n\r\n");
  assertEquals(await rest(client), "HTTP/1.1 204 No\r\nConnection: close\r\n\r\n");
  client.leave();
  assertEquals((await running.seen.summary()).cause, "finished");
  assertEquals(running.seen.events.length, 4);
});

test("another origin is another session over the same connection, and is asked for", async () => {
  await using running = await mixed({
    rules: { request: ({ target }) => target.host === "198.51.100.9" ? "deny" : undefined },
  });
  const first = target(running.network, ORIGIN);
  const second = target(running.network, "198.51.100.8:81");
  const client = running.client();
  await client.send(
    "GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\nGET http://198.51.100.8:81/ HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  const one = await soon(first);
  await head(one);
  await one.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
  const two = await soon(second);
  assertEquals(await head(two), "GET / HTTP/1.1\r\nHost: 198.51.100.8:81\r\n\r\n");
  assertEquals(await rest(one), "", "the first origin is let go");
  await two.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
  assertStringIncludes(await head(client), "200");
  assertEquals(await client.text(1), "1");
  assertStringIncludes(await head(client), "200");
  assertEquals(await client.text(1), "2");
  await client.send("GET http://198.51.100.9/ HTTP/1.1\r\nHost: x\r\n\r\n");
  const refusal = await rest(client);
  assert(refusal.startsWith("HTTP/1.1 403 "), refusal);
  client.leave();
  await running.seen.summary(2);
  assertEquals(running.seen.events.filter((event) => event.startsWith("requested")), [
    "requested http connect 198.51.100.7:80",
    "requested http connect 198.51.100.8:81",
    "requested http connect 198.51.100.9:80",
  ]);
  assertEquals(running.seen.summaries.map(({ cause }) => cause), ["finished", "finished", "refused"]);
  assertEquals(running.server.sessions, 0);
});

test("chunks go both ways without their extensions, and trailers with them", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await drip(
    client,
    "POST http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      '1;a=b;c="d;e"\r\nx\r\n00\r\nX-Sum: 1\r\n\r\n',
  );
  const origin = await soon(arrived);
  assertStringIncludes(await head(origin), "\r\nTransfer-Encoding: chunked\r\n");
  const up = "1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n";
  assertEquals(await origin.text(up.length), up);
  await origin.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  assertEquals(await head(client), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  const down = "3\r\nabc\r\n0\r\n\r\n";
  assertEquals(await client.text(down.length), down);
});

test("a client of HTTP/1.0 gets no chunks and no 100", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
  const origin = await soon(arrived);
  assertEquals(await head(origin), "GET / HTTP/1.1\r\nHost: 198.51.100.7\r\nConnection: close\r\n\r\n");
  await origin.send(
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  );
  assertEquals(await rest(client), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
});

test("a client that expects 100 gets it from the origin, and may be refused without a body", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  const ask = "PUT http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  await client.send(ask);
  const origin = await soon(arrived);
  assertStringIncludes(await head(origin), "Expect: 100-continue\r\n");
  await origin.send("HTTP/1.1 100 Continue\r\n\r\n");
  assertEquals(await head(client), "HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("body");
  assertEquals(await origin.text(4), "body");
  await origin.send("HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
  assertEquals(await head(client), "HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
  await client.send(ask);
  await head(origin);
  await origin.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
  assertEquals(await rest(client), "HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  client.leave();
  assertEquals((await running.seen.summary()).cause, "finished");
});

test("a body without a length ends with the connection, after a half-close of the client too", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
  client.finish();
  const origin = await soon(arrived);
  await head(origin);
  await origin.send("HTTP/1.0 200 OK\r\n\r\nall of ");
  await origin.send("it");
  origin.finish();
  assertEquals(await rest(client), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
  assertEquals((await running.seen.summary()).cause, "finished");
});

test("a WebSocket becomes a tunnel", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send(
    "GET http://198.51.100.7/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nup",
  );
  const origin = await soon(arrived);
  assertEquals(
    await head(origin),
    "GET /ws HTTP/1.1\r\nHost: 198.51.100.7\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  await origin.send("HTTP/1.1 101 Switch\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\ndown");
  assertEquals(await head(client), "HTTP/1.1 101 Switch\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  assertEquals(await client.text(4), "down");
  assertEquals(await origin.text(2), "up");
  await client.send("more");
  assertEquals(await origin.text(4), "more");
  client.finish();
  assertEquals(await rest(origin), "");
  origin.finish();
  assertEquals(await rest(client), "");
  assertEquals((await running.seen.summary()).cause, "finished");
});

test("who has to log in is asked to, once, and over the same connection", async () => {
  await using running = await mixed({ users: USERS, open: false });
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
  const challenge = await head(client);
  assert(challenge.startsWith("HTTP/1.1 407 "), challenge);
  assertStringIncludes(challenge, '\r\nProxy-Authenticate: Basic realm="proxy", charset="UTF-8"\r\n');
  assert(!/connection: close/i.test(challenge), challenge);
  await client.text(Number(/content-length: (\d+)/i.exec(challenge)![1]));
  await client.send(`GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n`);
  const origin = await soon(arrived);
  assertEquals(await head(origin), "GET / HTTP/1.1\r\nHost: 198.51.100.7\r\n\r\n");
  assertEquals(running.seen.events, [
    "opened",
    "authenticated ada",
    "requested http connect 198.51.100.7:80",
    "connected 198.51.100.7:80",
  ]);
});

test("a login that is wrong, missing again or unreadable ends the connection", async () => {
  const plain = "GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n";
  for (
    const said of [
      `${plain}\r\n${plain}\r\n`,
      `${plain}Proxy-Authorization: Basic ${btoa("ada:no")}\r\n\r\n`,
      `${plain}Proxy-Authorization: Basic ${btoa("ada")}\r\n\r\n`,
      `${plain}Proxy-Authorization: Basic !\r\n\r\n`,
      `${plain}Proxy-Authorization: Digest x="y"\r\n\r\n`,
      "GET http://198.51.100.7/ HTTP/1.0\r\n\r\n",
    ]
  ) {
    await using running = await mixed({ users: USERS, open: false });
    const client = running.client();
    await client.send(said);
    const answers = await rest(client);
    assert(/HTTP\/1\.1 407 [^]*\r\nConnection: close\r\n/.test(answers), answers);
    client.leave();
    assertEquals((await running.seen.summary()).cause, "refused", said);
    assertEquals(running.seen.refusals.map(({ cause }) => cause), ["authentication"]);
  }
});

test("each request of a connection proves anew who makes it", async () => {
  await using running = await mixed({ users: USERS, open: false });
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send(`GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n`);
  const origin = await soon(arrived);
  await head(origin);
  await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  await head(client);
  await client.send(
    `GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${btoa("ada:wrong")}\r\n\r\n`,
  );
  assert((await rest(client)).startsWith("HTTP/1.1 407 "));
  assertEquals(await rest(origin), "");
});

test("the kind of a failure is told, and nothing more", async () => {
  const cases: readonly [string, ServeOptions, string][] = [
    ["http://10.0.0.1/", {}, "403 Forbidden"],
    ["http://198.51.100.1:1/", {}, "502 Bad Gateway"],
    ["http://nowhere.invalid/", {}, "502 Bad Gateway"],
    ["http://x.test/", { resolve: () => new Promise(() => {}), timeouts: { lookup: 20 } }, "504 Gateway Timeout"],
    ["/", {}, "400 Bad Request"],
    ["*", {}, "400 Bad Request"],
    ["https://198.51.100.1/", {}, "400 Bad Request"],
  ];
  for (const [uri, options, status] of cases) {
    await using running = await mixed(options);
    const client = running.client();
    await client.send(`GET ${uri} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const answer = await rest(client);
    assert(answer.startsWith(`HTTP/1.1 ${status}\r\n`), `${uri}: ${answer}`);
    assert(!/10\.0\.0\.1|invalid|private/.test(answer), answer);
    client.leave();
    assertEquals((await running.seen.summary()).cause, "refused", uri);
  }
});

test("an origin that takes too long to answer is answered for", async () => {
  using clock = new Clock();
  for (const halfClosed of [false, true]) {
    await using running = await mixed({ timeouts: { idle: 60_000, halfClosed: 30_000 } });
    const arrived = target(running.network, ORIGIN);
    const client = running.client();
    await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
    const origin = await soon(arrived);
    await head(origin);
    if (halfClosed) client.finish();
    await clock.advance(29_000);
    assertEquals(running.server.sessions, 1);
    await clock.advance(32_000);
    const refusal = await rest(client);
    assert(refusal.startsWith("HTTP/1.1 504 Gateway Timeout\r\n"), refusal);
    assertEquals(await rest(origin), "");
    client.leave();
    const { cause, reason } = await running.seen.summary();
    assertEquals(cause, "timeout");
    assertStringIncludes(reason!, halfClosed ? "within 30 s" : "within 60 s");
  }
});

test("an answer that stops in the middle is cut off, and not answered for", async () => {
  using clock = new Clock();
  await using running = await mixed({ timeouts: { idle: 60_000 } });
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
  const origin = await soon(arrived);
  await head(origin);
  await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  await head(client);
  assertEquals(await client.text(4), "half");
  await clock.advance(61_000);
  assertEquals(await rest(client).catch(() => ""), "");
  assertEquals((await running.seen.summary()).cause, "timeout");
});

test("the reason that a rule gives is told, and the name of a rule is not", async () => {
  const rules: Rule[] = [
    { action: "deny", ports: ["25"], reason: "no mail from here – ask zoë" },
    { action: "deny", ports: ["81"], name: "hidden" },
    { action: "allow" },
  ];
  const text = "no mail from here – ask zoë\n";
  const length = new TextEncoder().encode(text).length;
  for (
    const [request, status, body] of [
      ["GET http://198.51.100.1:25/", `403 Forbidden`, text],
      ["CONNECT 198.51.100.1:25", "403 Forbidden", text],
      ["HEAD http://198.51.100.1:25/", "403 Forbidden", ""],
      ["GET http://198.51.100.1:81/", "403 Forbidden", "The rules of this proxy do not allow that.\n"],
    ] as const
  ) {
    await using running = await mixed({ rules });
    const client = running.client();
    await client.send(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const answer = await rest(client);
    assert(answer.startsWith(`HTTP/1.1 ${status}\r\n`), answer);
    assertEquals(answer.slice(answer.indexOf("\r\n\r\n") + 4), body);
    if (request.includes(":25")) assertStringIncludes(answer, `\r\nContent-Length: ${length}\r\n`);
    client.leave();
  }
});

test("a limit is no rule", async () => {
  await using running = await mixed({ limits: [{ sessions: 1 }] });
  const first = target(running.network, ORIGIN);
  const [one, other] = [running.client(), running.client()];
  await one.send("CONNECT 198.51.100.7:80 HTTP/1.1\r\nHost: x\r\n\r\n");
  await soon(first);
  await head(one);
  await other.send("CONNECT 198.51.100.7:80 HTTP/1.1\r\nHost: x\r\n\r\n");
  assertMatch(await rest(other), /^HTTP\/1\.1 403 [^]*\r\n\r\nA limit of this proxy does not allow that now\.\n$/);
  one.leave();
  other.leave();
});

test("an origin that says nothing, nonsense, or 407 makes a 502", async () => {
  for (
    const said of [
      "",
      "SSH-2.0-x\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      "HTTP/1.1 407 Log in\r\nProxy-Authenticate: Basic\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\n\r\n",
    ]
  ) {
    await using running = await mixed();
    const arrived = target(running.network, ORIGIN);
    const client = running.client();
    await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
    const origin = await soon(arrived);
    await head(origin);
    await origin.send(said);
    if (said === "") origin.finish();
    const answer = await rest(client);
    assert(answer.startsWith("HTTP/1.1 502 "), `${said}: ${answer}`);
    client.leave();
    assertEquals((await running.seen.summary()).cause, "reset");
  }
});

test("an answer that is cut off does not look whole", async () => {
  for (const start of ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]) {
    await using running = await mixed();
    const arrived = target(running.network, ORIGIN);
    const client = running.client();
    await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
    const origin = await soon(arrived);
    await head(origin);
    await origin.send(`HTTP/1.1 200 OK\r\n${start}`);
    origin.finish();
    await head(client);
    const ended = await rest(client).then(() => "ended", () => "reset");
    assertEquals(ended, "reset");
    assertEquals((await running.seen.summary()).cause, "reset");
  }
});

test("a client that leaves while it waits frees the origin", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
  const origin = await soon(arrived);
  await head(origin);
  client.leave("reset");
  await rest(origin).catch(() => {});
  assertEquals((await running.seen.summary()).cause, "reset");
});

test("a body that breaks off reaches the origin as a reset, and bad chunks as a 400 to the client", async () => {
  for (const [body, ends] of [["3\r\nabc\r\n", true], ["3\r\nabcd\r\n", false], ["-1\r\n", false]] as const) {
    await using running = await mixed();
    const arrived = target(running.network, ORIGIN);
    const client = running.client();
    await client.send(`POST http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    if (ends) client.finish();
    const origin = await soon(arrived);
    await head(origin);
    assertEquals(await rest(origin).then(() => "ended", () => "reset"), "reset");
    if (!ends) assert((await rest(client)).startsWith("HTTP/1.1 400 "));
    client.leave();
    assertEquals((await running.seen.summary()).cause, ends ? "reset" : "refused");
  }
});

test("an origin that leaves between two requests takes the client with it", async () => {
  await using running = await mixed();
  const arrived = target(running.network, ORIGIN);
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n");
  const origin = await soon(arrived);
  await head(origin);
  await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  await head(client);
  origin.finish();
  assertEquals(await rest(client), "");
  assertEquals((await running.seen.summary()).cause, "finished");
});

test("a head that does not come to its end is cut off", async () => {
  await using running = await mixed({ timeouts: { handshake: 30 } });
  const client = running.client();
  await client.send("GET http://198.51.100.7/ HTTP/1.1\r\nHost");
  assertEquals(await rest(client).catch(() => ""), "");
  assertEquals((await running.seen.summary()).cause, "timeout");
});

test("heads have a bound on their bytes and fields", async () => {
  for (const fields of [`X: ${"y".repeat(70_000)}\r\n`, "X: y\r\n".repeat(101)]) {
    await using running = await mixed();
    const client = running.client();
    await client.send(`GET http://198.51.100.7/ HTTP/1.1\r\n${fields}\r\n`);
    assert((await rest(client)).startsWith("HTTP/1.1 431 "));
    client.leave();
  }
});

test("HTTP is served where all listeners are on loopback, or where it was said", async () => {
  const served = async (options: ServeOptions): Promise<boolean> => {
    await using running = await house(options);
    const client = running.client(options.listen === undefined ? FAR : NEAR);
    await client.send("GET http://10.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n");
    const answer = await rest(client);
    client.leave();
    return !answer.startsWith("HTTP/1.1 501 ");
  };
  assertEquals(await served({}), false);
  assertEquals(await served({ mixed: true }), true);
  assertEquals(await served({ listen: "127.0.0.1:1080" }), true);
  assertEquals(await served({ listen: "127.0.0.1:1080", mixed: false }), false);
  assertEquals(await served({ listen: ["127.0.0.1:1080", "192.0.2.1:1081"] }), false);
});

test("a server that drains lets resting clients go, and others after their answer", async () => {
  await using running = await mixed();
  const GET = "GET http://198.51.100.7/ HTTP/1.1\r\nHost: x\r\n\r\n";
  const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  const reached = target(running.network, ORIGIN);
  const resting = running.client();
  await resting.send(GET);
  const one = await soon(reached);
  await head(one);
  await one.send(`${OK}\r\n`);
  assertEquals(await head(resting), `${OK}\r\n`);

  const asked = target(running.network, ORIGIN);
  const waiting = running.client();
  await waiting.send(GET);
  const two = await soon(asked);
  await head(two);

  const drained = running.server.drain();
  assertEquals(await rest(resting), "");
  await two.send(`${OK}\r\n`);
  assertEquals(await rest(waiting), `${OK}Connection: close\r\n\r\n`);
  waiting.leave();
  await soon(drained);
  assertEquals(running.seen.summaries.map(({ cause }) => cause), ["finished", "finished"]);
});

test("the account of a handled connection counts all origins", async () => {
  const network = new Network();
  const [near, far] = pipe();
  const client = new Wire(near);
  const account = handle(far, { mixed: true, runtime: network });
  for (const at of ["198.51.100.7:80", "198.51.100.8:80"]) {
    const arrived = target(network, at);
    await client.send(`GET http://${at}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    const origin = await soon(arrived);
    await head(origin);
    await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    await head(client);
    assertEquals(await client.text(3), "abc");
  }
  client.leave();
  const { sent, received, cause } = await soon(account);
  assertEquals(cause, "finished");
  assertEquals(received, 2 * "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".length);
  assertEquals(sent, 2 * "GET / HTTP/1.1\r\nHost: 198.51.100.7:80\r\n\r\n".length);
});

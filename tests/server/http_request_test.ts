import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { HOST, REFUSED, START } from "./_http_corpus.ts";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import { bytesOf, headDecoder } from "../../src/protocol/http_head.ts";
import { encodeRequest, type HttpRequest, parseRequest } from "../../src/server/http_request.ts";

function read(head: string): HttpRequest {
  const decoded = headDecoder("request")(bytesOf(head));
  if (decoded === undefined) throw new Error("The head has no end");
  return parseRequest(decoded.value);
}

for (const [what, head] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => {
    assertThrows(() => read(head), ProtocolError);
  });
}

test("what is asked for becomes the path, and the target the Host", () => {
  const cases: readonly [string, string, string][] = [
    ["http://example.com", "GET / HTTP/1.1", "example.com"],
    ["HTTP://Example.com:8080/a//b?c=http://d/", "GET /a//b?c=http://d/ HTTP/1.1", "Example.com:8080"],
    ["http://example.com?q", "GET /?q HTTP/1.1", "example.com"],
    ["http://[2001:db8::1]:81/x", "GET /x HTTP/1.1", "[2001:db8::1]:81"],
  ];
  for (const [uri, line, host] of cases) {
    const bytes = encodeRequest(read(`GET ${uri} HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n`));
    assertEquals(new TextDecoder().decode(bytes), `${line}\r\nHost: ${host}\r\n\r\n`);
  }
});

test("Connection cannot take away the Host or the length of a body", () => {
  const request = read(`${START}${HOST}Connection: Host, Content-Length, X-A\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n`);
  const text = new TextDecoder().decode(encodeRequest(request));
  assertEquals(text, "GET / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\n\r\n");
});

test("a head is read the same in whatever pieces it comes", () => {
  const head = bytesOf(`${START}${HOST}X: a\r\nContent-Length: 3\r\n\r\n`);
  const whole = headDecoder("request")(head);
  for (let split = 0; split < head.length; split++) {
    const decode = headDecoder("request");
    assertEquals(decode(head.subarray(0, split)), undefined);
    assertEquals(decode(head), whole);
  }
});

/** What Node's own parser, llhttp, makes of a head; `undefined` if it refuses it. */
async function oracle(bytes: Uint8Array): Promise<IncomingMessage | undefined> {
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false });
  try {
    return await new Promise<IncomingMessage | undefined>((resolve) => {
      server.on("request", resolve);
      server.on("checkContinue", resolve);
      server.on("checkExpectation", resolve);
      server.on("upgrade", resolve);
      server.on("connect", resolve);
      server.on("clientError", () => resolve(undefined));
      const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
      Object.assign(socket, { setTimeout: () => socket, setNoDelay: () => socket, setKeepAlive: () => socket });
      server.emit("connection", socket);
      socket.push(bytes);
      socket.push(null);
    });
  } finally {
    server.close();
  }
}

const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);

/** Pieces of heads, good and bad, that are put together at random. */
const PIECES = fc.oneof(
  fc.constantFrom(
    "Content-Length: 3\r\n",
    "Content-Length: 03\r\n",
    "content-length:3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:\tchunked \r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding:chunked,\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: websocket\r\n",
    "Expect: 100-continue\r\n",
    "X: \x80\xff\r\n",
    "X:\r\n",
    " X: y\r\n",
    "X : y\r\n",
    "X: y\n",
    "X: y\r",
    "X:\0\r\n",
    "X_Y: z\r\n",
    "!#$%&'*+-.^_`|~: \"\r\n",
  ),
  fc.tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 })).map(([name, value]) => `${name}:${value}\r\n`),
);

// llhttp is Node's own: elsewhere there is nothing to compare with.
const compared = isNode ? test : () => {};
compared(
  "what is accepted here llhttp accepts, with the same meaning",
  async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "HEAD", "OPTIONS", "M-SEARCH"),
        fc.constantFrom("1.0", "1.1"),
        fc.array(PIECES, { maxLength: 4 }),
        async (method, version, pieces) => {
          const head = `${method} http://example.com/a HTTP/${version}\r\n${HOST}${pieces.join("")}\r\n`;
          let request: HttpRequest;
          try {
            request = read(head);
          } catch {
            return;
          }
          accepted++;
          const message = await oracle(bytesOf(head));
          assert(message !== undefined, JSON.stringify(head));
          assertEquals(message.method, request.method);
          assertEquals(message.httpVersionMinor, request.minor);
          assertEquals(
            message.rawHeaders,
            request.fields.flatMap(({ name, value }) => [name, value]),
            JSON.stringify(head),
          );
          // And what we write is read as what we mean.
          const written = await oracle(encodeRequest(request));
          assert(written !== undefined);
          assertEquals(written.url, "/a");
          assertEquals(written.headers.host, "example.com");
          const { framing } = request;
          assertEquals(written.headers["transfer-encoding"], framing === "chunked" ? "chunked" : undefined);
          assertEquals(written.headers["content-length"], typeof framing === "number" ? String(framing) : undefined);
        },
      ),
      { numRuns: 1_000 },
    );
    assert(accepted > 100, `only ${accepted} were accepted`);
  },
);

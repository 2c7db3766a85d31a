import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import { bytesOf, headDecoder } from "../../src/server/http_head.ts";
import { encodeRequest, type HttpRequest, parseRequest } from "../../src/server/http_request.ts";

function read(head: string): HttpRequest {
  const decoded = headDecoder("request")(bytesOf(head));
  if (decoded === undefined) throw new Error("The head has no end");
  return parseRequest(decoded.value);
}

const START = "GET http://example.com/ HTTP/1.1\r\n";
const HOST = "Host: example.com\r\n";

/** Everything that somebody might read in another way than we do, or that asks for what a proxy must not do. */
const REFUSED: Readonly<Record<string, string>> = {
  "both lengths": `${START}${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
  "both lengths, the other way round": `${START}${HOST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n`,
  "two lengths that differ": `${START}${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`,
  "two lengths that do not": `${START}${HOST}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`,
  "a list of lengths": `${START}${HOST}Content-Length: 3, 3\r\n\r\n`,
  "a length with a sign": `${START}${HOST}Content-Length: +3\r\n\r\n`,
  "a negative length": `${START}${HOST}Content-Length: -3\r\n\r\n`,
  "a length in hexadecimal": `${START}${HOST}Content-Length: 0x3\r\n\r\n`,
  "a length that overflows": `${START}${HOST}Content-Length: 18446744073709551619\r\n\r\n`,
  "an empty length": `${START}${HOST}Content-Length:\r\n\r\n`,
  "a length with a space in it": `${START}${HOST}Content-Length: 3 3\r\n\r\n`,
  "another coding": `${START}${HOST}Transfer-Encoding: gzip\r\n\r\n`,
  "another coding before": `${START}${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`,
  "another coding after": `${START}${HOST}Transfer-Encoding: chunked, identity\r\n\r\n`,
  "two codings": `${START}${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
  "a coding with a form feed": `${START}${HOST}Transfer-Encoding: \fchunked\r\n\r\n`,
  "a coding in quotation marks": `${START}${HOST}Transfer-Encoding: "chunked"\r\n\r\n`,
  "a coding with a letter of Latin-1": `${START}${HOST}Transfer-Encoding: chun\xe9ked\r\n\r\n`,
  "an empty coding": `${START}${HOST}Transfer-Encoding:\r\n\r\n`,
  "chunks in HTTP/1.0": "POST http://example.com/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  "a bare LF after the first line": `GET http://example.com/ HTTP/1.1\n${HOST}\r\n`,
  "a bare LF after a field": `${START}Host: example.com\n\r\n`,
  "a bare LF at the end": `${START}${HOST}\n`,
  "a bare CR in a value": `${START}${HOST}X: a\rb\r\n\r\n`,
  "a bare CR before a field": `${START}${HOST}\rX: a\r\n\r\n`,
  "two CR": `${START}Host: example.com\r\r\n\r\n`,
  "a fold with a space": `${START}${HOST}X: a\r\n b\r\n\r\n`,
  "a fold with a tab": `${START}${HOST}X: a\r\n\tb\r\n\r\n`,
  "a fold as the first field": `${START} ${HOST}\r\n`,
  "a space before the colon": `${START}${HOST}Content-Length : 3\r\n\r\n`,
  "a tab before the colon": `${START}${HOST}Transfer-Encoding\t: chunked\r\n\r\n`,
  "a field without a colon": `${START}${HOST}X\r\n\r\n`,
  "a field without a name": `${START}${HOST}: x\r\n\r\n`,
  "a name that is no token": `${START}${HOST}X(: x\r\n\r\n`,
  "a name with a letter of Latin-1": `${START}${HOST}X\xe9: x\r\n\r\n`,
  "NUL in a value": `${START}${HOST}X: a\0b\r\n\r\n`,
  "NUL in a name": `${START}${HOST}X\0: a\r\n\r\n`,
  "NUL in the target": `GET http://example.com/\0 HTTP/1.1\r\n${HOST}\r\n`,
  "a control character in a value": `${START}${HOST}X: a\x0bb\r\n\r\n`,
  "DEL in a value": `${START}${HOST}X: a\x7fb\r\n\r\n`,
  "two Hosts": `${START}${HOST}${HOST}\r\n`,
  "two Hosts that differ": `${START}${HOST}Host: example.org\r\n\r\n`,
  "no Host": `${START}\r\n`,
  "a Host that is none": `${START}Host: example.com/x\r\n\r\n`,
  "a Host with a user": `${START}Host: a@example.com\r\n\r\n`,
  "two Hosts in one": `${START}Host: example.com, example.org\r\n\r\n`,
  "two credentials": `${START}${HOST}Proxy-Authorization: Basic YQ==\r\nProxy-Authorization: Basic Yg==\r\n\r\n`,
  "an empty line first": `\r\n${START}${HOST}\r\n`,
  "a method in small letters": `get http://example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "a method with a colon": `GET: http://example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "two spaces": `GET  http://example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "a tab": `GET\thttp://example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "a space in the target": `GET http://example.com/ a HTTP/1.1\r\n${HOST}\r\n`,
  "a space at the end": `GET http://example.com/ HTTP/1.1 \r\n${HOST}\r\n`,
  "no version": `GET http://example.com/\r\n${HOST}\r\n`,
  "version 0.9": `GET http://example.com/ HTTP/0.9\r\n${HOST}\r\n`,
  "version 1.2": `GET http://example.com/ HTTP/1.2\r\n${HOST}\r\n`,
  "version 2.0": `GET http://example.com/ HTTP/2.0\r\n${HOST}\r\n`,
  "version 11": `GET http://example.com/ HTTP/1.11\r\n${HOST}\r\n`,
  "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\n",
  "a version in small letters": `GET http://example.com/ http/1.1\r\n${HOST}\r\n`,
  "a letter of Latin-1 in the target": `GET http://example.com/\xe9 HTTP/1.1\r\n${HOST}\r\n`,
  "a fragment": `GET http://example.com/#a HTTP/1.1\r\n${HOST}\r\n`,
  "a user in the target": `GET http://a:b@example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "a backslash in the target": `GET http://example.com\\@example.org/ HTTP/1.1\r\n${HOST}\r\n`,
  "a backslash in the path": `GET http://example.com/\\example.org HTTP/1.1\r\n${HOST}\r\n`,
  "no host in the target": `GET http:///a HTTP/1.1\r\n${HOST}\r\n`,
  "port 0": `GET http://example.com:0/ HTTP/1.1\r\n${HOST}\r\n`,
  "port 65536": `GET http://example.com:65536/ HTTP/1.1\r\n${HOST}\r\n`,
  "no port after the colon": `GET http://example.com:/ HTTP/1.1\r\n${HOST}\r\n`,
  "a percent in the host": `GET http://exam%70le.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "brackets around no address": `GET http://[example.com]/ HTTP/1.1\r\n${HOST}\r\n`,
  "brackets around IPv4": `GET http://[127.0.0.1]/ HTTP/1.1\r\n${HOST}\r\n`,
  "https": `GET https://example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "ftp": `GET ftp://example.com/ HTTP/1.1\r\n${HOST}\r\n`,
  "an authority without CONNECT": `GET example.com:80 HTTP/1.1\r\n${HOST}\r\n`,
  "CONNECT without a port": `CONNECT example.com HTTP/1.1\r\n${HOST}\r\n`,
  "CONNECT to a URL": `CONNECT http://example.com:80/ HTTP/1.1\r\n${HOST}\r\n`,
  "CONNECT with a length": `CONNECT example.com:80 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n`,
  "CONNECT with chunks": `CONNECT example.com:80 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
};

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

test(
  "what is accepted here llhttp accepts, with the same meaning",
  { skip: !isNode && "llhttp is Node's" },
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

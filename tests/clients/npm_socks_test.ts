import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { SocksClient, type SocksClientOptions } from "socks";
import { type Bench, clients, loggedSessions, sessionLine } from "./_case.ts";
import type { RunningServer } from "../conformance/_server.ts";
import { digestAnswer, NO_NAME, payload, REFUSED_PORT, udpTarget } from "./_targets.ts";

const MIB = 1024 * 1024;

const USERS = ["--user", "alice:secret"];

/** How long the client waits for the proxy's answers, in milliseconds: only what hangs takes as long. */
const TIMEOUT = 120_000;

type Remote = SocksClientOptions["destination"];
type Proxy = SocksClientOptions["proxy"];

function proxyOf(server: RunningServer, type: 4 | 5, login: Partial<Proxy> = {}): Proxy {
  return { host: server.host, port: server.port, type, ...login };
}

/** Connects to a target; what the proxy answers is in the result or the error. */
async function connected(bench: Bench, proxy: Proxy, destination: Remote) {
  const established = await SocksClient.createConnection({ command: "connect", proxy, destination, timeout: TIMEOUT });
  return { ...established, socket: owned(bench, established.socket as Socket) };
}

function owned(bench: Bench, socket: Socket): Socket {
  socket.on("error", () => {});
  bench.use({ [Symbol.asyncDispose]: () => Promise.resolve(void socket.destroy()) });
  return socket;
}

/** Everything until the end of the other side. */
async function toEnd(socket: Socket): Promise<string> {
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  // An iterator would destroy the socket at the end, although the other direction may go on.
  await once(socket, "end");
  return Buffer.concat(chunks).toString();
}

/** Sends some bytes and the end, and reads the answer. */
function converse(socket: Socket, bytes: Uint8Array): Promise<string> {
  const answer = toEnd(socket);
  socket.end(bytes);
  return answer;
}

clients("npm socks, CONNECT", [], (it) => {
  for (const type of [4, 5] as const) {
    for (const host of ["127.0.0.1", "localhost"]) {
      const version = type === 4 && host === "localhost" ? "4a" : type;
      it(`SOCKS${version} connects to ${host}, sends 4 MiB and its end, and reads the answer`, async (bench) => {
        const server = await bench.server();
        const digest = await bench.digest();
        const { socket } = await connected(bench, proxyOf(server, type), { host, port: digest.port });
        assertEquals(await converse(socket, payload(4 * MIB)), digestAnswer(payload(4 * MIB)));
        assertEquals(digest.connections, 1);
        await loggedSessions(server, digest, `${host}:${digest.port}`);
      });
    }

    it(`SOCKS${type} connects through two of our servers in a chain`, async (bench) => {
      const [outer, inner] = [await bench.server(...USERS), await bench.server()];
      const digest = await bench.digest();
      const { socket } = await SocksClient.createConnectionChain({
        command: "connect",
        proxies: [proxyOf(outer, 5, { userId: "alice", password: "secret" }), proxyOf(inner, type)],
        destination: { host: "127.0.0.1", port: digest.port },
        timeout: TIMEOUT,
      });
      assertEquals(await converse(owned(bench, socket as Socket), payload(MIB)), digestAnswer(payload(MIB)));
      await sessionLine(outer, `127.0.0.1:${inner.port}`);
      await loggedSessions(inner, digest);
    });
  }

  it("SOCKS5 connects to an IPv6 address, and learns the local address in that family", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest({ host: "::1" });
    const destination = { host: "::1", port: digest.port };
    const { socket, remoteHost } = await connected(bench, proxyOf(server, 5), destination);
    assertMatch(remoteHost?.host ?? "", /^(0000:){7}0001$|^::1$/);
    assertEquals(await converse(socket, payload(1000)), digestAnswer(payload(1000)));
  });

  it("SOCKS5 learns the local address of the connection to the target", async (bench) => {
    const server = await bench.server();
    const echo = await bench.echo();
    const { remoteHost } = await connected(bench, proxyOf(server, 5), { host: "localhost", port: echo.port });
    assertEquals(remoteHost?.host, "127.0.0.1");
    assert(remoteHost !== undefined && remoteHost.port > 0 && remoteHost.port !== server.port);
  });

  it("SOCKS4 names a user", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const proxy = proxyOf(server, 4, { userId: "alice" });
    const { socket } = await connected(bench, proxy, { host: "127.0.0.1", port: digest.port });
    assertEquals(await converse(socket, payload(1000)), digestAnswer(payload(1000)));
  });

  it("SOCKS5 logs in with user and password", async (bench) => {
    const server = await bench.server(...USERS);
    const digest = await bench.digest();
    const proxy = proxyOf(server, 5, { userId: "alice", password: "secret" });
    const { socket } = await connected(bench, proxy, { host: "127.0.0.1", port: digest.port });
    assertEquals(await converse(socket, payload(1000)), digestAnswer(payload(1000)));
  });

  for (
    const [what, type, login, error] of [
      ["SOCKS5 with a wrong password", 5, { userId: "alice", password: "wrong" }, "Socks5 Authentication failed"],
      ["SOCKS5 with an unknown user", 5, { userId: "mallory", password: "secret" }, "Socks5 Authentication failed"],
      ["SOCKS5 without a user", 5, {}, "no accepted authentication type"],
      ["SOCKS4 with a user's name", 4, { userId: "alice" }, "Socks4 Proxy rejected connection - (Failed)"],
    ] as const
  ) {
    it(`${what} is turned away where users are required`, async (bench) => {
      const server = await bench.server(...USERS);
      const digest = await bench.digest();
      const destination = { host: "127.0.0.1", port: digest.port };
      await assertRejects(() => connected(bench, proxyOf(server, type, login), destination), Error, error);
      assertEquals(digest.connections, 0);
    });
  }

  for (
    const [type, host, port, error] of [
      [4, "127.0.0.1", REFUSED_PORT, "Socks4 Proxy rejected connection - (Failed)"],
      [4, NO_NAME, 80, "Socks4 Proxy rejected connection - (Failed)"],
      [5, "127.0.0.1", REFUSED_PORT, "Socks5 proxy rejected connection - ConnectionRefused"],
      [5, "::1", REFUSED_PORT, "Socks5 proxy rejected connection - ConnectionRefused"],
      [5, "localhost", REFUSED_PORT, "Socks5 proxy rejected connection - ConnectionRefused"],
      [5, NO_NAME, 80, "Socks5 proxy rejected connection - HostUnreachable"],
    ] as const
  ) {
    const target = host === NO_NAME ? "a name that does not exist" : `a refused port of ${host}`;
    it(`SOCKS${type} is told about ${target}`, async (bench) => {
      const server = await bench.server();
      await assertRejects(() => connected(bench, proxyOf(server, type), { host, port }), Error, error);
    });
  }
});

/** Asks for a BIND; `established` settles with the second reply. */
async function bind(bench: Bench, proxy: Proxy, destination: Remote) {
  const client = new SocksClient({ command: "bind", proxy, destination, timeout: TIMEOUT });
  const established = Promise.withResolvers<{ socket: Socket; remoteHost: Remote | undefined }>();
  const bound = Promise.withResolvers<{ socket: Socket; remoteHost: Remote }>();
  established.promise.catch(() => {});
  client.on("error", (error) => {
    bound.reject(error);
    established.reject(error);
  });
  client.on("bound", ({ socket, remoteHost }) => {
    if (remoteHost === undefined) bound.reject(new Error("No address that a peer could connect to"));
    else bound.resolve({ socket: owned(bench, socket as Socket), remoteHost });
  });
  client.on("established", ({ socket, remoteHost }) => {
    established.resolve({ socket: socket as Socket, remoteHost });
  });
  client.connect();
  return { ...await bound.promise, established: established.promise };
}

/** Comes from outside to a port that a BIND opened. */
async function peer(bench: Bench, to: Remote, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = owned(bench, connect({ ...to, localAddress, allowHalfOpen: true }));
  await once(socket, "connect");
  return socket;
}

/** Waits until the other side has hung up, without a word. */
async function hungUp(socket: Socket): Promise<void> {
  let said = 0;
  socket.on("data", (chunk: Uint8Array) => said += chunk.length);
  socket.once("end", () => socket.end());
  await new Promise((resolve) => socket.once("close", resolve));
  assertEquals(said, 0);
}

clients("npm socks, BIND", [], (it) => {
  for (const type of [4, 5] as const) {
    for (const expected of ["127.0.0.1", "0.0.0.0"]) {
      it(`SOCKS${type} waits for a peer from ${expected}, and talks both ways`, async (bench) => {
        const server = await bench.server();
        const { remoteHost, established } = await bind(bench, proxyOf(server, type), { host: expected, port: 0 });
        assertEquals(remoteHost.host, "127.0.0.1");
        assert(remoteHost.port > 0);
        const outside = await peer(bench, remoteHost);
        const { socket, remoteHost: came } = await established;
        assertEquals(came, { host: "127.0.0.1", port: outside.localPort! });
        const asked = toEnd(outside);
        socket.end("who are you?");
        assertEquals(await asked, "who are you?");
        const answered = toEnd(socket);
        outside.end("the peer");
        assertEquals(await answered, "the peer");
      });
    }

    it(`SOCKS${type} is told when another host than the expected one came`, async (bench) => {
      const server = await bench.server();
      const { remoteHost, established } = await bind(bench, proxyOf(server, type), { host: "127.0.0.2", port: 0 });
      const outside = await peer(bench, remoteHost);
      const closed = new Promise((resolve) => outside.once("close", resolve));
      await assertRejects(() => established, Error, "rejected incoming bound connection");
      outside.resume();
      outside.end();
      await closed;
    });

    it(`SOCKS${type} accepts no second peer`, async (bench) => {
      const server = await bench.server();
      const { remoteHost, established } = await bind(bench, proxyOf(server, type), { host: "127.0.0.1", port: 0 });
      await peer(bench, remoteHost);
      await established;
      // The system may let others in until the listener is closed; they are served nothing.
      const refusal = async () => {
        while (true) await hungUp(await peer(bench, remoteHost));
      };
      await assertRejects(refusal, Error, "ECONNREFUSED");
    });
  }

  for (const type of [4, 5] as const) {
    it(`SOCKS${type} is told when nobody comes in time`, async (bench) => {
      const server = await bench.server("--bind-timeout", "1s");
      const { established } = await bind(bench, proxyOf(server, type), { host: "127.0.0.1", port: 0 });
      await assertRejects(() => established, Error, "rejected incoming bound connection");
    });
  }

  it("a BIND for a name waits for the host of that name", async (bench) => {
    const server = await bench.server();
    const { remoteHost, established } = await bind(bench, proxyOf(server, 5), { host: "localhost", port: 0 });
    const outside = await peer(bench, remoteHost);
    assertEquals((await established).remoteHost?.port, outside.localPort);
  });
});

/** A datagram as the `socks` package reads it. */
interface Frame {
  readonly from: Remote;
  readonly data: string;
}

/** Asks for an association, and opens the socket to use it with. */
async function associate(bench: Bench, proxy: Proxy) {
  const destination = { host: "0.0.0.0", port: 0 };
  const client = new SocksClient({ command: "associate", proxy, destination, timeout: TIMEOUT });
  const relay = await new Promise<Remote>((resolve, reject) => {
    client.on("error", reject);
    client.on("established", ({ socket, remoteHost }) => {
      owned(bench, socket as Socket).resume();
      if (remoteHost === undefined) reject(new Error("No address to send datagrams to"));
      else resolve(remoteHost);
    });
    client.connect();
  });
  const socket: DatagramSocket = createSocket("udp4");
  bench.use({ [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
  return {
    relay,
    /** Settles when the datagram has left: Deno's node:dgram may let a later one overtake it before. */
    send(remoteHost: Remote, data: string, frameNumber = 0): Promise<void> {
      const frame = SocksClient.createUDPFrame({ remoteHost, data: Buffer.from(data), frameNumber });
      return new Promise((resolve, reject) =>
        socket.send(frame, relay.port, relay.host, (error) => error === null ? resolve() : reject(error))
      );
    },
    async receive(): Promise<Frame> {
      const [message] = await once(socket, "message", { signal: bench.signal }) as [Buffer];
      const { remoteHost, data } = SocksClient.parseUDPFrame(message);
      return { from: remoteHost, data: data.toString() };
    },
  };
}

clients("npm socks, UDP ASSOCIATE", [], (it) => {
  for (const host of ["127.0.0.1", "localhost", "::1"]) {
    it(`sends frames to ${host} and receives the answers`, async (bench) => {
      const server = await bench.server();
      const target = bench.use(await udpTarget(host === "::1" ? "::1" : "127.0.0.1"));
      const { relay, send, receive } = await associate(bench, proxyOf(server, 5));
      assertEquals(relay.host, "127.0.0.1");
      for (const word of ["one", "two", "three"]) {
        const received = receive();
        await send({ host, port: target.port }, word);
        const { from, data } = await received;
        assertEquals([from.port, data], [target.port, word.toUpperCase()]);
        assertMatch(from.host, host === "::1" ? /^(::1|(0000:){7}0001)$/ : /^127\.0\.0\.1$/);
      }
    });
  }

  it("sends a datagram in fragments, which arrive as one", async (bench) => {
    const server = await bench.server();
    const target = bench.use(await udpTarget());
    const { send, receive } = await associate(bench, proxyOf(server, 5));
    const received = receive();
    const to = { host: "127.0.0.1", port: target.port };
    await send(to, "in ", 1);
    await send(to, "three ", 2);
    await send(to, "parts", 0x80 | 3);
    assertEquals((await received).data, "IN THREE PARTS");
  });

  it("logs in before it associates", async (bench) => {
    const server = await bench.server(...USERS);
    const target = bench.use(await udpTarget());
    const proxy = proxyOf(server, 5, { userId: "alice", password: "secret" });
    const { send, receive } = await associate(bench, proxy);
    const received = receive();
    await send({ host: "127.0.0.1", port: target.port }, "in");
    assertEquals((await received).data, "IN");
    await assertRejects(() => associate(bench, proxyOf(server, 5)), Error, "no accepted authentication type");
  });

  it("is given a relay port from the configured range, and the advertised address", async (bench) => {
    const server = await bench.server("--udp-ports", "40800-40809", "--advertise", "127.0.0.9");
    const { relay } = await associate(bench, proxyOf(server, 5));
    assertEquals(relay.host, "127.0.0.9");
    assert(relay.port >= 40_800 && relay.port <= 40_809, `port ${relay.port}`);
  });
});

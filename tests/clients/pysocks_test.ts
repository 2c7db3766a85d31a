import { assertEquals, assertMatch } from "@std/assert";
import { type Bench, clients, loggedSessions, working } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, GREETING, payload, REFUSED_PORT, sha256, udpTarget } from "./_targets.ts";

const MIB = 1024 * 1024;

const USERS = ["--user", "alice:secret"];

/** Debian's Python, for which Debian's python3-socks is installed. */
const PYTHON = "/usr/bin/python3";

const PYSOCKS = working("python3-socks is not installed", PYTHON, "-c", "import socks");

/** What every script begins with: `tcp` and `udp` make sockets that use the proxy. */
const PRELUDE = `
import hashlib, json, socket, sys, urllib.request
import socks
proxy = json.loads(sys.argv[1])
def configured(sock):
    sock.settimeout(120)
    sock.set_proxy(getattr(socks, proxy["type"]), "127.0.0.1", proxy["port"], rdns=proxy["rdns"],
                   username=proxy["username"], password=proxy["password"])
    return sock
def tcp():
    return configured(socks.socksocket())
def udp():
    return configured(socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM))
def to_end(sock):
    received = b""
    while chunk := sock.recv(65536):
        received += chunk
    return received
`;

/** A proxy as a script sees it. */
interface Proxy {
  readonly type: "SOCKS4" | "SOCKS5";
  readonly port: number;
  /** Whether the proxy looks names up. */
  readonly rdns?: boolean;
  readonly username?: string;
  readonly password?: string;
}

function python(bench: Bench, proxy: Proxy, script: string, ...args: (string | number)[]): Promise<Finished> {
  const complete = { rdns: true, username: null, password: null, ...proxy };
  const input = PRELUDE + script.replace(/^\n/, "");
  return bench.run([PYTHON, "-", JSON.stringify(complete), ...args.map(String)], { input });
}

function assertPrinted({ code, stdout, stderr }: Finished, expected: string): void {
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: expected, stderr: "" });
}

/** Sends to a target, ends, and prints the answer. */
const TALK = `
sock = tcp()
sock.connect((sys.argv[2], int(sys.argv[3])))
sock.sendall(b"spoken by PySocks")
sock.shutdown(socket.SHUT_WR)
sys.stdout.write(to_end(sock).decode())
`;

const TALKED = digestAnswer(new TextEncoder().encode("spoken by PySocks"));

clients("PySocks over TCP", [PYSOCKS], (it) => {
  for (const type of ["SOCKS4", "SOCKS5"] as const) {
    for (const [host, rdns] of [["127.0.0.1", false], ["localhost", true]] as const) {
      it(`${type} connects to ${host}, ends its direction and reads the answer`, async (bench) => {
        const server = await bench.server();
        const digest = await bench.digest();
        const proxy = { type, port: server.port, rdns };
        assertPrinted(await python(bench, proxy, TALK, host, digest.port), TALKED);
        assertEquals(digest.connections, 1);
        await loggedSessions(server, digest, `${host}:${digest.port}`);
      });
    }

    it(`${type} carries pages and 8 MiB for urllib`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const script = `
socks.set_default_proxy(getattr(socks, proxy["type"]), "127.0.0.1", proxy["port"])
socket.socket = socks.socksocket
sys.stdout.write(urllib.request.urlopen(sys.argv[2] + "/hello").read().decode())
large = urllib.request.urlopen(sys.argv[2] + "/bytes/${8 * MIB}").read()
print(hashlib.sha256(large).hexdigest())
`;
      const finished = await python(bench, { type, port: server.port }, script, http.origin);
      assertPrinted(finished, `${GREETING}${sha256(payload(8 * MIB))}\n`);
      assertEquals(http.connections, 2);
    });
  }

  it("SOCKS5 connects to an IPv6 address", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest({ host: "::1" });
    assertPrinted(await python(bench, { type: "SOCKS5", port: server.port }, TALK, "::1", digest.port), TALKED);
    await loggedSessions(server, digest);
  });

  it("SOCKS5 is told the local address of the connection to the target", async (bench) => {
    const server = await bench.server();
    const echo = await bench.echo();
    const script = `
sock = tcp()
sock.connect(("127.0.0.1", int(sys.argv[2])))
host, port = sock.get_proxy_sockname()
print(host, port not in (0, proxy["port"]))
`;
    const proxy = { type: "SOCKS5", port: server.port, rdns: false } as const;
    assertPrinted(await python(bench, proxy, script, echo.port), "127.0.0.1 True\n");
  });

  it("SOCKS4 names a user", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const proxy = { type: "SOCKS4", port: server.port, username: "alice" } as const;
    assertPrinted(await python(bench, proxy, TALK, "127.0.0.1", digest.port), TALKED);
  });

  it("SOCKS5 logs in with user and password", async (bench) => {
    const server = await bench.server(...USERS);
    const digest = await bench.digest();
    const proxy = { type: "SOCKS5", port: server.port, username: "alice", password: "secret" } as const;
    assertPrinted(await python(bench, proxy, TALK, "127.0.0.1", digest.port), TALKED);
  });

  for (
    const [what, login, error] of [
      ["a wrong password", { username: "alice", password: "wrong" }, /SOCKS5AuthError: SOCKS5 authentication failed/],
      ["no user", {}, /SOCKS5AuthError: All offered SOCKS5 authentication methods were rejected/],
    ] as const
  ) {
    it(`SOCKS5 is refused with ${what}`, async (bench) => {
      const server = await bench.server(...USERS);
      const digest = await bench.digest();
      const proxy = { type: "SOCKS5", port: server.port, ...login } as const;
      const { code, stderr } = await python(bench, proxy, TALK, "127.0.0.1", digest.port);
      assertEquals(code, 1);
      assertMatch(stderr, error);
      assertEquals(digest.connections, 0);
    });
  }

  for (
    const [type, error] of [
      ["SOCKS4", /SOCKS4Error: 0x5b: Request rejected or failed/],
      ["SOCKS5", /SOCKS5Error: 0x05: Connection refused/],
    ] as const
  ) {
    it(`${type} is told that a port refused`, async (bench) => {
      const server = await bench.server();
      const { code, stderr } = await python(bench, { type, port: server.port }, TALK, "127.0.0.1", REFUSED_PORT);
      assertEquals(code, 1);
      assertMatch(stderr, error);
    });
  }
});

clients("PySocks over UDP", [PYSOCKS], (it) => {
  for (const host of ["127.0.0.1", "localhost", "::1"] as const) {
    it(`sends datagrams to ${host} and receives the answers`, async (bench) => {
      const server = await bench.server();
      const target = bench.use(await udpTarget(host === "::1" ? "::1" : "127.0.0.1"));
      const script = `
sock = udp()
for word in ("one", "two", "three"):
    sock.sendto(word.encode(), (sys.argv[2], int(sys.argv[3])))
    data, (host, port) = sock.recvfrom(2048)
    print(data.decode(), host, port == int(sys.argv[3]))
`;
      const from = host === "::1" ? "::1" : "127.0.0.1";
      const finished = await python(bench, { type: "SOCKS5", port: server.port }, script, host, target.port);
      assertPrinted(finished, `ONE ${from} True\nTWO ${from} True\nTHREE ${from} True\n`);
    });
  }

  it("talks to two targets over one association, and tells their answers apart", async (bench) => {
    const server = await bench.server();
    const targets = [bench.use(await udpTarget()), bench.use(await udpTarget())];
    const script = `
sock = udp()
ports = [int(port) for port in sys.argv[2:]]
for port in ports:
    sock.sendto(str(port).encode(), ("127.0.0.1", port))
answers = {sock.recvfrom(2048) for port in ports}
print(answers == {(str(port).encode(), ("127.0.0.1", port)) for port in ports})
`;
    const ports = targets.map(({ port }) => port);
    assertPrinted(await python(bench, { type: "SOCKS5", port: server.port }, script, ...ports), "True\n");
  });

  it("connects a UDP socket, and sends large, small and empty datagrams", async (bench) => {
    const server = await bench.server();
    const target = bench.use(await udpTarget());
    const script = `
sock = udp()
sock.connect(("127.0.0.1", int(sys.argv[2])))
for size in (0, 1, 512, 1400, 9000, 60000):
    sock.send(b"x" * size)
    print(sock.recv(65536) == b"X" * size)
`;
    const finished = await python(bench, { type: "SOCKS5", port: server.port }, script, target.port);
    assertPrinted(finished, "True\n".repeat(6));
  });

  it("keeps an association's datagrams out of another's", async (bench) => {
    const server = await bench.server();
    const target = bench.use(await udpTarget());
    const script = `
address = ("127.0.0.1", int(sys.argv[2]))
socks_ = [udp() for index in range(10)]
for round in range(3):
    for index, sock in enumerate(socks_):
        sock.sendto(f"from {index} in {round}".encode(), address)
    for index, sock in enumerate(socks_):
        assert sock.recvfrom(2048)[0].decode() == f"FROM {index} IN {round}"
print("apart")
`;
    assertPrinted(await python(bench, { type: "SOCKS5", port: server.port }, script, target.port), "apart\n");
  });

  it("logs in before it sends", async (bench) => {
    const server = await bench.server(...USERS);
    const target = bench.use(await udpTarget());
    const script = `
sock = udp()
sock.sendto(b"in", ("127.0.0.1", int(sys.argv[2])))
print(sock.recvfrom(2048)[0].decode())
`;
    const proxy = { type: "SOCKS5", port: server.port, username: "alice", password: "secret" } as const;
    assertPrinted(await python(bench, proxy, script, target.port), "IN\n");
  });

  it("is refused an association with a wrong password", async (bench) => {
    const server = await bench.server(...USERS);
    const proxy = { type: "SOCKS5", port: server.port, username: "alice", password: "wrong" } as const;
    const { code, stderr } = await python(bench, proxy, `udp().sendto(b"in", ("127.0.0.1", 9))`);
    assertEquals(code, 1);
    assertMatch(stderr, /SOCKS5AuthError/);
  });

  it("uses TCP and UDP at once", async (bench) => {
    const server = await bench.server();
    const [digest, target] = [await bench.digest(), bench.use(await udpTarget())];
    const script = `
stream, datagrams = tcp(), udp()
stream.connect(("127.0.0.1", int(sys.argv[2])))
datagrams.sendto(b"beside", ("127.0.0.1", int(sys.argv[3])))
stream.sendall(b"spoken by PySocks")
print(datagrams.recvfrom(2048)[0].decode())
stream.shutdown(socket.SHUT_WR)
sys.stdout.write(to_end(stream).decode())
`;
    const finished = await python(bench, { type: "SOCKS5", port: server.port }, script, digest.port, target.port);
    assertPrinted(finished, `BESIDE\n${TALKED}`);
  });
});

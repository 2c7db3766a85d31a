/** Standard input and output through proxies. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Bench, clients, file, program, sessionLine } from "../clients/_case.ts";
import { environment } from "../clients/_process.ts";
import { SSH_NEEDS, startSshd } from "../clients/_sshd.ts";
import { digestAnswer, listening, payload, REFUSED_PORT, sha256 } from "../clients/_targets.ts";

const MIB = 1024 * 1024;
const { username } = userInfo();

/** The program, started and talked to. It ends with its case. */
interface Talk {
  readonly child: ChildProcess & { readonly stdin: NonNullable<ChildProcess["stdin"]> };
  readonly stdout: NonNullable<ChildProcess["stdout"]>;
  /** The exit code. */
  readonly exited: Promise<number | null>;
}

function talk(bench: Bench, args: readonly string[]): Talk {
  const [name, ...words] = [...bench.runtime.command, "connect", ...args];
  const child = spawn(name!, words, { stdio: ["pipe", "pipe", "inherit"], env: environment() });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  child.stdin.on("error", () => {});
  bench.use({
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, "SIGKILL");
      await exited;
    },
  });
  return { child, stdout: child.stdout, exited };
}

/** Has a program talk over a socket pair: reads to its end, then sends 1 MiB and an end, and exits as it does. */
const ONE_SOCKET = `
import socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen(sys.argv[1:], stdin=theirs, stdout=theirs)
theirs.close()
said = b""
while chunk := ours.recv(65536): said += chunk
print(said.decode())
ours.sendall(bytes(1 << 20))
ours.shutdown(socket.SHUT_WR)
sys.exit(child.wait())
`;

/** A target whose first connection is the test's. */
async function target(bench: Bench): Promise<{ authority: string; came: Promise<Socket> }> {
  const server = createServer({ allowHalfOpen: true });
  const came = once(server, "connection").then(([socket]) => socket as Socket);
  const { authority } = bench.use(await listening(server));
  return { authority, came };
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The program as a shell has it run. */
function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

clients("ssh through connect", SSH_NEEDS, (it) => {
  const through = (bench: Bench, ...via: readonly string[]): readonly string[] => [
    "-o",
    `ProxyCommand=${quoted([...bench.runtime.command, "connect"])} %h:%p ${quoted(via)}`,
  ];

  it("runs a command on a host that the proxy looks up", async (bench) => {
    const [server, sshd] = [await bench.server(), await startSshd(bench)];
    const { port, options } = sshd;
    const proxy = through(bench, "--via", `socks5h://127.0.0.1:${server.port}`);
    const command = ["-p", `${port}`, `${username}@localhost`, "echo from the other side; cat; exit 7"];
    const { code, stdout, stderr } = await bench.run(["ssh", ...options, ...proxy, ...command], { input: "typed\n" });
    assertEquals([code, stdout, stderr], [7, "from the other side\ntyped\n", ""]);
    await sessionLine(server, `localhost:${port}`);
  });

  it("carries 8 MiB each way, through two proxies with a login in a file", async (bench) => {
    const [near, far] = [await bench.server(), await bench.server("--user", "ada:love, lace")];
    const { port, options } = await startSshd(bench);
    const proxies = join(await bench.folder(), "proxies");
    const login = `ada:${encodeURIComponent("love, lace")}`;
    await writeFile(
      proxies,
      `# nearest first\nsocks5://127.0.0.1:${near.port}\nsocks5h://${login}@127.0.0.1:${far.port}\n`,
    );
    const command = ["-p", `${port}`, `${username}@127.0.0.1`, "cat"];
    const { code, bytes } = await bench.run(["ssh", ...options, ...through(bench, "--via-file", proxies), ...command], {
      input: payload(8 * MIB),
    });
    assertEquals([code, sha256(bytes)], [0, sha256(payload(8 * MIB))]);
    await sessionLine(near, `127.0.0.1:${far.port}`);
    await sessionLine(far, `127.0.0.1:${port}`);
  }, { deadlineMs: 300_000 });

  it("hears from ssh's standard error what the proxy said", async (bench) => {
    const server = await bench.server();
    const proxy = through(bench, "--via", `socks5h://127.0.0.1:${server.port}`);
    const command = ["-F", "none", "-o", "BatchMode=yes", "-p", `${REFUSED_PORT}`, "nobody@127.0.0.1", "true"];
    const { code, stderr } = await bench.run(["ssh", ...proxy, ...command]);
    assertEquals(code, 255);
    assertStringIncludes(
      stderr,
      `Cannot go through proxy 1, "socks5h://127.0.0.1:${server.port}" (reply): connection refused (reply 5)`,
    );
  });
});

clients("connect", [], (it) => {
  const run = async (bench: Bench, args: readonly string[], input: Uint8Array | string = "", env = {}) =>
    await bench.run([...bench.runtime.command, "connect", ...args], { input, env });

  it("passes the end of standard input on, and what the target says after it", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    for (const scheme of ["socks4", "socks4a", "socks5", "socks5h"]) {
      const via = ["--via", `${scheme}://127.0.0.1:${server.port}`];
      const { code, stdout, stderr } = await run(bench, [digest.authority, ...via], payload(3 * MIB));
      assertEquals([code, stdout, stderr], [0, digestAnswer(payload(3 * MIB)), ""]);
    }
  });

  it("passes the end of the target on, while standard input goes on", async (bench) => {
    const server = await bench.server();
    const { authority, came } = await target(bench);
    const { child, stdout, exited } = talk(bench, [authority, "--via", `socks5h://127.0.0.1:${server.port}`]);
    const socket = await came;
    socket.end("goodbye");
    assertEquals(`${await bytesOf(stdout)}`, "goodbye");
    child.stdin.end(payload(MIB));
    assertEquals(sha256(await bytesOf(socket)), sha256(payload(MIB)));
    assertEquals(await exited, 0);
  });

  it("passes ends where standard input and output are one socket, as under socat and inetd", async (bench) => {
    const server = await bench.server();
    const { authority, came } = await target(bench);
    const via = `socks5h://127.0.0.1:${server.port}`;
    const command = [...bench.runtime.command, "connect", authority, "--via", via];
    const running = bench.run(["python3", "-c", ONE_SOCKET, ...command]);
    const socket = await came;
    socket.end("goodbye");
    assertEquals(sha256(await bytesOf(socket)), sha256(new Uint8Array(MIB)));
    const { code, stdout, stderr } = await running;
    assertEquals([code, stdout, stderr], [0, "goodbye\n", ""]);
  }, { needs: [program("python3")] });

  it("is slow when its reader is, and holds little meanwhile", async (bench) => {
    const server = await bench.server();
    const { authority, came } = await target(bench);
    const { child, stdout, exited } = talk(bench, [authority, "--via", `socks5h://127.0.0.1:${server.port}`]);
    const socket = await came;
    socket.resume();
    const block = payload(MIB);
    const BLOCKS = 384;
    const written = (async () => {
      for (let i = 0; i < BLOCKS; i++) if (!socket.write(block)) await once(socket, "drain");
      socket.end();
    })();
    // Until the target is held up, or, without backpressure, is done.
    const progress = () => socket.bytesWritten - socket.writableLength;
    for (let quiet = 0, before = -1; quiet < 10;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      quiet = progress() === before ? quiet + 1 : 0;
      before = progress();
    }
    assert(progress() < BLOCKS * MIB / 2, `${progress()} bytes went out`);
    let length = 0;
    for await (const chunk of stdout) length += (chunk as Uint8Array).length;
    await written;
    child.stdin.end();
    assertEquals([length, await exited], [BLOCKS * MIB, 0]);
  }, { deadlineMs: 300_000 });

  it("keeps nothing of what it has sent", async (bench) => {
    const server = await bench.server();
    const { authority, came } = await target(bench);
    const { child, exited } = talk(bench, [authority, "--via", viaOf(server.port)]);
    const socket = await came;
    socket.resume();
    const block = payload(MIB);
    const BLOCKS = 640;
    for (let i = 0; i < BLOCKS; i++) if (!child.stdin.write(block)) await once(child.stdin, "drain");
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    const most = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]);
    const ended = once(socket, "end");
    child.stdin.end();
    await ended;
    socket.end();
    assertEquals([socket.bytesRead, await exited], [BLOCKS * MIB, 0]);
    assert(most < BLOCKS * 1024 * 2 / 3, `it took ${most} KiB`);
  }, { needs: [file("/proc/self/status")], deadlineMs: 300_000 });

  it("resets the target and ends when its reader leaves", async (bench) => {
    const server = await bench.server();
    const { authority, came } = await target(bench);
    const { stdout, exited } = talk(bench, [authority, "--via", `socks5h://127.0.0.1:${server.port}`]);
    const socket = await came;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    stdout.destroy();
    const fill = () => {
      while (!socket.destroyed && socket.write(payload(65_536)));
    };
    socket.on("drain", fill);
    fill();
    await closed;
    assertEquals(await exited, 1);
  });

  it("says so when the file that it writes to takes no more", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const words = [...bench.runtime.command, "connect", digest.authority, "--via", viaOf(server.port)];
    const { code, stderr } = await bench.run(["sh", "-c", 'exec "$@" > /dev/full', "sh", ...words], { input: "abc" });
    assertEquals(code, 1);
    assertMatch(stderr, /^The connection .* broke: Cannot write to standard output: no space is left on the device\n$/);
  }, { needs: [file("/dev/full")] });

  it("says so when the connection breaks", async (bench) => {
    const server = await bench.server();
    const { authority, came } = await target(bench);
    const running = bench.start([...bench.runtime.command, "connect", authority, "--via", viaOf(server.port)]);
    const socket = await came;
    socket.write("half of");
    await running.waitForOutput(/half of/);
    socket.resetAndDestroy();
    await running.waitForOutput(/The connection to "127\.0\.0\.1:\d+" broke: .*reset/);
    const { code } = await running.end("");
    assertEquals(code, 1);
  });

  it("takes the proxy from the environment, and goes directly where it says so", async (bench) => {
    const server = await bench.server("--user", "ada:lovelace");
    const digest = await bench.digest();
    const url = `socks5h://ada:lovelace@127.0.0.1:${server.port}`;
    for (const name of ["SOCKS_VIA", "ALL_PROXY", "all_proxy"]) {
      const { code, stdout } = await run(bench, [digest.authority], "abc", { [name]: url });
      assertEquals([code, stdout], [0, digestAnswer(Buffer.from("abc"))]);
    }
    const away = { ALL_PROXY: `socks5h://127.0.0.1:${REFUSED_PORT}`, NO_PROXY: "127.0.0.1" };
    assertEquals((await run(bench, [digest.authority], "abc", away)).code, 0);
    const { code, stderr } = await run(bench, [`127.0.0.1:${REFUSED_PORT}`], "", away);
    assertEquals(code, 1);
    assertMatch(stderr, /^Cannot connect to "127\.0\.0\.1:\d+": connection refused\n$/);
  });

  it("names the proxy of a chain that failed, and never a password", async (bench) => {
    const [near, far] = [await bench.server(), await bench.server("--user", "ada:lovelace")];
    const via = [`socks5h://127.0.0.1:${near.port}`, `socks5h://ada:wrong-secret@127.0.0.1:${far.port}`];
    const { code, stderr } = await run(bench, ["127.0.0.1:9", ...via.flatMap((url) => ["--via", url])]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `Cannot go through proxy 2, "socks5h://127.0.0.1:${far.port}" (authentication): wrong user or password\n`,
    );
    const next = await run(bench, ["127.0.0.1:9", "--via", viaOf(near.port), "--via", viaOf(REFUSED_PORT)]);
    assertEquals(next.code, 1);
    assertMatch(
      next.stderr,
      /^Cannot go through proxy 1, .* \(reply\): connection refused \(reply 5, asked for proxy 2\)\n$/,
    );
    const gone = await run(bench, ["127.0.0.1:9", "--via", viaOf(REFUSED_PORT)]);
    assertEquals(gone.code, 1);
    assertMatch(
      gone.stderr,
      /^Cannot go through proxy 1, "socks5h:\/\/127\.0\.0\.1:3" \(dial\): .*connection refused\n$/,
    );
  });

  it("waits no longer than it was told", async (bench) => {
    const silent = bench.use(await listening(createServer()));
    const args = ["127.0.0.1:9", "--via", `socks5h://${silent.authority}`, "--timeout", "3s"];
    const { code, stderr } = await run(bench, args);
    assertEquals(code, 1);
    assertMatch(stderr, /\(greeting\): no end of it within 3000 ms\n$/);
  });
});

function viaOf(port: number): string {
  return `socks5h://127.0.0.1:${port}`;
}

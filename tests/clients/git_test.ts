import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { type Bench, clients, file, loggedSessions, program, sessionLine } from "./_case.ts";
import { environment, type Finished } from "./_process.ts";
import { listening, payload, REFUSED_PORT, sha256, type Target } from "./_targets.ts";

const MIB = 1024 * 1024;

const BACKEND = "/usr/lib/git-core/git-http-backend";

const GIT_ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Somebody",
  GIT_AUTHOR_EMAIL: "somebody@example.org",
  GIT_COMMITTER_NAME: "Somebody",
  GIT_COMMITTER_EMAIL: "somebody@example.org",
};

function git(bench: Bench, ...args: string[]): Promise<Finished> {
  return bench.run(["git", ...args], { env: GIT_ENVIRONMENT });
}

async function mustGit(bench: Bench, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await git(bench, ...args);
  assertEquals([code, code === 0 ? "" : stderr], [0, ""]);
  return stdout.trim();
}

/** A folder with `origin.git`, a bare repository of one commit that holds 4 MiB, and the name of that commit. */
async function origin(bench: Bench): Promise<{ root: string; head: string }> {
  const [root, work] = [await bench.folder(), await bench.folder()];
  await mustGit(bench, "init", "--quiet", "--initial-branch=main", work);
  await writeFile(join(work, "large"), payload(4 * MIB));
  await mustGit(bench, "-C", work, "add", "large");
  await mustGit(bench, "-C", work, "commit", "--quiet", "-m", "Add a large file");
  const bare = join(root, "origin.git");
  await mustGit(bench, "clone", "--quiet", "--bare", work, bare);
  await mustGit(bench, "-C", bare, "config", "http.receivepack", "true");
  await mustGit(bench, "-C", bare, "update-server-info");
  return { root, head: await mustGit(bench, "-C", work, "rev-parse", "HEAD") };
}

/** Answers one request by git's own CGI program. */
function smart(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://origin");
  const { "content-type": type, "content-length": length, "content-encoding": encoding } = request.headers;
  const protocol = request.headers["git-protocol"];
  const child = spawn(BACKEND, [], {
    env: environment({
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: type ?? "",
      ...length === undefined ? {} : { CONTENT_LENGTH: length },
      ...encoding === undefined ? {} : { HTTP_CONTENT_ENCODING: encoding },
      ...typeof protocol === "string" ? { HTTP_GIT_PROTOCOL: protocol } : {},
    }),
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  let head = "";
  const untilBody = (chunk: Buffer) => {
    // Buffer's latin1 keeps every byte; TextDecoder's is Windows-1252.
    head += chunk.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    child.stdout.off("data", untilBody);
    for (const line of head.slice(0, end).split("\r\n")) {
      const [name, value] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()];
      if (name.toLowerCase() === "status") response.statusCode = parseInt(value);
      else response.setHeader(name, value);
    }
    // What came along of the body.
    response.write(Buffer.from(head.slice(end + 4), "latin1"));
    child.stdout.pipe(response);
  };
  child.stdout.on("data", untilBody);
}

/** Answers one request with a file, as any web server does for git's dumb protocol. */
async function dumb(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://origin");
  try {
    response.end(await readFile(join(root, pathname)));
  } catch {
    response.statusCode = 404;
    response.end();
  }
}

async function serving(bench: Bench, root: string, answer: typeof smart | typeof dumb): Promise<Target> {
  const server = createServer((request, response) => void answer(root, request, response));
  return bench.use(await listening(server));
}

clients("git", [program("git"), file(BACKEND)], (it) => {
  for (const scheme of ["socks5h", "socks5", "socks4a", "socks4"]) {
    it(`clones from a smart HTTP server through ${scheme}://`, async (bench) => {
      const server = await bench.server();
      const { root, head } = await origin(bench);
      const http = await serving(bench, root, smart);
      const copy = join(await bench.folder(), "copy");
      const proxy = `http.proxy=${scheme}://127.0.0.1:${server.port}`;
      await mustGit(bench, "-c", proxy, "clone", "--quiet", `http://${http.authority}/origin.git`, copy);
      assertEquals(await mustGit(bench, "-C", copy, "rev-parse", "HEAD"), head);
      assertEquals(sha256(await readFile(join(copy, "large"))), sha256(payload(4 * MIB)));
      await loggedSessions(server, http);
    });
  }

  it("clones from a dumb HTTP server", async (bench) => {
    const server = await bench.server();
    const { root, head } = await origin(bench);
    const http = await serving(bench, root, dumb);
    const copy = join(await bench.folder(), "copy");
    const proxy = `http.proxy=socks5h://127.0.0.1:${server.port}`;
    await mustGit(bench, "-c", proxy, "clone", "--quiet", `http://${http.authority}/origin.git`, copy);
    assertEquals(await mustGit(bench, "-C", copy, "rev-parse", "HEAD"), head);
    await loggedSessions(server, http);
  });

  it("pushes 8 MiB to a host that the proxy looks up, as a user with a password", async (bench) => {
    const server = await bench.server("--user", "alice:secret");
    const { root } = await origin(bench);
    const http = await serving(bench, root, smart);
    const copy = join(await bench.folder(), "copy");
    const proxy = `http.proxy=socks5h://alice:secret@127.0.0.1:${server.port}`;
    const url = `http://localhost:${http.port}/origin.git`;
    await mustGit(bench, "-c", proxy, "clone", "--quiet", "--depth=1", url, copy);
    await writeFile(join(copy, "larger"), payload(8 * MIB));
    await mustGit(bench, "-C", copy, "add", "larger");
    await mustGit(bench, "-C", copy, "commit", "--quiet", "-m", "Add a larger file");
    await mustGit(bench, "-C", copy, "-c", proxy, "push", "--quiet", "origin", "main");
    const pushed = await mustGit(bench, "-C", copy, "rev-parse", "HEAD");
    assertEquals(await mustGit(bench, "-C", join(root, "origin.git"), "rev-parse", "main"), pushed);
    await loggedSessions(server, http, `localhost:${http.port}`);
  });

  it("clones from git's own daemon, with nc as core.gitProxy", async (bench) => {
    const server = await bench.server();
    const { root, head } = await origin(bench);
    const folder = await bench.folder();
    // The daemon serves on the socket it is given: the port is socat's to choose. Unless it is told to wait longer, socat
    // hangs up half a second after the client has said all that it has to say.
    const daemon = bench.start([
      ...["socat", "-d", "-d", "-t", "600", "TCP4-LISTEN:0,bind=127.0.0.1,fork"],
      `EXEC:git daemon --inetd --export-all --base-path=${root}`,
    ]);
    const listening = /listening on .*:(\d+)\n/;
    await daemon.waitForOutput(listening);
    const port = listening.exec(daemon.output())![1]!;
    const proxy = join(folder, "proxy");
    await writeFile(proxy, `#!/bin/sh\nexec nc -N -X 5 -x 127.0.0.1:${server.port} "$1" "$2"\n`);
    await chmod(proxy, 0o755);
    const copy = join(folder, "copy");
    const url = `git://127.0.0.1:${port}/origin.git`;
    await mustGit(bench, "-c", `core.gitProxy=${proxy}`, "clone", "--quiet", url, copy);
    assertEquals(await mustGit(bench, "-C", copy, "rev-parse", "HEAD"), head);
    await sessionLine(server, `127.0.0.1:${port}`);
  }, { needs: [program("nc"), program("socat")] });

  it("says that the proxy could not reach the server", async (bench) => {
    const server = await bench.server();
    const proxy = `http.proxy=socks5h://127.0.0.1:${server.port}`;
    const { code, stderr } = await git(bench, "-c", proxy, "ls-remote", `http://127.0.0.1:${REFUSED_PORT}/origin.git`);
    assertEquals(code, 128);
    assertMatch(stderr, /SOCKS5 connection to .*\(5\)/);
  });

  it("says that the password was wrong", async (bench) => {
    const server = await bench.server("--user", "alice:secret");
    const proxy = `http.proxy=socks5h://alice:wrong@127.0.0.1:${server.port}`;
    const { code, stderr } = await git(bench, "-c", proxy, "ls-remote", `http://127.0.0.1:${REFUSED_PORT}/origin.git`);
    assertEquals(code, 128);
    assertMatch(stderr, /User was rejected by the SOCKS5 server/);
  });
});

/** SOCKS servers of others, on loopback. */

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "../_free_port.ts";
import type { Bench } from "../clients/_case.ts";
import { run, start } from "../clients/_process.ts";
import { SSH_NEEDS, startSshd } from "../clients/_sshd.ts";
import { onPath } from "../conformance/_server.ts";

/** What ends with a test, the last first. Node 20 has no `AsyncDisposableStack`. */
export class Resources implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

/** A kind of server. */
export interface Peer {
  readonly name: string;
  /** Why it cannot run here. */
  readonly lack: string | undefined;
  /** What it can do. */
  readonly can: readonly ("socks4" | "socks4a" | "login" | "bind" | "udp" | "optimistic")[];
  /** Starts it; `login` asks for ada, lovelace. */
  start(resources: Resources, login?: boolean): Promise<number>;
}

const DANTED = "/usr/sbin/danted";

export const PEERS: readonly Peer[] = [
  {
    name: "Dante",
    lack: existsSync(DANTED) ? userInfo().uid === 0 ? undefined : "danted wants root" : "danted is not installed",
    // Its 1.4.2 rejects names in SOCKS4a, curl's too.
    can: ["socks4", "bind", "udp", "optimistic"],
    async start(resources) {
      const port = await freePort();
      const folder = await folderOf(resources);
      const path = join(folder, "danted.conf");
      await writeFile(
        path,
        `errorlog: ${join(folder, "errors")}
internal: 127.0.0.1 port = ${port}
external: 127.0.0.1
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: connect udpassociate bind }
socks pass { from: 0.0.0.0/0 to: 127.0.0.0/8 command: udpreply bindreply }
`,
      );
      return await daemon(resources, [DANTED, "-f", path, "-p", join(folder, "pid")], port);
    },
  },
  {
    name: "microsocks",
    lack: onPath("microsocks") === undefined ? "microsocks is not installed" : undefined,
    can: ["login"],
    async start(resources, login = false) {
      const port = await freePort();
      const users = login ? ["-u", "ada", "-P", "lovelace"] : [];
      return await daemon(resources, ["microsocks", "-i", "127.0.0.1", "-p", `${port}`, ...users], port);
    },
  },
  {
    name: "ssh -D",
    lack: SSH_NEEDS.map((need) => need()).find((reason) => reason !== undefined),
    can: ["socks4", "socks4a", "optimistic"],
    async start(resources) {
      const signal = AbortSignal.timeout(PATIENCE);
      const sshd = await startSshd({
        folder: () => folderOf(resources),
        run: (command: readonly string[]) => run(command, { signal }),
        start: (command: readonly string[]) => resources.use(start(command, { signal })),
      } as unknown as Bench);
      const port = await freePort();
      const to = ["-p", `${sshd.port}`, "127.0.0.1"];
      return await daemon(resources, ["ssh", "-N", "-D", `127.0.0.1:${port}`, ...sshd.options, ...to], port);
    },
  },
];

/** Why Tor cannot run here. */
export const TOR_LACK: string | undefined = onPath("tor") === undefined ? "tor is not installed" : undefined;

/** Starts a Tor that reaches nobody, and knows the address of `web.test`: 203.0.113.80. */
export async function startTor(resources: Resources): Promise<number> {
  const port = await freePort();
  const folder = await folderOf(resources);
  const path = join(folder, "torrc");
  await writeFile(
    path,
    `SocksPort 127.0.0.1:${port}
DataDirectory ${join(folder, "data")}
Socks5Proxy 127.0.0.1:1
MapAddress web.test 203.0.113.80
`,
  );
  return await daemon(resources, ["tor", "-f", path, "--defaults-torrc", "/dev/null"], port);
}

/** How long a program may take to listen, in milliseconds: what takes longer never will. */
const PATIENCE = 120_000;

/** Starts a program and waits until it takes connections. */
async function daemon(resources: Resources, command: readonly string[], port: number): Promise<number> {
  const running = resources.use(start(command, { signal: AbortSignal.timeout(PATIENCE) }));
  // It need not say that it listens; when it ends, or nothing comes of it, what waits for its output fails.
  let isOver = false;
  const failed = running.waitForOutput(/^(?!)/).finally(() => isOver = true);
  const listens = (async () => {
    while (!isOver && !await answers(port)) await new Promise((resolve) => setTimeout(resolve, 50));
  })();
  await Promise.race([listens, failed]);
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true))).once("error", () => resolve(false));
  });
}

async function folderOf(resources: Resources): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "socks-client-"));
  resources.defer(() => rm(path, { recursive: true, force: true }));
  return path;
}

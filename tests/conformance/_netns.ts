/**
 * Network namespaces: small machines of their own, in which any address may be used since nothing leads out of them.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { repository, succeeds } from "./_server.ts";
import { type To, Wire, within } from "./_client.ts";

let counter = 0;

/** Why no namespace can be made here; `undefined` when one can. */
export const noNamespaces: string | undefined = (() => {
  if (process.platform !== "linux") return "network namespaces are of Linux alone";
  removeLeftovers();
  const name = nextName();
  if (!succeeds("ip", "netns", "add", name)) return "network namespaces need root and iproute2";
  const works = succeeds("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1");
  succeeds("ip", "netns", "del", name);
  return works ? undefined : "virtual Ethernet devices cannot be made here";
})();

/** Removes what a test run left behind that was killed. */
function removeLeftovers(): void {
  for (const folder of ["/run/netns", "/etc/netns"]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const [, owner] = /^socks-(\d+)-\d+-\d+$/.exec(name) ?? [];
      if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
      succeeds("ip", "netns", "del", name);
      rmSync(join("/etc/netns", name), { recursive: true, force: true });
    }
  }
}

function nextName(): string {
  return `socks-${process.pid}-${Date.now() % 100_000}-${counter++}`;
}

/** A namespace, removed when disposed. */
export class Namespace implements Disposable {
  /** Its name. */
  readonly name: string = nextName();
  readonly #children: (() => void)[] = [];
  #gate: Promise<string> | undefined;

  /** @param commands What `ip` shall do in it, such as `link set lo up`. */
  constructor(commands: readonly string[]) {
    if (!succeeds("ip", "netns", "add", this.name)) throw new Error(`Cannot make the namespace "${this.name}"`);
    for (const command of commands) {
      if (!succeeds("ip", "-n", this.name, ...command.split(" "))) {
        this[Symbol.dispose]();
        throw new Error(`Cannot configure the namespace: ip ${command}`);
      }
    }
  }

  /** What runs a command in it. */
  get prefix(): string[] {
    return ["ip", "netns", "exec", this.name];
  }

  /**
   * Connects to an address as a client inside the namespace, through a small process in there.
   *
   * @param to Where to.
   * @param from The local address.
   * @param folder A folder for the UNIX socket that leads into the namespace.
   * @param resetAtEnd Whether the end of the stream (by {@linkcode Wire.close} or FIN) resets the connection in there.
   */
  async connect(to: To, from: string, folder: string, resetAtEnd = false): Promise<Wire> {
    const path = await (this.#gate ??= this.#openGate(join(folder, `${this.name}.sock`)));
    const wire = await Wire.connect({ host: "", port: 0, path });
    await wire.send(`${JSON.stringify({ host: to.host, port: to.port, localAddress: from, resetAtEnd })}\n`);
    return wire;
  }

  async #openGate(path: string): Promise<string> {
    await this.#run("_gate.ts", path);
    return path;
  }

  /**
   * Makes 127.0.0.1 the name server of the namespace's programs, with the names of `_names.ts`. To be called before the
   * programs that are to use it are started.
   *
   * @param forbiddenPort A TCP port that listens on all its addresses, and that nobody from elsewhere should reach.
   */
  async serveNames(forbiddenPort: number): Promise<void> {
    mkdirSync(this.#etc, { recursive: true });
    writeFileSync(join(this.#etc, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:30 attempts:2\n");
    writeFileSync(join(this.#etc, "nsswitch.conf"), "hosts: files dns\n");
    await this.#run("_names.ts", `${forbiddenPort}`);
  }

  /** What `ip netns exec` puts in place of the files of the same name in `/etc`. */
  get #etc(): string {
    return join("/etc/netns", this.name);
  }

  /** Starts a script of this folder in the namespace and waits for its first output. */
  async #run(script: string, argument: string): Promise<void> {
    const [program, ...args] = [...this.prefix, process.execPath, "run", "-A", "--no-check"];
    const child = spawn(program!, [...args, join(repository, "tests/conformance", script), argument], {
      // Its standard input is a pipe from here: at its end, whatever the reason, the script ends too.
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin!.on("error", () => {});
    this.#children.push(() => child.stdin!.end());
    const started = new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`${script} ended in the namespace`)));
      child.stdout!.on("data", () => resolve());
    });
    await within(120_000, `${script} in the namespace`, started);
  }

  [Symbol.dispose](): void {
    for (const end of this.#children) end();
    succeeds("ip", "netns", "del", this.name);
    rmSync(this.#etc, { recursive: true, force: true });
  }
}

/**
 * Network namespaces: small machines of their own, in which any address may be used since nothing leads out of them.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { repository, succeeds } from "./_server.ts";
import { type To, Wire, within } from "./_client.ts";

let counter = 0;

/** Why no namespace can be made here; `undefined` when one can. */
export const noNamespaces: string | undefined = (() => {
  if (process.platform !== "linux") return "network namespaces are of Linux alone";
  const name = nextName();
  if (!succeeds("ip", "netns", "add", name)) return "network namespaces need root and iproute2";
  const works = succeeds("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1");
  succeeds("ip", "netns", "del", name);
  return works ? undefined : "virtual Ethernet devices cannot be made here";
})();

function nextName(): string {
  return `socks-${process.pid}-${Date.now() % 100_000}-${counter++}`;
}

/** A namespace, removed when disposed. */
export class Namespace implements Disposable {
  /** Its name. */
  readonly name: string = nextName();
  #gate: { stop: () => void; path: string } | undefined;

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
    this.#gate ??= await this.#openGate(join(folder, `${this.name}.sock`));
    const wire = await Wire.connect({ host: "", port: 0, path: this.#gate.path });
    await wire.send(`${JSON.stringify({ host: to.host, port: to.port, localAddress: from, resetAtEnd })}\n`);
    return wire;
  }

  async #openGate(path: string): Promise<{ stop: () => void; path: string }> {
    const [program, ...args] = [...this.prefix, process.execPath, "run", "-A", "--no-check"];
    const child = spawn(program!, [...args, join(repository, "tests/conformance/_gate.ts"), path], {
      // Its standard input is a pipe from here: at its end, whatever the reason, the gate ends too.
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin!.on("error", () => {});
    const opened = new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error("The gate into the namespace ended")));
      child.stdout!.once("data", () => resolve());
    });
    await within(20_000, "the gate into the namespace", opened);
    return { path, stop: () => child.stdin!.end() };
  }

  [Symbol.dispose](): void {
    this.#gate?.stop();
    succeeds("ip", "netns", "del", this.name);
  }
}

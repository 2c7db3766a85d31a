/**
 * A service manager, as far as a service sees one: a socket that takes notifications.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./_client.ts";
import { onPath } from "./_server.ts";

/** Why no service manager can be played here; `undefined` if it can. */
export const noNotifications: string | undefined = ["python3", "systemd-notify"].find((program) =>
  onPath(program) === undefined
)?.concat(" is not installed");

/** Takes datagrams, writes each on a line and closes the descriptors that come along, which the sender waits for. */
const RECEIVER = `
import array, json, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
while True:
    data, ancillary, _, _ = manager.recvmsg(65536, socket.CMSG_SPACE(64))
    for _, kind, fds in ancillary:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array("i", fds): __import__("os").close(fd)
    if data != b"BARRIER=1": print(json.dumps(data.decode().split("\\n")), flush=True)
`;

/** A service manager that listens; `next` is the next notification that it takes. */
export class ServiceManager implements AsyncDisposable {
  /** What the service finds as `NOTIFY_SOCKET`. */
  readonly socket: string;
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  /** @param folder Where its socket is. */
  constructor(folder: string) {
    this.socket = join(folder, `notify-${crypto.randomUUID().slice(0, 8)}`);
    this.#child = spawn("python3", ["-c", RECEIVER, this.socket], { stdio: ["ignore", "pipe", "inherit"] });
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Waits until it listens. */
  async listening(): Promise<this> {
    await eventually("the service manager's socket", () => {
      if (this.#child.exitCode !== null) throw new Error(`The service manager ended with ${this.#child.exitCode}`);
      return existsSync(this.socket);
    });
    return this;
  }

  /** The variables of the next notification. */
  async next(): Promise<readonly string[]> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("The service manager ended");
    return JSON.parse(value);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill();
    await ended;
  }
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncIterator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

import type { TargetPorts } from "./load/job.ts";
import { fileURLToPath } from "node:url";

/** The target of all tunnels, in a process of its own. */
export class TargetProcess {
  /** Where it listens. */
  readonly ports: TargetPorts;
  #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, ports: TargetPorts) {
    this.#process = process;
    this.ports = ports;
  }

  /** Starts the process; it also ends if this one does, whatever the reason: it reads our end of its standard input. */
  static async start(): Promise<TargetProcess> {
    const script = fileURLToPath(new URL("./load/target.ts", import.meta.url));
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--unstable-net", script],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = "";;) {
      const { value, done } = await lines.read();
      if (done) throw new Error("Cannot start the target: it ended");
      text += value;
      if (!text.endsWith("\n")) continue;
      lines.releaseLock();
      return new TargetProcess(process, JSON.parse(text));
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
  }
}

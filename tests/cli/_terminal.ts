import type { Terminal } from "../../src/cli/terminal.ts";

/** A terminal that keeps what was written, with the files of `files`. */
export class FakeTerminal implements Terminal {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly isLive = false;
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #files: Readonly<Record<string, string>>;

  constructor(files: Readonly<Record<string, string>> = {}, columns?: number, env: Record<string, string> = {}) {
    this.env = env;
    this.#files = files;
    this.columns = columns;
  }

  out(line: string): void {
    this.stdout.push(line);
  }

  err(line: string): void {
    this.stderr.push(line);
  }

  readFile = (path: string): Promise<Uint8Array> => {
    const text = this.#files[path];
    return text === undefined
      ? Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }))
      : Promise.resolve(new TextEncoder().encode(text));
  };
}

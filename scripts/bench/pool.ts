import { Instance } from "./servers/instance.ts";
import type { Candidate } from "./servers/server.ts";

/** The servers that run, each started when it is first needed. */
export class Pool {
  #folder: string;
  #instances = new Map<string, Instance>();

  /** Starts servers with their files in a folder. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A running instance; a new one if `fresh`, or if the former one has ended. */
  async get(candidate: Candidate, fresh: boolean): Promise<Instance> {
    const former = this.#instances.get(candidate.id);
    if (former?.alive && !fresh) return former;
    await this.drop(candidate);
    const instance = await Instance.start(candidate, this.#folder);
    this.#instances.set(candidate.id, instance);
    return instance;
  }

  /** Ends a server, if it runs. */
  async drop({ id }: Candidate): Promise<void> {
    await this.#instances.get(id)?.stop();
    this.#instances.delete(id);
  }

  /** Ends all servers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#instances.values()].map((instance) => instance.stop()));
    this.#instances.clear();
  }
}

/** One program to start for a server. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** The port on which it listens when it is ready. */
  readonly port: number;
  /** Whether it has nothing to say that would explain a failure, and says much. */
  readonly silenced?: boolean;
}

/** A server that can be measured. */
export interface Candidate {
  /** Its name on the command line. */
  readonly id: string;
  /** Its name in tables. */
  readonly label: string;
  /** What it is in the first line: a name and a version. */
  readonly version: string;
  /** Whether it is this project's. */
  readonly ours: boolean;
  /** Whether it relays UDP. */
  readonly udp: boolean;
  /** Something to know about how it runs. */
  readonly note?: string;
  /**
   * Prepares a start: the programs to start, one after the other. The last one is the SOCKS server.
   *
   * @param folder An empty folder for its files.
   * @param port The port of 127.0.0.1 on which it has to listen.
   */
  prepare(folder: string, port: number): Promise<readonly Program[]>;
}

/** A server that cannot be measured, and why. */
export interface Missing {
  readonly id: string;
  readonly label: string;
  readonly reason: string;
}

/** Whether a server can be measured. */
export function isCandidate(found: Candidate | Missing): found is Candidate {
  return "prepare" in found;
}

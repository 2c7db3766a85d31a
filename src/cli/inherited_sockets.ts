/**
 * Sockets that systemd opened for us (`sd_listen_fds(3)`).
 *
 * @module
 */

/** A socket that listens already. */
export interface InheritedListener {
  /** Its file descriptor. */
  readonly fd: number;
  /** Its name, if it was given one: `FileDescriptorName=`. */
  readonly name?: string | undefined;
}

/** The first descriptor that is handed down. */
const FIRST = 3;

/** More than this is no number of sockets. */
const MOST = 1024;

/** What systemd calls sockets that have no name of their own. */
const NAMELESS = ["", "unknown"];

/**
 * Takes the sockets that were handed down to this process, and their announcement out of the environment: what this
 * process starts must not take them for its own.
 *
 * @param env The environment; `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` are read and deleted.
 * @param pid The id of this process.
 * @returns The sockets; none if they are for another process.
 * @throws {RangeError} If the number of sockets is none.
 */
export function takeInheritedSockets(env: Record<string, string | undefined>, pid: number): InheritedListener[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"]) delete env[name];
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return [];
  const count = /^\d{1,4}$/.test(LISTEN_FDS) ? Number(LISTEN_FDS) : NaN;
  if (!(count <= MOST)) {
    throw new RangeError(`LISTEN_FDS: found ${JSON.stringify(LISTEN_FDS)}, expected a number of sockets`);
  }
  const names = (LISTEN_FDNAMES ?? "").split(":");
  return Array.from({ length: count }, (_, index) => {
    const name = names[index] ?? "";
    return NAMELESS.includes(name) ? { fd: FIRST + index } : { fd: FIRST + index, name };
  });
}

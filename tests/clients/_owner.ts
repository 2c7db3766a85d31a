/**
 * Finds out from /proc which process a loopback connection comes from.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The tables that hold the sockets of a loopback address, and the address as they write it. */
const TABLES = {
  "127.0.0.1": [
    { path: "/proc/net/tcp", address: "0100007F" },
    { path: "/proc/net/tcp6", address: "0000000000000000FFFF00000100007F" },
  ],
  "::1": [{ path: "/proc/net/tcp6", address: "00000000000000000000000001000000" }],
} as const;

/** The two ends of a connection over a loopback address. */
export interface Ends {
  /** The address of both. */
  readonly host: keyof typeof TABLES;
  /** The port it was accepted on. */
  readonly accepted: number;
  /** The port it came from. */
  readonly from: number;
}

/**
 * Whether a process holds the far end of a connection that was accepted here.
 *
 * @param pid The process.
 * @param ends The connection.
 */
export function ownsConnection(pid: number, ends: Ends): boolean {
  const inode = inodeOf(ends);
  return inode !== undefined && readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === `socket:[${inode}]`;
    } catch {
      // Closed since the folder was read.
      return false;
    }
  });
}

/** The inode of the far end's socket. Tables hold tens of thousands of lines at times, so they are not split. */
function inodeOf({ host, accepted, from }: Ends): string | undefined {
  for (const { path, address } of TABLES[host]) {
    const table = readFileSync(path, "latin1");
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    const at = table.indexOf(`${address}:${hex(from)} ${address}:${hex(accepted)} `);
    if (at >= 0) return table.slice(at, table.indexOf("\n", at)).split(/\s+/)[8];
  }
  return undefined;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

/**
 * Finds out from /proc which process a loopback connection comes from.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * Whether a process holds the far end of a connection that was accepted here.
 *
 * @param pid The process.
 * @param ends The port it was accepted on, and the port it came from.
 */
export function ownsConnection(pid: number, ends: { readonly accepted: number; readonly from: number }): boolean {
  const inodes = new Set<string>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of readFileSync(`/proc/net/${table}`, "utf8").split("\n").slice(1)) {
      // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
      const fields = line.trim().split(/\s+/);
      if (port(fields[1]) === ends.from && port(fields[2]) === ends.accepted) inodes.add(fields[9]!);
    }
  }
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    } catch {
      // Closed since the folder was read.
    }
  }
  return false;
}

function port(address: string | undefined): number {
  return parseInt(address?.split(":")[1] ?? "", 16);
}

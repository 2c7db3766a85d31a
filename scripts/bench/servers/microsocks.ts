import { askCommand, findCommand } from "./commands.ts";
import type { Candidate, Missing } from "./server.ts";

/** microsocks: one thread per connection. */
export async function findMicrosocks(): Promise<Candidate | Missing> {
  const [id, label] = ["microsocks", "microsocks"];
  const command = await findCommand("microsocks");
  if (command === undefined) return { id, label, reason: "install the Debian package microsocks" };
  // It cannot tell its version.
  const version = await askCommand("dpkg-query", ["-W", "-f=${Version}", "microsocks"], /^([\d.]+)/);
  return {
    id,
    label,
    version: `microsocks ${version}`.trim(),
    ours: false,
    udp: false,
    // It writes a line for each connection.
    prepare: (_folder, port) =>
      Promise.resolve([{ command, args: ["-i", "127.0.0.1", "-p", `${port}`], port, silenced: true }]),
  };
}

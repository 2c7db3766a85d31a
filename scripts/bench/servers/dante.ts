import { askCommand, findCommand } from "./commands.ts";
import type { Candidate, Missing } from "./server.ts";
import { join } from "node:path";

/** Dante: processes of several kinds, each serving some clients. */
export async function findDante(): Promise<Candidate | Missing> {
  const [id, label] = ["dante", "Dante"];
  const command = await findCommand("danted", "sockd");
  if (command === undefined) return { id, label, reason: "install the Debian package dante-server" };
  const version = await askCommand(command, ["-v"], /v(\d[\d.]*\d)/);
  return {
    id,
    label,
    version: `Dante ${version}`.trim(),
    ours: false,
    udp: true,
    prepare: async (folder, port) => {
      const config = join(folder, "danted.conf");
      await Deno.writeTextFile(config, configuration(folder, port));
      // -N: one main process for each core of a small machine.
      return [{ command, args: ["-N", "2", "-f", config, "-p", join(folder, "danted.pid")], port }];
    },
  };
}

/** Loopback alone, no login, no lines about clients. */
function configuration(folder: string, port: number): string {
  const users = Deno.uid() === 0 ? "user.privileged: root\nuser.unprivileged: nobody" : "";
  return `errorlog: ${join(folder, "danted.err")}
internal: 127.0.0.1 port = ${port}
external: 127.0.0.1
socksmethod: none
clientmethod: none
${users}
child.maxrequests: 0
timeout.negotiate: 30
timeout.io: 0
timeout.tcp_fin_wait: 30
client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: connect udpassociate bind }
socks pass { from: 0.0.0.0/0 to: 127.0.0.0/8 command: udpreply bindreply }
`;
}

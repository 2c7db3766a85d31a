import { runOrThrow } from "../../_run.ts";
import { askCommand, findCommand } from "./commands.ts";
import { freePort } from "./ports.ts";
import type { Candidate, Missing, Program } from "./server.ts";
import { join } from "node:path";
import { userInfo } from "node:os";

/** ssh -D and a private sshd, both counted: encryption is what such a tunnel is made of. */
export async function findSsh(): Promise<Candidate | Missing> {
  const [id, label] = ["ssh", "ssh -D"];
  const [ssh, sshd, keygen] = await Promise.all(["ssh", "sshd", "ssh-keygen"].map((name) => findCommand(name)));
  if (!ssh || !keygen) return { id, label, reason: "install the Debian package openssh-client" };
  if (!sshd) return { id, label, reason: "install the Debian package openssh-server" };
  const version = await askCommand(ssh, ["-V"], /OpenSSH_([\w.]+)/);
  return {
    id,
    label,
    version: `OpenSSH ${version}`.trim(),
    ours: false,
    udp: false,
    note: "ssh -D counts the client and the server: both ends of its encryption.",
    prepare: async (folder, port) => {
      const daemonPort = freePort();
      await makeKeys(keygen, folder);
      await Deno.writeTextFile(join(folder, "sshd.conf"), configuration(folder, daemonPort));
      return [
        { command: sshd, args: ["-D", "-e", "-f", join(folder, "sshd.conf")], port: daemonPort },
        clientProgram(ssh, folder, daemonPort, port),
      ];
    },
  };
}

/** Two key pairs: the server's and the client's. */
async function makeKeys(keygen: string, folder: string): Promise<void> {
  await Deno.chmod(folder, 0o700);
  for (const name of ["host", "client"]) {
    await runOrThrow(keygen, ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  }
  // As root it wants this folder, which the system's service makes when it starts.
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
}

/** Nothing of the machine's own configuration, keys or accounts is read or changed. */
function configuration(folder: string, port: number): string {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${join(folder, "host")}
PidFile none
AuthorizedKeysFile ${join(folder, "client.pub")}
PasswordAuthentication no
UsePAM no
StrictModes no
AllowTcpForwarding yes
PermitRootLogin prohibit-password
LogLevel ERROR
`;
}

function clientProgram(ssh: string, folder: string, daemonPort: number, port: number): Program {
  const options = {
    IdentitiesOnly: "yes",
    StrictHostKeyChecking: "no",
    UserKnownHostsFile: join(folder, "known"),
    LogLevel: "ERROR",
    ControlMaster: "no",
    // The fastest one where the CPU has AES instructions.
    Ciphers: "aes128-gcm@openssh.com",
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const login = `${userInfo().username}@127.0.0.1`;
  const args = ["-N", "-F", "none", "-D", `127.0.0.1:${port}`, "-p", `${daemonPort}`, "-i", join(folder, "client")];
  return { command: ssh, args: [...args, ...flags, login], port };
}

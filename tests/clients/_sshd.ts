/**
 * An SSH server on loopback with keys of its own.
 *
 * @module
 */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "../_free_port.ts";
import { type Bench, file, program } from "./_case.ts";

/** sshd must be started by its full path. */
const SSHD = "/usr/sbin/sshd";

/** What cases with SSH need. */
export const SSH_NEEDS = [program("ssh"), program("scp"), program("ssh-keygen"), file(SSHD), program("nc")];

/** A running SSH server and how clients reach it. */
export interface SshServer {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Options for `ssh` and `scp`: the keys, and no file of the user's. */
  readonly options: readonly string[];
  /** The folder of its keys: `host_key.pub`, and the user's `user_key`. */
  readonly folder: string;
}

/** Starts sshd for one case. */
export async function startSshd(bench: Bench): Promise<SshServer> {
  const folder = await bench.folder();
  const at = (name: string) => join(folder, name);
  for (const key of ["host_key", "user_key"]) {
    const { code, stderr } = await bench.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at(key)]);
    if (code !== 0) throw new Error(`Cannot create a key: ${stderr}`);
  }
  const { stdout: userKey } = await bench.run(["cat", at("user_key.pub")]);
  const { stdout: hostKey } = await bench.run(["cat", at("host_key.pub")]);
  const port = await freePort();
  await writeFile(at("authorized_keys"), userKey);
  await chmod(at("authorized_keys"), 0o600);
  await writeFile(at("known_hosts"), `server-under-test ${hostKey}`);
  await writeFile(
    at("sshd_config"),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${at("host_key")}`,
      `AuthorizedKeysFile ${at("authorized_keys")}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "UseDNS no",
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      "MaxStartups 100",
      "LoginGraceTime 0",
      "Subsystem sftp internal-sftp",
      "",
    ].join("\n"),
  );
  // Where sshd separates its privileges; the package leaves its creation to the system's start.
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const daemon = bench.start([SSHD, "-D", "-e", "-f", at("sshd_config")]);
  await daemon.waitForOutput(/Server listening on 127\.0\.0\.1/);
  return {
    port,
    folder,
    options: [
      ...["-F", "none", "-i", at("user_key")],
      ...["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "HostKeyAlias=server-under-test"],
      `UserKnownHostsFile=${at("known_hosts")}`,
      "GlobalKnownHostsFile=/dev/null",
    ].flatMap((option) => option.includes("=") ? ["-o", option] : [option]),
  };
}

/** The option that has `ssh` and `scp` go through a SOCKS server. */
export function throughProxy(proxyPort: number, version: 4 | 5 = 5): readonly string[] {
  return ["-o", `ProxyCommand=nc -X ${version} -x 127.0.0.1:${proxyPort} %h %p`];
}

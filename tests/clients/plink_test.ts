import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Bench, clients, program, sessionLine } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { SSH_NEEDS, type SshServer, startSshd } from "./_sshd.ts";

const { username } = userInfo();

/** Settings with these users, in a file of the case's own. */
async function serverWith(bench: Bench, users: readonly object[], more: object = {}) {
  const path = join(await bench.folder(), "settings.json");
  await writeFile(path, JSON.stringify({ users, ...more }), { mode: 0o600 });
  return await bench.server("--config", path);
}

/** What PuTTY's client needs of the SSH server: the user's key in its form, and the host's fingerprint. */
async function keysFor(bench: Bench, { folder }: SshServer): Promise<readonly string[]> {
  const key = join(folder, "user_key.ppk");
  const made = await bench.run(["puttygen", join(folder, "user_key"), "-O", "private", "-o", key]);
  assertEquals(made.code, 0, made.stderr);
  const { stdout } = await bench.run(["ssh-keygen", "-lf", join(folder, "host_key.pub")]);
  return ["-i", key, "-hostkey", stdout.split(" ")[1]!];
}

/** Runs a command over SSH with PuTTY's client, through a SOCKS5 proxy with a login. */
async function plink(
  bench: Bench,
  proxyPort: number,
  [user, password]: readonly [string, string],
  sshd: SshServer,
  input = "",
): Promise<Finished> {
  const folder = await bench.folder();
  await mkdir(join(folder, "sessions"));
  // The proxy is a part of a stored session; 2 is SOCKS5.
  const session = {
    ProxyMethod: 2,
    ProxyHost: "127.0.0.1",
    ProxyPort: proxyPort,
    ProxyUsername: user,
    ProxyPassword: password,
    ProxyLocalhost: 1,
    ProxyDNS: 2,
  };
  const lines = Object.entries(session).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, "sessions", "proxied"), lines.join(""));
  const keys = await keysFor(bench, sshd);
  const command = ["plink", "-load", "proxied", "-batch", ...keys, "-P", `${sshd.port}`, `${username}@127.0.0.1`];
  return await bench.run([...command, "echo from the other side; cat; exit 7"], { env: { PUTTYDIR: folder }, input });
}

const ADA = { name: "ada", chapSecret: "love lace/@é" };

clients("plink", [...SSH_NEEDS, program("plink"), program("puttygen")], (it) => {
  it("logs in by CHAP and reaches an SSH server", async (bench) => {
    const [server, sshd] = [await serverWith(bench, [ADA], { auth: { chap: true } }), await startSshd(bench)];
    const { code, stdout, stderr } = await plink(bench, server.port, ["ada", ADA.chapSecret], sshd, "what was typed\n");
    assertEquals([code, stdout, stderr], [7, "from the other side\nwhat was typed\n", ""]);
    assertMatch(await sessionLine(server, `127.0.0.1:${sshd.port}`), / ada connect /);
  });

  it("is refused with a wrong secret, and as somebody unknown", async (bench) => {
    const [server, sshd] = [await serverWith(bench, [ADA]), await startSshd(bench)];
    for (const login of [["ada", "babbage"], ["eve", ADA.chapSecret]] as const) {
      const { code, stdout, stderr } = await plink(bench, server.port, login, sshd);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, "SOCKS 5 CHAP authentication failed");
      await server.waitForOutput(
        new RegExp(`login refused: Cannot log in as "${login[0]}": unknown user or wrong secret`),
      );
    }
  });

  it("is refused without a look after too many wrong secrets", async (bench) => {
    const logins = { attempts: 2, within: "10m", refuseFor: "10m" };
    const [server, sshd] = [await serverWith(bench, [ADA], { logins }), await startSshd(bench)];
    for (let i = 0; i < 2; i++) await plink(bench, server.port, ["ada", "babbage"], sshd);
    const { code } = await plink(bench, server.port, ["ada", ADA.chapSecret], sshd);
    assertEquals(code, 1);
    await server.waitForOutput(/Cannot log in as "ada": too many failed logins from 127\.0\.0\.1/);
  });

  it("logs in by password where the server has nobody with a secret for CHAP", async (bench) => {
    const [server, sshd] = [await serverWith(bench, [{ name: "ada", password: "pw" }]), await startSshd(bench)];
    const { code } = await plink(bench, server.port, ["ada", "pw"], sshd);
    assertEquals(code, 7);
  });
});

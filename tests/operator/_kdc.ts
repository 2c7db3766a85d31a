/**
 * A realm of Kerberos: a key distribution centre on loopback, with principals, keytabs and tickets.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../_free_port.ts";
import { run } from "../clients/_process.ts";
import { succeeds } from "../conformance/_server.ts";

/** The system's own Python, which has Debian's modules. */
export const PYTHON = "/usr/bin/python3";

/** Why there can be no realm here; `undefined` if there can. */
export const noKerberos: string | undefined = lackOfKerberos();

function lackOfKerberos(): string | undefined {
  for (const program of ["/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local", "/usr/bin/kinit"]) {
    if (!existsSync(program)) return `${program} is not installed`;
  }
  return succeeds(PYTHON, "-c", "import gssapi") ? undefined : "python3-gssapi is not installed";
}

/** How long a program may take, in milliseconds: what takes longer hangs. */
const PATIENCE = 120_000;

/** What programs of the realm find in their environment. */
export type RealmEnvironment = Readonly<Record<string, string>>;

/** A realm and its KDC. */
export class Kdc implements AsyncDisposable {
  /** Its name. */
  readonly realm: string;
  /** Where its files are. */
  readonly folder: string;
  readonly #kdc: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(realm: string, folder: string, kdc: ChildProcess, ended: Promise<unknown>) {
    this.realm = realm;
    this.folder = folder;
    this.#kdc = kdc;
    this.#ended = ended;
  }

  /** Starts one, with the users alice and bob and the service rcmd/localhost. */
  static async start(realm = "TEST.LOCAL"): Promise<Kdc> {
    const folder = mkdtempSync(join(tmpdir(), "socks-kdc-"));
    const port = await freePort();
    mkdirSync(join(folder, "rcache"));
    writeFileSync(join(folder, "krb5.conf"), krb5Conf(realm, port));
    writeFileSync(join(folder, "strict.conf"), krb5Conf(realm, port, "clockskew = 1\n"));
    writeFileSync(join(folder, "kdc.conf"), kdcConf(realm, port, folder));
    writeFileSync(join(folder, "acl"), "");
    const env = environmentOf(folder);
    await must(["/usr/sbin/kdb5_util", "create", "-s", "-P", "masterpw", "-r", realm], env);
    const orders = [
      "addprinc -randkey alice",
      "addprinc -randkey bob/admin",
      "addprinc -randkey rcmd/localhost",
      "addprinc -randkey other/localhost",
      `ktadd -k ${folder}/server.keytab rcmd/localhost`,
      `ktadd -k ${folder}/other.keytab other/localhost`,
      `ktadd -norandkey -k ${folder}/users.keytab alice bob/admin`,
    ];
    await must(["/usr/sbin/kadmin.local", "-r", realm], env, orders.join("\n") + "\n");
    const kdc = spawn("timeout", ["-s", "KILL", "3600", "/usr/sbin/krb5kdc", "-n", "-r", realm], {
      env: { ...env, PATH: "/usr/bin:/bin:/usr/sbin" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise((resolve) => kdc.once("exit", resolve));
    await new Promise<void>((resolve, reject) => {
      let said = "";
      kdc.stderr!.on("data", (chunk: Uint8Array) => {
        said += new TextDecoder().decode(chunk);
        if (/commencing operation/.test(said)) resolve();
      });
      kdc.once("error", reject);
      ended.then((code) => reject(new Error(`The KDC ended with ${code}: ${said}`)));
    });
    return new Kdc(realm, folder, kdc, ended);
  }

  /** The environment of programs that use the realm, with an empty cache of tickets. */
  get env(): RealmEnvironment {
    return environmentOf(this.folder);
  }

  /** What a server finds that takes no token older than a second. */
  get strictEnv(): RealmEnvironment {
    return { ...this.env, KRB5_CONFIG: join(this.folder, "strict.conf") };
  }

  /** The keytab of rcmd/localhost. */
  get keytab(): string {
    return join(this.folder, "server.keytab");
  }

  /** A file of the realm. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /**
   * Gets a ticket.
   *
   * @returns The environment of who has it.
   */
  async ticket(principal = "alice", ...options: readonly string[]): Promise<RealmEnvironment> {
    const cache = `FILE:${join(this.folder, crypto.randomUUID())}`;
    const env = { ...this.env, KRB5CCNAME: cache };
    await must(["/usr/bin/kinit", "-k", "-t", this.file("users.keytab"), ...options, principal], env);
    return env;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kdc.kill("SIGTERM");
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function environmentOf(folder: string): Record<string, string> {
  return {
    KRB5_CONFIG: join(folder, "krb5.conf"),
    KRB5_KDC_PROFILE: join(folder, "kdc.conf"),
    KRB5RCACHEDIR: join(folder, "rcache"),
    KRB5CCNAME: `FILE:${join(folder, "nobody")}`,
  };
}

function krb5Conf(realm: string, port: number, more = ""): string {
  return `[libdefaults]
default_realm = ${realm}
dns_lookup_realm = false
dns_lookup_kdc = false
rdns = false
dns_canonicalize_hostname = false
udp_preference_limit = 1
${more}[logging]
kdc = STDERR
[realms]
${realm} = {
  kdc = 127.0.0.1:${port}
}
`;
}

function kdcConf(realm: string, port: number, folder: string): string {
  return `[kdcdefaults]
kdc_listen = 127.0.0.1:${port}
kdc_tcp_listen = 127.0.0.1:${port}
[realms]
${realm} = {
  database_name = ${folder}/principal
  key_stash_file = ${folder}/stash
  acl_file = ${folder}/acl
}
`;
}

async function must(command: readonly string[], env: RealmEnvironment, input = ""): Promise<string> {
  const { code, stdout, stderr } = await run(command, { signal: AbortSignal.timeout(PATIENCE), env, input });
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

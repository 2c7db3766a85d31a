import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { filesOf } from "./_load.ts";

const HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$R2VuZXJhdGVkSGFzaEJ5dGVzMzJCeXRlc0xvbmdYWFg";

/** Files beside the settings, and what stands in them. */
const BESIDES: Readonly<Record<string, string>> = {
  "secrets/ca.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  "secrets/empty": "",
  "secrets/password": "correct horse battery staple\n",
  "secrets/staff": `# everybody\ncy:${HASH}:staff,night\n`,
  "socks.keytab": "\x05\x02",
  "secrets/users": "ada:plain:hunter2\nbob:hunter2\nada:plain:x\n",
};

/** The environment that the settings are loaded in. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  LONG: "x".repeat(256),
  SECRET: "hunter2",
  REDIS_URL: "rediss://socks:hunter2@redis.example.com:6380/2",
  PROXY_URL: "socks5h://proxy.example:1080",
  SOCKS_SERVICE_HOST: "10.0.0.1",
};

/** A file of settings, and the lines that are expected of it. */
export interface Case {
  readonly name: string;
  readonly readFile: (path: string) => Promise<Uint8Array>;
  readonly expected: readonly string[];
}

/** The files of a folder. The lines of each stand in `expected.txt`, below its name. */
export function casesIn(folder: "right" | "wrong"): Case[] {
  const at = fileURLToPath(new URL(`./${folder}/`, import.meta.url));
  const expected = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of readFileSync(`${at}expected.txt`, "utf8").split("\n")) {
    if (line.startsWith("    ")) lines.push(line.slice(4));
    else if (line !== "") expected.set(line, lines = []);
  }
  return readdirSync(at).filter((name) => name !== "expected.txt").sort().map((name) => ({
    name,
    readFile: filesOf({ ...BESIDES, [name]: readFileSync(at + name, "utf8") }),
    expected: expected.get(name) ?? ["nothing in expected.txt"],
  }));
}

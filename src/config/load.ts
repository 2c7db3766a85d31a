/**
 * The settings from all places, as one.
 *
 * @module
 */

import { parseIp, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { exposureProblem } from "../policy/exposure.ts";
import { chapProblem } from "../server/chap_offer.ts";
import { allUpstreams } from "./all_upstreams.ts";
import { allUsers } from "./all_users.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { type Environment, environmentLayer, FILE_VARIABLE, strayVariables } from "./environment.ts";
import { fileLayer } from "./file.ts";
import { type Flags, flagsLayer } from "./flags.ts";
import { checkLayer, type Layer } from "./layer.ts";
import { checkMethods } from "./method_references.ts";
import { MergedSettings } from "./merge.ts";
import { printable } from "./printable.ts";
import { readBytes, type ReadFile } from "./read_text.ts";
import { checkReferences } from "./references.ts";
import { type FileMode, Secrets } from "./secrets.ts";
import { redisProblem } from "./store_schema.ts";

/** The places that settings come from. */
export interface Sources {
  /** The flags; each wins over all else, and a list replaces another. */
  readonly flags: Flags;
  /** The environment; each variable wins over the file's setting. */
  readonly env?: Environment | undefined;
  /** The file, if one is named; else `SOCKS_CONFIG` may name it. */
  readonly file?: string | undefined;
  /** Reads files. */
  readonly readFile: ReadFile;
  /** The permissions of files; without it nobody is warned of secrets that everybody can read. */
  readonly fileMode?: FileMode | undefined;
  /**
   * Whether a server is to be made of them. Else a way out may lead to where one would listen, and no keytab is needed.
   *
   * @default {true}
   */
  readonly areForServer?: boolean | undefined;
}

/** Settings that can be used. */
export interface LoadedConfig {
  /** The settings. */
  readonly config: Config;
  /** What an operator should know all the same, a line each; no secret is in them. */
  readonly warnings: readonly string[];
}

/** The ways to answer {@linkcode exposureProblem}, in the words of the command line. */
export const EXPOSURE_ADVICE =
  "add a user (--user NAME:PASSWORD), serve everybody on purpose (--open), or listen on loopback (--listen 127.0.0.1:1080)";

/**
 * Loads the settings, the secrets they name, and the users file.
 *
 * @param sources Where they come from.
 * @returns The settings, checked.
 * @throws {ConfigError} With every problem of every place.
 */
export async function loadConfig(sources: Sources): Promise<LoadedConfig> {
  const { flags, readFile, fileMode, env: environment = {}, areForServer = true } = sources;
  const problems: string[] = [];
  const layers: Layer[] = [];
  const file = sources.file ?? (environment[FILE_VARIABLE] || undefined);
  try {
    if (file !== undefined) layers.push(await fileLayer(file, readFile));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
  }
  const isRead = problems.length === 0;
  layers.push(environmentLayer(environment), flagsLayer(flags));
  const checked = layers.map(checkLayer);
  problems.push(...checked.flatMap((layer) => layer.problems));

  const merged = new MergedSettings(checked);
  const secrets = new Secrets({ merged, readFile, fileMode, environment });
  const { users, ...usersFindings } = await allUsers(merged, secrets, readFile);
  const { holdsSecrets: hasLogins, ...ways } = await allUpstreams(merged, secrets, readFile);
  const config: Config = { ...await withStore(merged, secrets), ...users !== undefined && { users }, ...ways };
  const stray = strayVariables(environment, secrets.variables);
  if (areForServer) problems.push(...await keytabProblems(config, merged, secrets, readFile));
  problems.push(...secrets.problems, ...usersFindings.problems, ...stray.problems);
  const holdsSecrets = hasLogins || usersFindings.holdsSecrets ||
    typeof merged.settings.store?.redis === "string";
  if (file !== undefined && holdsSecrets) await secrets.checkMode(file, []);
  const warnings = [...stray.warnings, ...usersFindings.warnings, ...secrets.warnings];

  // A user or a listener that cannot be read must not turn into a second problem.
  const isWrong = (name: string): boolean => checked.some(({ wrong }) => wrong.has(name));
  const usersAreKnown = isRead && !isWrong("users") && !isWrong("usersFile") &&
    secrets.problems.length + usersFindings.problems.length === 0;
  const listenersAreKnown = isRead && !isWrong("listen") && !isWrong("forwards");
  const areWaysKnown = isRead && !["upstreams", "via", "forwards"].some(isWrong) && secrets.problems.length === 0;
  const hasOtherListeners = !listenersAreKnown || environment["LISTEN_FDS"] !== undefined;
  const references = checkReferences(config, { hasOtherListeners, areWaysKnown, areForServer });
  const methods = isWrong("auth") ? [] : checkMethods(config, { usersAreKnown, hasOtherListeners });
  for (const { path, message, isWarning } of [...references, ...methods]) {
    if (!isWarning) problems.push(`${merged.nameOf(path)}: ${message}`);
    else warnings.push(`${merged.nameOf(path)}: ${message}`);
  }
  const exposed = usersAreKnown && listenersAreKnown && !isWrong("open") ? exposure(config) : undefined;
  if (exposed !== undefined) problems.push(`${exposed}; ${EXPOSURE_ADVICE}`);
  const uselessChap = usersAreKnown && !isWrong("auth") ? chapProblem(config) : undefined;
  if (uselessChap !== undefined) problems.push(`${merged.nameOf(["auth", "chap"])}: ${uselessChap}`);
  if (config.otherwise === "allow" && config.allowPrivate !== true && isForOthers(config)) {
    warnings.push(`${merged.nameOf(["otherwise"])}: ${ALLOW_ADVICE}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, warnings };
}

/** The library would say no more than that none is there, and after a start nothing but that no login succeeds. */
async function keytabProblems(
  { auth }: Config,
  merged: MergedSettings,
  secrets: Secrets,
  readFile: ReadFile,
): Promise<string[]> {
  const keytab = auth?.gssapi?.keytab;
  if (keytab === undefined) return [];
  const path = ["auth", "gssapi", "keytab"];
  const found = await readBytes(keytab, readFile);
  if ("problem" in found) return [`${merged.nameOf(path)}: ${printable(keytab)} ${found.problem}`];
  await secrets.checkMode(keytab, path);
  return [];
}

/** The settings with the URL of the store in place of what holds it, and with files named from the working directory. */
async function withStore(merged: MergedSettings, secrets: Secrets): Promise<Config> {
  const { users: _users, upstreams: _upstreams, via: _via, store, ...settings } = merged.settings;
  const redis = store?.redis === undefined
    ? undefined
    : await secrets.fetch(store.redis, ["store", "redis"], redisProblem);
  const named = (path: readonly PropertyKey[], file: string | undefined): string | undefined =>
    file === undefined ? undefined : merged.pathFrom(path, file);
  const usersFile = named(["usersFile"], settings.usersFile);
  const logFile = named(["logFile"], settings.logFile);
  const { auth } = settings;
  const keytab = named(["auth", "gssapi", "keytab"], auth?.gssapi?.keytab);
  const storeFile = named(["store", "file"], store?.file);
  return {
    ...settings,
    ...usersFile !== undefined && { usersFile },
    ...logFile !== undefined && { logFile },
    ...keytab !== undefined && { auth: { ...auth, gssapi: { ...auth!.gssapi!, keytab } } },
    ...store !== undefined && {
      store: {
        ...storeFile !== undefined && { file: storeFile },
        ...redis !== undefined && { redis },
        ...store.fail !== undefined && { fail: store.fail },
      },
    },
  };
}

/** It reads like a mere end of the list, and is more. */
const ALLOW_ADVICE = "found allow, which lets other machines reach this one and private networks; safe does not";

function exposure(config: Config): string | undefined {
  if (config.open === true) return undefined;
  const { users = [], auth } = config;
  const hasLogin = auth?.methods === undefined
    ? users.length > 0 || auth?.gssapi !== undefined
    : !auth.methods.includes("none");
  return exposureProblem(listenAddresses(config), hasLogin);
}

/** Whether a listener takes clients of other machines. */
function isForOthers(config: Config): boolean {
  return exposureProblem(listenAddresses(config), false) !== undefined;
}

/** Names are left to the server, which resolves them. */
function listenAddresses({ listen = [] }: Config): (SocketAddress | UnixAddress)[] {
  return listen.flatMap(({ address }): (SocketAddress | UnixAddress)[] => {
    const endpoint = parseEndpoint(address);
    if ("path" in endpoint) return [endpoint];
    const ip = parseIp(endpoint.host);
    return ip === undefined ? [] : [{ ip, port: endpoint.port }];
  });
}

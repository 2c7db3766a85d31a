/**
 * The settings from all places, as one.
 *
 * @module
 */

import { parseIp, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { exposureProblem } from "../policy/exposure.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { fileLayer, type ReadFile } from "./file.ts";
import { type Flags, flagsLayer } from "./flags.ts";
import { checkLayer, type Layer } from "./layer.ts";

/** The places that settings come from. */
export interface Sources {
  /** The flags; each wins over the file's setting, and a list replaces the file's. */
  readonly flags: Flags;
  /** The file, if one is named. */
  readonly file?: string | undefined;
  /** Reads files. */
  readonly readFile: ReadFile;
}

/** The ways to answer {@linkcode exposureProblem}, in the words of the command line. */
export const EXPOSURE_ADVICE =
  "add a user (--user NAME:PASSWORD), serve everybody on purpose (--open), or listen on loopback (--listen 127.0.0.1:1080)";

/**
 * Loads the settings.
 *
 * @param sources Where they come from.
 * @returns The settings, checked.
 * @throws {ConfigError} With every problem of every place.
 */
export async function loadConfig(sources: Sources): Promise<Config> {
  const layers: Layer[] = [];
  const problems: string[] = [];
  if (sources.file !== undefined) {
    try {
      layers.push(await fileLayer(sources.file, sources.readFile));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  const unread = problems.length > 0;
  layers.push(flagsLayer(sources.flags));
  const checked = layers.map(checkLayer);
  problems.push(...checked.flatMap((layer) => layer.problems));
  const config: Config = Object.assign({}, ...checked.map((layer) => layer.config));
  // A user or a listener that cannot be read must not turn into a second problem.
  const known = !unread &&
    checked.every(({ wrong }) => !wrong.has("listen") && !wrong.has("users") && !wrong.has("open"));
  const exposed = known ? exposure(config) : undefined;
  if (exposed !== undefined) problems.push(`${exposed}; ${EXPOSURE_ADVICE}`);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Names are left to the server, which resolves them. */
function exposure(config: Config): string | undefined {
  if (config.open === true || config.listen === undefined) return undefined;
  const addresses = config.listen.flatMap((text): (SocketAddress | UnixAddress)[] => {
    const endpoint = parseEndpoint(text);
    if ("path" in endpoint) return [endpoint];
    const ip = parseIp(endpoint.host);
    return ip === undefined ? [] : [{ ip, port: endpoint.port }];
  });
  return exposureProblem(addresses, config.users !== undefined && config.users.length > 0);
}

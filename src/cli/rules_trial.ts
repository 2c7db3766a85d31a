/**
 * A request that rules are tried with.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { serveOptions } from "../config/options.ts";
import { printable } from "../config/printable.ts";
import { leavesNames } from "../config/upstream_references.ts";
import { formatHostPort, type IpAddress, parseIp, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { classifyIp, embeddedIpv4 } from "../net/ip_class.ts";
import type { Explanation } from "../policy/explanation.ts";
import type { Destination } from "../policy/question.ts";
import type { RuleCommand } from "../policy/rule.ts";
import { compileRules } from "../policy/rule_set.ts";
import type { RequestInfo } from "../policy/rules.ts";
import { safeDefaults } from "../policy/safe_defaults.ts";
import type { Target } from "../protocol/address.ts";

/** Who asks for what, and when. */
export interface Trial {
  /** Where to. */
  readonly target: Target;
  /** Where the client is. */
  readonly from: IpAddress;
  /** What it asks for. */
  readonly command: RuleCommand;
  /** When, in milliseconds since the epoch. */
  readonly at: number;
  /** The listener, by name or address; the first if absent. */
  readonly listener?: string | undefined;
  /** Who logged in. */
  readonly user?: string | undefined;
  /** The user's groups; those of the settings if absent. */
  readonly group?: readonly string[] | undefined;
  /** What the name resolves to. */
  readonly address?: IpAddress | undefined;
}

/** What became of a {@linkcode Trial}. */
export interface TrialResult {
  /** Which rule decides and why, in lines. */
  readonly lines: readonly string[];
  /** Whether it is allowed for certain. */
  readonly isAllowed: boolean;
}

/**
 * Tries rules.
 *
 * @param config The settings that they are part of.
 * @param trial The request.
 */
export function tryRules(config: Config, trial: Trial): TrialResult {
  const request = requestOf(config, trial);
  const { rules = [], otherwise = "safe" } = config;
  const compiled = compileRules(rules, { otherwise, now: () => trial.at });
  const kept = keptDestination(config, trial, (destination) => compiled.explain(request, destination));
  const destination = kept ?? destinationOf(trial);
  const explanation = compiled.explain(request, destination);
  const lines = [describe(request, trial)];
  for (const { rule, action, applies, because } of explanation.rules) {
    lines.push(`  ${printable(rule)} (${action}): ${WORDS[applies]}${because === "" ? "" : `, ${printable(because)}`}`);
  }
  const { text, isAllowed } = conclusion(config, request, destination, explanation);
  return { lines: [...lines, text], isAllowed };
}

const WORDS = { yes: "applies", no: "does not apply", maybe: "may apply" } as const;

function requestOf(config: Config, { from, listener, user, group, target, command, at }: Trial): RequestInfo {
  const entries = config.listen ?? [{ address: "127.0.0.1:1080" }];
  const entry = listener === undefined
    ? entries[0]
    : entries.find(({ name, address }) => name === listener || address === listener) ?? { address: listener };
  const groups = group ?? config.users?.find(({ name }) => name === user)?.groups;
  return {
    id: 1,
    openedAt: at,
    client: { ip: from, port: 0 },
    listener: placeOf(entry!.address),
    listenerName: entry!.name,
    isLocal: classifyIp(from) === "loopback",
    signal: new AbortController().signal,
    protocol: "socks5",
    user: user === undefined ? undefined : { name: user, groups },
    command,
    target,
  };
}

/** A listener that is named and not described has no place that rules could ask for. */
function placeOf(address: string): SocketAddress | UnixAddress | undefined {
  try {
    const endpoint = parseEndpoint(address);
    if ("path" in endpoint) return endpoint;
    const ip = parseIp(endpoint.host);
    return ip === undefined ? undefined : { ip, port: endpoint.port };
  } catch {
    return undefined;
  }
}

function destinationOf({ target, address }: Trial): Destination {
  const dialled = target.type === "name" ? address : target.host;
  return {
    ...target.type === "name" && { name: target.host },
    ...dialled !== undefined && { ip: embeddedIpv4(dialled) ?? dialled, dialled },
    port: target.port,
  };
}

/** The destination of a name that is left to a way out, as the server puts it to the rules; else `undefined`. */
function keptDestination(
  config: Config,
  { target: { type, host, port } }: Trial,
  explain: (destination: Destination) => Explanation,
): Destination | undefined {
  if (type !== "name" || /^(?:.*\.)?localhost\.?$/i.test(host)) return undefined;
  const destination: Destination = { name: host, port, isKept: true };
  return leavesNames(config, viaOf(explain(destination))) ? destination : undefined;
}

function viaOf({ verdict }: Explanation): string | undefined {
  return typeof verdict === "object" && "allow" in verdict ? verdict.via : undefined;
}

function describe({ listenerName, user, command, target }: RequestInfo, { from, address, at }: Trial): string {
  const who = user === undefined ? "Somebody" : printable(user.name);
  const groups = user?.groups === undefined || user.groups.length === 0
    ? ""
    : ` (${user.groups.map(printable).join(", ")})`;
  const where = `${printable(formatHostPort(target.host, target.port))}${address === undefined ? "" : ` (${address})`}`;
  const listener = listenerName === undefined ? "" : ` at ${printable(listenerName)}`;
  return `${who}${groups} from ${from}${listener}, ${command} to ${where}, ${new Date(at).toISOString()}:`;
}

/** Whether it is allowed, and by which way out. */
function conclusion(
  config: Config,
  request: RequestInfo,
  destination: Destination,
  explanation: Explanation,
): { text: string; isAllowed: boolean } {
  const { text, isAllowed } = decision(config, request, destination, explanation);
  const via = viaOf(explanation) ?? serveOptions(config).via ?? "direct";
  if (!isAllowed || via === "direct") return { text, isAllowed };
  if (via === "block") return { text: `${text}, and denied by its way out, "block"`, isAllowed: false };
  const whose = destination.isKept === true ? ", to which the name is left" : "";
  return { text: `${text}; it leaves by "${printable(via)}"${whose}`, isAllowed };
}

function decision(
  config: Config,
  request: RequestInfo,
  { name, isKept, ip, dialled, port }: Destination,
  { verdict, rule, reason }: Explanation,
): { text: string; isAllowed: boolean } {
  const by = rule === undefined ? "" : ` by ${printable(rule)}`;
  if (typeof verdict === "object" && "deny" in verdict) {
    return { text: `Denied${by}: ${printable(reason)}`, isAllowed: false };
  }
  if (typeof verdict === "object" && verdict.allow === "always") return { text: `Allowed${by}`, isAllowed: true };
  if (rule === undefined) {
    return { text: `Not decided until the name is resolved: ${printable(reason)} (see --address)`, isAllowed: false };
  }
  const said = verdict === undefined ? "No rule applies" : `Allowed${by}`;
  if (isKept === true) return { text: said, isAllowed: true };
  if (ip === undefined) {
    return { text: `${said}, unless the safe defaults deny its address (see --address)`, isAllowed: true };
  }
  const safely = safeDefaults({
    allowPrivate: config.allowPrivate === true,
    listeners: () => (config.listen ?? []).flatMap(({ address }) => socketAddress(placeOf(address))),
    interfaces: () => [],
  });
  const address = { ip: dialled ?? ip, port: port ?? 0 };
  const denied = safely({ ip, port: address.port, address, name }, request);
  if (denied !== undefined) return { text: `${said}, and the safe defaults deny it: ${denied}`, isAllowed: false };
  return { text: `${said}, and the safe defaults allow it`, isAllowed: true };
}

function socketAddress(place: SocketAddress | UnixAddress | undefined): SocketAddress[] {
  return place === undefined || "path" in place ? [] : [place];
}

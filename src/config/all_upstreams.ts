/**
 * The ways out of the settings, with their secrets.
 *
 * @module
 */

import { parseProxy } from "../client/proxy.ts";
import type { Config, UpstreamEntry } from "./config.ts";
import type { MergedSettings } from "./merge.ts";
import { printable } from "./printable.ts";
import { proxyProblem } from "./proxy_schema.ts";
import { type ReadFile, readText } from "./read_text.ts";
import type { Secret } from "./secret.ts";
import type { Secrets } from "./secrets.ts";
import { passwordOfIsolation, viaProblem } from "./upstream_schema.ts";
import { type ChainSetting, isWayName, type UpstreamSetting } from "./upstream_setting.ts";

type ChainEntry = Exclude<UpstreamEntry, { readonly group: unknown }>;

/** The ways out, and whether any of their passwords stand in the file itself. */
export interface AllUpstreams extends Pick<Config, "upstreams" | "via"> {
  /** Whether others who can read the file of settings learn a password. */
  readonly holdsSecrets: boolean;
}

/**
 * Puts the ways out together.
 *
 * @param merged The settings.
 * @param secrets Fetches what is kept elsewhere, and takes down what is wrong with that.
 * @param readFile Reads files.
 */
export async function allUpstreams(
  merged: MergedSettings,
  secrets: Secrets,
  readFile: ReadFile,
): Promise<AllUpstreams> {
  const { upstreams: settings, via: written } = merged.settings;
  const upstreams: UpstreamEntry[] = [];
  for (const [index, setting] of (settings ?? []).entries()) {
    if ("group" in setting) upstreams.push(setting);
    else {
      const entry = await withSecrets(setting, ["upstreams", index], secrets);
      upstreams.push({ ...entry, ...await authoritiesOf(setting, index, merged, secrets, readFile) });
    }
  }
  const via = written && await fetchAll(written, ["via"], viaProblem, secrets);
  const isFile = (name: string): boolean => merged.originOf([name])?.isFile === true;
  const holdsSecrets = isFile("upstreams") && (settings ?? []).some(hasPassword) ||
    isFile("via") && (written ?? []).some(isLogin);
  return {
    ...settings !== undefined && { upstreams },
    // With one of them missing the others would be another chain.
    ...via !== undefined && via.length === written!.length && { via },
    holdsSecrets,
  };
}

async function withSecrets(
  setting: ChainSetting,
  path: readonly PropertyKey[],
  secrets: Secrets,
): Promise<ChainEntry> {
  const { name, proxy, isolate } = setting;
  const password = isolate?.password === undefined
    ? undefined
    : await secrets.fetch(isolate.password, [...path, "isolate", "password"], passwordOfIsolation);
  return {
    name,
    proxy: await fetchAll(proxy, [...path, "proxy"], proxyProblem, secrets),
    ...isolate !== undefined && { isolate: { user: isolate.user, ...password !== undefined && { password } } },
  };
}

/** They are no secrets, and what is wrong with them is told in the same place. */
async function authoritiesOf(
  { authorities: files }: ChainSetting,
  index: number,
  merged: MergedSettings,
  { problems }: Secrets,
  readFile: ReadFile,
): Promise<Pick<ChainEntry, "authorities" | "authorityFiles">> {
  if (files === undefined) return {};
  const authorities: string[] = [];
  const authorityFiles: string[] = [];
  for (const [at, file] of files.entries()) {
    const path = ["upstreams", index, "authorities", at];
    const named = merged.pathFrom(path, file);
    const found = await readText(named, readFile);
    authorityFiles.push(named);
    if ("problem" in found) problems.push(`${merged.nameOf(path)}: ${printable(named)} ${found.problem}`);
    else if (/^-----BEGIN CERTIFICATE-----\r?$/m.test(found.text)) authorities.push(found.text);
    else problems.push(`${merged.nameOf(path)}: ${printable(named)}: found no certificate in it, expected one in PEM`);
  }
  return { authorities, authorityFiles };
}

async function fetchAll(
  written: readonly Secret[],
  path: readonly PropertyKey[],
  problem: (text: string) => string | undefined,
  secrets: Secrets,
): Promise<string[]> {
  const fetched: string[] = [];
  for (const [index, secret] of written.entries()) {
    const text = await secrets.fetch(secret, written.length === 1 ? path : [...path, index], problem);
    if (text !== undefined) fetched.push(text);
  }
  return fetched;
}

function hasPassword(setting: UpstreamSetting): boolean {
  return "proxy" in setting && (setting.proxy.some(isLogin) || typeof setting.isolate?.password === "string");
}

/** Whether it is the URL of a proxy, with a password in it. */
function isLogin(secret: Secret): boolean {
  return typeof secret === "string" && !isWayName(secret) && parseProxy(secret).password !== undefined;
}

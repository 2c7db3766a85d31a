/**
 * The rules for ways out.
 *
 * @module
 */

import { z } from "zod";
import { parseEndpoint } from "../net/endpoint.ts";
import { GROUP_CHOICES, type GroupUpstream } from "../upstream/upstream.ts";
import { describeFound } from "./found.ts";
import { chainOf, proxy, proxyProblem } from "./proxy_schema.ts";
import { expected, expectedSecret, listOf, oneOf, path, positiveDuration, text, type Words } from "./schema_parts.ts";
import type { Secret } from "./secret.ts";
import { secretSchema } from "./secret_schema.ts";
import { isWayName, OWN_WAYS, type UpstreamSetting } from "./upstream_setting.ts";

/** What stands in the place of a name may be the URL of a proxy, with a password. */
function expectedName(what: string): Words {
  return (breach) => (/[:@]/.test(String(breach.input)) ? expectedSecret(what) : expected(what))(breach);
}

const nameWords = expectedName("a name of letters, digits, -, _ and .");
const wayWords = expectedName("the name of a way out");

/** The name of a way out, whether or not there is one. */
export const wayName: z.ZodType<string> = z.string({ error: wayWords }).refine(isWayName, { error: wayWords });

const ownName = z.string({ error: nameWords }).refine(isWayName, { error: nameWords })
  .refine((name) => !OWN_WAYS.includes(name), { error: expected("another name: that way is there by itself") });

const targetWords = expected("HOST:PORT such as example.com:443");

/** A host and a port to connect to. */
export const hostPort: z.ZodType<string> = z.string({ error: targetWords })
  .refine(isHostPort, { error: targetWords });

const weightWords = expected("a number above 0");
const memberWords = expectedName('the name of a way out, or an object such as { "name": "fast", "weight": 3 }');
const member = z.union([
  z.string({ error: memberWords }).refine(isWayName, { error: memberWords }),
  z.strictObject({
    name: wayName.describe("Another way out, or direct."),
    weight: z.number({ error: weightWords }).refine((weight) => weight > 0, { error: weightWords })
      .describe("How much of the whole it gets."),
  }),
], { error: memberWords });

const check: z.ZodType<GroupUpstream["check"]> = z.strictObject({
  target: hostPort.describe("What to connect to: HOST:PORT.").optional(),
  every: positiveDuration.describe("How often. Default: 10s.").optional(),
  timeout: positiveDuration.describe("How long a check, or a proxy in a session, may take. Default: 5s.").optional(),
  longestPause: positiveDuration.describe("The longest pause for a member that is down. Default: 5m.").optional(),
}, { error: expected('an object such as { "target": "example.com:443", "every": "10s" }') });

const PASSWORD = "text of at most 255 bytes";

/** What is wrong with the password for `isolate`, without it; `undefined` if all is well. */
export function passwordOfIsolation(text: string): string | undefined {
  return new TextEncoder().encode(text).length > 255 ? expectedSecret(PASSWORD)({ input: text }) : undefined;
}

const isolate = z.strictObject({
  user: text.describe("The user name: {user}, {listener} and {session} are replaced."),
  password: secretSchema(PASSWORD, passwordOfIsolation).describe("The password.").optional(),
}, { error: expectedSecret('an object such as { "user": "{user}" }') });

/** What belongs to the one form of a way out, and what to the other. */
const PARTS = { proxy: ["isolate", "authorities"], group: ["choose", "check"] } as const;

const upstream = z.strictObject({
  name: ownName.describe("What rules, groups and the log call it."),
  proxy: chainOf(proxy).describe("The URL of a proxy, or a list of them, the nearest first.").optional(),
  isolate: isolate.describe("The login at the last proxy, for each session anew.").optional(),
  authorities: listOf(path, '["ca.pem"]').describe("Files with certificates of authorities, for proxies with TLS.")
    .optional(),
  group: listOf(member, '["one", "other"]').describe("Names of other ways out, or direct.").optional(),
  choose: oneOf(GROUP_CHOICES).describe("How one of the group is chosen. Default: first.").optional(),
  check: check.describe("How the group learns who is up.").optional(),
}, {
  error: expectedSecret('an object such as { "name": "tor", "proxy": "socks5h://127.0.0.1:9050" }'),
}).superRefine((upstream, context) => {
  const wrong = (path: readonly PropertyKey[], message: string): void =>
    context.addIssue({ code: "custom", path: [...path], message });
  const { proxy, group, choose } = upstream;
  if (proxy === undefined && group === undefined) wrong([], "found neither proxy nor group, expected one of them");
  if (proxy !== undefined && group !== undefined) wrong(["group"], "found it beside proxy, expected one of them");
  for (const [form, parts] of Object.entries(PARTS)) {
    const other = form === "proxy" ? "group" : "proxy";
    if (upstream[other] === undefined || upstream[form as keyof typeof PARTS] !== undefined) continue;
    for (const part of parts) {
      if (upstream[part] !== undefined) wrong([part], `found it beside ${other}, expected it beside ${form} alone`);
    }
  }
  const names = (group ?? []).map((member) => typeof member === "string" ? member : member.name);
  names.forEach((name, index) => {
    if (name === "block") wrong(["group", index], 'found "block", expected a way that leads somewhere');
    else if (names.indexOf(name) !== index) {
      wrong(["group", index], `found ${describeFound(name)} a second time, expected each member once`);
    }
  });
  (group ?? []).forEach((member, index) => {
    if (typeof member === "string" || choose === "weighted") return;
    wrong(["group", index, "weight"], 'found it without "choose": "weighted", expected it beside that alone');
  });
}) as unknown as z.ZodType<UpstreamSetting>;

/** Ways out, each with a name of its own. */
export const upstreams: z.ZodType<readonly UpstreamSetting[]> = z.array(upstream, {
  error: expectedSecret('a list such as [{ "name": "tor", "proxy": "socks5h://127.0.0.1:9050" }]'),
}).superRefine((list, context) => {
  const names = list.map((entry): unknown => entry?.name);
  names.forEach((name, index) => {
    if (typeof name !== "string" || name === "" || names.indexOf(name) === index) return;
    const message = `found ${describeFound(name)} a second time, expected each name once`;
    context.addIssue({ code: "custom", path: [index, "name"], message });
  });
}, { when: ({ value }) => Array.isArray(value) });

const VIA = "the name of a way out, or the URL of a proxy such as socks5h://USER:PASSWORD@HOST:1080";

/** What is wrong with a way out that is a name or a URL, without it; `undefined` if all is well. */
export function viaProblem(text: string): string | undefined {
  return isWayName(text) ? undefined : proxyProblem(text);
}

/** The way out of what no rule says another for: a name, or proxies. */
export const via: z.ZodType<readonly Secret[]> = chainOf(secretSchema(VIA, viaProblem), VIA)
  .superRefine((list, context) => {
    list.forEach((one, index) => {
      if (list.length === 1 || typeof one !== "string" || !isWayName(one)) return;
      const message = `found ${describeFound(one)} in a list, expected a name alone, or URLs of proxies`;
      context.addIssue({ code: "custom", path: [index], message });
    });
  }) as z.ZodType<readonly Secret[]>;

function isHostPort(text: string): boolean {
  try {
    const endpoint = parseEndpoint(text);
    return !("path" in endpoint) && endpoint.port !== 0;
  } catch {
    return false;
  }
}

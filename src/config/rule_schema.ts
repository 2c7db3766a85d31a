/**
 * The rules for rules.
 *
 * @module
 */

import { z } from "zod";
import { parseDestination } from "../policy/destination_item.ts";
import { parsePorts } from "../policy/port_set.ts";
import { type Rule, RULE_COMMANDS } from "../policy/rule.ts";
import { parseDays, parseHours } from "../policy/time_window.ts";
import { limit, whom, zone } from "./limit_schema.ts";
import { expected, flag, listOf, oneOf, readableBy, readAs, text } from "./schema_parts.ts";
import { wayName } from "./upstream_schema.ts";

const destination = readableBy(parseDestination, expected("an address, a block, a kind of addresses, or a name"));

const portWords = expected('a port such as 443, or a range such as "8000-8999"');
const port = readAs(
  z.union([z.number(), z.string()], { error: portWords }),
  (written) => (parsePorts(written), written),
  portWords,
);

const window = z.strictObject({
  days: readableBy(parseDays, expected('days such as "mon-fri"')).describe("Days such as mon-fri or sat,sun.")
    .optional(),
  hours: readableBy(parseHours, expected('hours such as "08:00-18:00"')).describe("Hours such as 08:00-18:00.")
    .optional(),
  zone: zone.describe("The time zone.").optional(),
}, { error: expected('an object such as { "days": "mon-fri", "hours": "08:00-18:00" }') });

const rule: z.ZodType<Rule> = z.strictObject({
  action: oneOf(["allow", "deny"]).describe("What it does."),
  name: text.describe("What the log calls it.").optional(),
  reason: text.describe("Why, for the log and for HTTP clients.").optional(),
  ...whom,
  commands: listOf(oneOf(RULE_COMMANDS), '["connect"]').describe("What is asked for.").optional(),
  to: listOf(destination, '["10.0.0.0/8", ".example.com"]')
    .describe("Where to: IP addresses, CIDR blocks, kinds of addresses, names, .suffixes, * patterns, /expressions/.")
    .optional(),
  ports: listOf(port, '[443, "8000-8999"]').describe("To which ports.").optional(),
  times: listOf(window, '[{ "days": "mon-fri", "hours": "08:00-18:00" }]').describe("When.").optional(),
  allowPrivate: flag.describe("Whether an allow reaches addresses that the safe defaults keep from other machines.")
    .optional(),
  via: wayName.describe("The way out that it takes.").optional(),
  limits: limit.describe("What an allow allows no more than.").optional(),
  log: oneOf(["none", "refused", "all"]).describe("Which sessions are logged.").optional(),
}, { error: expected('an object such as { "action": "deny", "to": ["private"] }') }).superRefine((rule, context) => {
  if (rule.action !== "deny") return;
  for (const key of ["allowPrivate", "via", "limits"] as const) {
    if (rule[key] === undefined) continue;
    const message = 'found it beside "action": "deny", expected it beside "allow" alone';
    context.addIssue({ code: "custom", path: [key], message });
  }
});

/** Rules. */
export const rules: z.ZodType<Rule[]> = z.array(rule, {
  error: expected('a list such as [{ "action": "deny", "to": ["private"] }]'),
});

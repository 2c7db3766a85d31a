/**
 * The rules for ways out and for names.
 *
 * @module
 */

import { z } from "zod";
import { FAMILY_PREFERENCES, type OutgoingOptions, SOURCE_CHOICES } from "../server/outgoing.ts";
import { hosts } from "../server/hosts.ts";
import { parseNameServer } from "../server/name_server_address.ts";
import type { ResolverOptions } from "../server/resolver.ts";
import {
  count,
  expected,
  ipAddress,
  listOf,
  oneOf,
  positiveDuration,
  readableBy,
  shortDuration,
} from "./schema_parts.ts";

/** What connections and datagrams to targets leave from. */
export const outgoing: z.ZodType<OutgoingOptions> = z.strictObject({
  addresses: listOf(ipAddress, '["192.0.2.7"]').describe("Addresses of this machine to leave from.").optional(),
  choose: oneOf(SOURCE_CHOICES).describe("Which of them.").optional(),
  prefer: oneOf(FAMILY_PREFERENCES).describe("The version of IP that comes first, or alone.").optional(),
}, { error: expected('an object such as { "addresses": ["192.0.2.7"] }') }).superRefine((outgoing, context) => {
  const { addresses, choose, prefer } = outgoing;
  if (choose !== undefined && addresses === undefined) {
    const message = `found ${JSON.stringify(choose)} without addresses, expected addresses to choose from`;
    context.addIssue({ code: "custom", path: ["choose"], message });
  }
  const version = prefer === "ipv4-only" ? 4 : prefer === "ipv6-only" ? 6 : undefined;
  addresses?.forEach((ip, index) => {
    if (version === undefined || ip.includes(":") === (version === 6)) return;
    const message = `found ${JSON.stringify(ip)} beside "prefer": "${prefer}", expected IPv${version} addresses`;
    context.addIssue({ code: "custom", path: ["addresses", index], message });
  });
});

const serverWords = expected("an IP address, IP:PORT or [IPv6]:PORT");
const server = readableBy(parseNameServer, serverWords);

const nameWords = expected("the name of a host, such as nas.home or *.home");
const hostName = readableBy((name) => hosts({ [name]: [] }), nameWords, /^Cannot use [\w.]+: /);
const hostWords = expected("an IP address, or a list of them");
const host = z.union([ipAddress, z.array(ipAddress)], { error: hostWords });

const cacheWords = expected('false, or an object such as { "maxTtl": "5m" }');

/** How names become addresses. */
export const resolver: z.ZodType<ResolverOptions> = z.strictObject({
  servers: listOf(server, '["192.0.2.53"]').describe("Name servers to ask in place of the system: IP or IP:PORT.")
    .optional(),
  timeout: positiveDuration.describe("How long each of them may take.").optional(),
  hosts: z.record(hostName, host, { error: expected('an object such as { "nas.home": "192.168.1.5" }') })
    .describe("Addresses of names that nobody is asked for; an empty list hides a name.").optional(),
  cache: z.union([
    z.literal(false),
    z.strictObject({
      entries: count.describe("How many names are remembered.").optional(),
      minTtl: shortDuration.describe("The shortest time that a name is remembered.").optional(),
      maxTtl: shortDuration.describe("The longest time that a name is remembered.").optional(),
      negativeTtl: shortDuration.describe("How long it is remembered that there is no such name.").optional(),
    }).superRefine(({ minTtl, maxTtl }, context) => {
      if (minTtl === undefined || maxTtl === undefined || minTtl <= maxTtl) return;
      const message = "found maxTtl below minTtl, expected it above";
      context.addIssue({ code: "custom", path: ["maxTtl"], message });
    }),
  ], { error: cacheWords }).describe("What is remembered of names.").optional(),
}, { error: expected('an object such as { "servers": ["192.0.2.53"] }') });

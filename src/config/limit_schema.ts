/**
 * The rules for limits.
 *
 * @module
 */

import { z } from "zod";
import { parseAddressItem } from "../policy/address_item.ts";
import { type Limit, LIMIT_SCOPES, type LoginLimit, type Quota, QUOTA_PERIODS } from "../policy/limit.ts";
import { parseZone } from "../policy/time_window.ts";
import { parseRate } from "./rate.ts";
import {
  bandwidth,
  byteSize,
  count,
  expected,
  listOf,
  oneOf,
  positiveDuration,
  readableBy,
  readAs,
  text,
} from "./schema_parts.ts";

/** A time zone. */
export const zone: z.ZodType<string> = readableBy(parseZone, expected('a time zone such as "Europe/Berlin"'));

/** Conditions that rules and limits share. */
export const whom = {
  from: listOf(
    readableBy(
      parseAddressItem,
      expected("an IP address, a block such as 10.0.0.0/8, or a name for a kind of addresses"),
    ),
    '["192.168.0.0/16", "loopback"]',
  ).describe(
    "Where clients are: IP addresses, CIDR blocks, or loopback, private, link-local, metadata, multicast, any.",
  )
    .optional(),
  listeners: listOf(text, '["office"]').describe("Listeners, by name or address.").optional(),
  users: listOf(text, '["ada"]').describe("Users; * is everybody who logged in.").optional(),
  groups: listOf(text, '["staff"]').describe("Groups of users.").optional(),
};

const rateWords = expected("a rate such as 20/s, 100/m or 1000/h");
const rate = readAs(z.string({ error: rateWords }), parseRate, rateWords);

const thenWords = expected('refuse, end, or an object such as { "slow": "100KiB/s" }');
const then = z.union([
  z.enum(["refuse", "end"]),
  z.strictObject({ slow: bandwidth.describe("The speed each way.") }).transform(({ slow }) => slow),
], { error: thenWords });

const dayWords = expected("a day: 1 (Monday) to 7 of the week, 1 to 31 of the month");
const quota: z.ZodType<Quota> = z.strictObject({
  bytes: byteSize.describe("How many bytes, such as 50GB."),
  every: oneOf(QUOTA_PERIODS).describe("In which period."),
  startDay: z.number({ error: dayWords }).describe("The day it starts on: 1 (Monday) to 7 for week, 1 to 31 for month.")
    .optional(),
  zone: zone.describe("The time zone that days are counted in.").optional(),
  count: oneOf(["both", "upload", "download"]).describe("Which bytes count.").optional(),
  then: then.describe("What happens when it is used up: refuse new sessions, end running ones too, or slow all down.")
    .optional(),
}, { error: expected('an object such as { "bytes": "50GB", "every": "month" }') }).superRefine((quota, context) => {
  const { every, startDay } = quota;
  if (startDay === undefined) return;
  const last = every === "week" ? 7 : every === "month" ? 31 : 0;
  if (Number.isInteger(startDay) && startDay >= 1 && startDay <= last) return;
  const message = last === 0
    ? expected(`nothing beside "every": "${every}"`)({ input: startDay })
    : expected(`a day from 1 to ${last}`)({ input: startDay });
  context.addIssue({ code: "custom", path: ["startDay"], message });
});

/** The keys of a limit that bound something. */
const BOUNDS = ["sessions", "newSessions", "upload", "download", "quota", "lifetime", "idle"] as const;

/** A limit. */
export const limit: z.ZodType<Limit> = z.strictObject({
  name: text.describe("What the log calls it, and what its counts are stored under.").optional(),
  per: oneOf(LIMIT_SCOPES).describe("Who shares it.").optional(),
  ...whom,
  sessions: count.describe("Sessions at once.").optional(),
  newSessions: rate.describe("New sessions, such as 20/s or 100/m.").optional(),
  upload: bandwidth.describe("Speed from clients, such as 10MiB/s or 100Mbit/s.").optional(),
  download: bandwidth.describe("Speed to clients.").optional(),
  quota: quota.describe("Bytes in a period of the calendar.").optional(),
  lifetime: positiveDuration.describe("How long a session may last.").optional(),
  idle: positiveDuration.describe("How long a session may go without a byte.").optional(),
}, { error: expected('an object such as { "per": "user", "sessions": 100 }') }).superRefine((limit, context) => {
  if (BOUNDS.some((key) => limit[key] !== undefined)) return;
  context.addIssue({ code: "custom", message: `found no bound in it, expected one of ${BOUNDS.join(", ")}` });
});

/** Limits. */
export const limits: z.ZodType<Limit[]> = z.array(limit, {
  error: expected('a list such as [{ "per": "user", "sessions": 100 }]'),
});

const loginWords = expected('false, or an object such as { "attempts": 10, "refuseFor": "1m" }');
const loginLimit: z.ZodType<LoginLimit> = z.strictObject({
  attempts: count.describe("Failed logins from one address until it is refused.").optional(),
  within: positiveDuration.describe("How long they count.").optional(),
  refuseFor: positiveDuration.describe("How long it is refused the first time.").optional(),
  refuseAtMost: positiveDuration.describe("The longest that it is refused.").optional(),
}, { error: loginWords }).superRefine((logins, context) => {
  const { refuseFor = 60_000, refuseAtMost = 86_400_000 } = logins;
  if (refuseFor <= refuseAtMost) return;
  const path = logins.refuseAtMost === undefined ? "refuseFor" : "refuseAtMost";
  const message = "found refuseAtMost below refuseFor, expected it above";
  context.addIssue({ code: "custom", path: [path], message });
});

/** What becomes of clients that cannot log in. */
export const logins: z.ZodType<LoginLimit | false> = z.union([z.literal(false), loginLimit], { error: loginWords });

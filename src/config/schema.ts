/**
 * The rules for each setting, and what a breach of them says.
 *
 * @module
 */

import { z } from "zod";
import { parseIp } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { classifyIp } from "../net/ip_class.ts";
import { type Config, LOG_LEVELS } from "./config.ts";
import { parseDuration } from "./duration.ts";
import { describeFound, describeKind } from "./found.ts";
import { parsePortRange } from "./port_range.ts";

/** What zod tells of a value that breaks a rule. */
interface Breach {
  readonly input?: unknown;
}

/** The message for values that are no secret. */
function expected(what: string): (breach: Breach) => string {
  return ({ input }) => `found ${describeFound(input)}, expected ${what}`;
}

/** The message for values that are a secret, or may hold one. */
function expectedSecret(what: string): (breach: Breach) => string {
  return ({ input }) => `found ${describeKind(input)}, expected ${what}`;
}

/** Text that a function can read; its `undefined` is a breach. */
function readAs<Input, Output>(
  input: z.ZodType<Input>,
  read: (written: Input) => Output | undefined,
  error: (breach: Breach) => string,
): z.ZodType<Output> {
  return input.transform((written, context) => {
    const value = read(written);
    if (value !== undefined) return value;
    context.issues.push({ code: "custom", input: written, message: error({ input: written }) });
    return z.NEVER;
  });
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

const flag = z.boolean({ error: expected("true or false") });

const durationError = expected("a duration such as 3, 3s, 2m, 1h or 500ms (at most 576h; 0 means no limit)");
const duration = readAs(
  z.union([z.number(), z.string()], { error: durationError }),
  parseDuration,
  durationError,
);

const endpointError = expected("HOST:PORT such as 127.0.0.1:1080, [IPv6]:PORT or unix:PATH (a port is 0 to 65535)");
const listen = z.array(z.string({ error: endpointError }).refine(isEndpoint, { error: endpointError }), {
  error: expected('a list such as ["127.0.0.1:1080"]'),
})
  .min(1, { error: expected('a list of at least one address such as ["127.0.0.1:1080"]') })
  .superRefine((list, context) => {
    list.forEach((address, index) => {
      if (list.indexOf(address) === index || typeof address !== "string" || address.endsWith(":0")) return;
      context.addIssue({
        code: "custom",
        path: [index],
        message: `found ${describeFound(address)} a second time, expected each address once`,
      });
    });
  }, { when: ({ value }) => Array.isArray(value) });

const nameError = expected("a name of 1 to 255 bytes");
const passwordError = expectedSecret("text of at most 255 bytes");
const user = z.strictObject({
  name: z.string({ error: nameError })
    .refine((name) => name !== "" && byteLength(name) <= 255, { error: nameError }),
  password: z.string({ error: passwordError }).refine((password) => byteLength(password) <= 255, {
    error: passwordError,
  }),
}, { error: expectedSecret('an object such as { "name": "ada", "password": "…" }') });

const users = z.array(user, { error: expectedSecret('a list such as [{ "name": "ada", "password": "…" }]') })
  .superRefine((list, context) => {
    const names = list.map((entry): unknown => entry?.name);
    names.forEach((name, index) => {
      if (typeof name !== "string" || name === "" || names.indexOf(name) === index) return;
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: `found ${describeFound(name)} a second time, expected each name once`,
      });
    });
  }, { when: ({ value }) => Array.isArray(value) });

const advertiseError = expected("an IP address that clients can reach, such as 192.0.2.1 or 2001:db8::1");
const portRangeError = expected("FROM-TO such as 40000-40999 (ports 1 to 65535, FROM not above TO)");

const config = z.strictObject({
  listen: listen.optional(),
  users: users.optional(),
  handshakeTimeout: duration.optional(),
  connectTimeout: duration.optional(),
  bindTimeout: duration.optional(),
  idleTimeout: duration.optional(),
  advertise: readAs(z.string({ error: advertiseError }), parseAdvertised, advertiseError).optional(),
  udpPorts: readAs(z.string({ error: portRangeError }), parsePortRange, portRangeError).optional(),
  ident: flag.optional(),
  allowPrivate: flag.optional(),
  open: flag.optional(),
  logLevel: z.enum(LOG_LEVELS, { error: expected("debug, info, warning or error") }).optional(),
}, { error: expectedSecret('an object such as { "listen": ["127.0.0.1:1080"] }') });

/** Reads and checks the settings. Its messages say what was found and what is expected, never a secret. */
export const schema: z.ZodType<Config> = config;

/** The names of all settings, in the order of {@linkcode Config}. */
export const SETTINGS: readonly (keyof Config)[] = Object.keys(config.shape) as (keyof Config)[];

/**
 * The keys that an object within the settings can have.
 *
 * @param path Where it stands: empty for the settings themselves.
 */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  return path[0] === "users" ? Object.keys(user.shape) : SETTINGS;
}

function isEndpoint(text: string): boolean {
  try {
    parseEndpoint(text);
    return true;
  } catch {
    return false;
  }
}

/** An address that a client could connect to. */
function parseAdvertised(text: string): string | undefined {
  const ip = parseIp(text);
  if (ip === undefined || ["unspecified", "multicast", "broadcast"].includes(classifyIp(ip))) return undefined;
  return ip;
}

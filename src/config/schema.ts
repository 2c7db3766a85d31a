/**
 * The rules for each setting, and what a breach of them says.
 *
 * @module
 */

import { z } from "zod";
import { parseIp } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import { type Config, LAST_WORDS, LOG_FORMATS, LOG_LEVELS, RELOAD_MODES } from "./config.ts";
import { forwards } from "./forward_schema.ts";
import { auth } from "./auth_schema.ts";
import { limits, logins } from "./limit_schema.ts";
import { listen } from "./listen_schema.ts";
import { outgoing, resolver } from "./outgoing_schema.ts";
import { parsePortRange } from "./port_range.ts";
import { rules } from "./rule_schema.ts";
import { count, duration, expected, expectedSecret, flag, oneOf, path, readAs } from "./schema_parts.ts";
import type { Secret } from "./secret.ts";
import { store, type StoreSetting } from "./store_schema.ts";
import { upstreams, via } from "./upstream_schema.ts";
import type { UpstreamSetting } from "./upstream_setting.ts";
import { users, type UserSetting } from "./user_schema.ts";

/** The settings of one place, checked: secrets are not fetched yet. */
export interface Settings extends Omit<Config, "users" | "store" | "upstreams" | "via"> {
  /** Who may log in. */
  readonly users?: readonly UserSetting[] | undefined;
  /** Where counts are kept. */
  readonly store?: StoreSetting | undefined;
  /** Ways out. */
  readonly upstreams?: readonly UpstreamSetting[] | undefined;
  /** The way out of what no rule says another for. */
  readonly via?: readonly Secret[] | undefined;
}

const advertiseWords = expected("an IP address that clients can reach, such as 192.0.2.1 or 2001:db8::1");
const portRangeWords = expected("FROM-TO such as 40000-40999 (ports 1 to 65535, FROM not above TO)");
const runAsWords = expected("USER or USER:GROUP");

const bounds = z.strictObject({
  sessions: count.describe("Sessions at once; further clients wait.").optional(),
  associations: count.describe("UDP associations at once.").optional(),
  destinations: count.describe("Destinations that an association remembers.").optional(),
  lookups: count.describe("Names that an association has being resolved at once.").optional(),
}, { error: expected('an object such as { "sessions": 10000 }') });

const settings = z.strictObject({
  listen: listen.describe("Where to listen: HOST:PORT, [IPv6]:PORT or unix:PATH. Default: 127.0.0.1:1080.").optional(),
  users: users.describe("Who may log in; with users everybody has to.").optional(),
  usersFile: path.describe("A file with further users, as socks-server passwd writes it.").optional(),
  auth: auth.describe("Ways to log in other than by password.").optional(),
  rules: rules.describe("Who may do what; the first rule that applies decides.").optional(),
  otherwise: oneOf(LAST_WORDS).describe("What happens where no rule decides. Default: safe.").optional(),
  limits: limits.describe("How many sessions, how fast, how much.").optional(),
  logins: logins.describe("What becomes of clients that cannot log in.").optional(),
  store: store.describe("Where counts are kept that outlive the process or are shared.").optional(),
  outgoing: outgoing.describe("How the server leaves its machine.").optional(),
  upstreams: upstreams.describe("Ways out: proxies, chains of them, and groups.").optional(),
  via: via.describe("The way out of what no rule says another for: a name, or URLs of proxies. Default: direct.")
    .optional(),
  forwards: forwards.describe("Ports that lead to one target each.").optional(),
  resolver: resolver.describe("How names become addresses.").optional(),
  handshakeTimeout: duration.describe("The time for greeting, login and request. Default: 30s.").optional(),
  connectTimeout: duration.describe("The time to connect to a target. Default: 2m.").optional(),
  bindTimeout: duration.describe("The time for the peer of a BIND to come. Default: 2m.").optional(),
  idleTimeout: duration.describe("The time that a session may go without a byte. Default: 2h.").optional(),
  drainTimeout: duration.describe("The time that sessions may go on after the signal to stop. Default: 30s.")
    .optional(),
  bounds: bounds.describe("Bounds on what the server holds, whoever its clients are.").optional(),
  advertise: readAs(z.string({ error: advertiseWords }), parseAdvertised, advertiseWords)
    .describe("The address that replies to BIND and UDP ASSOCIATE state.").optional(),
  udpPorts: readAs(z.string({ error: portRangeWords }), parsePortRange, portRangeWords)
    .describe("The ports that take clients' UDP datagrams: FROM-TO.").optional(),
  mixed: flag.describe("Whether HTTP proxying is served on the same ports. Default: where all of them are on loopback.")
    .optional(),
  ident: flag.describe("Whether SOCKS4 user ids are checked with IDENT (RFC 1413).").optional(),
  trustUserIds: flag.describe("Whether a SOCKS4 user id that is a user's name is believed, without a password.")
    .optional(),
  resolveCommands: flag.describe(
    "Whether clients may ask for lookups, by Tor's commands. Default: those on this machine.",
  )
    .optional(),
  allowPrivate: flag.describe("Whether other machines may reach loopback, private and link-local addresses.")
    .optional(),
  open: flag.describe("Whether other machines may use the server without a login.").optional(),
  logLevel: oneOf(LOG_LEVELS).describe("How much is logged. Default: info.").optional(),
  logFormat: oneOf(LOG_FORMATS).describe("How lines of the log look. Default: auto, text on a terminal and else json.")
    .optional(),
  logFile: path.describe("The file that is logged to. Default: standard error.").optional(),
  reload: oneOf(RELOAD_MODES).describe("What becomes of running sessions on a reload. Default: keep.").optional(),
  watch: flag.describe("Whether a change of the files reloads them.").optional(),
  runAs: z.string({ error: runAsWords }).regex(/^[^\s:]+(?::[^\s:]+)?$/, { error: runAsWords })
    .describe("Who the process becomes once it listens: USER or USER:GROUP.").optional(),
}, { error: expectedSecret('an object such as { "listen": ["127.0.0.1:1080"] }') });

/** Reads and checks the settings of one place. Its messages say what was found and what is expected, never a secret. */
export const schema: z.ZodType<Settings> = settings;

/** The names of all settings, in the order of the schema. */
export const SETTINGS: readonly (keyof Config)[] = Object.keys(settings.shape) as (keyof Config)[];

/** An address that a client could connect to. */
function parseAdvertised(text: string): string | undefined {
  const ip = parseIp(text);
  if (ip === undefined || ["unspecified", "multicast", "broadcast"].includes(classifyIp(ip))) return undefined;
  return ip;
}

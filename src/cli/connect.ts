/**
 * What connects standard input and output to a target.
 *
 * @module
 */

import { connect as connectThrough } from "../client/connect.ts";
import { deadline } from "../client/deadline.ts";
import { withSignal } from "../client/dial_through.ts";
import { ProxyError } from "../client/proxy_error.ts";
import { proxyFromEnvironment } from "../client/proxy_from_environment.ts";
import { interleaveFamilies, race } from "../client/race.ts";
import { ConfigError } from "../config/config_error.ts";
import { printable } from "../config/printable.ts";
import { formatHostPort } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { Target } from "../protocol/address.ts";
import { relayDuplex } from "../relay/relay.ts";
import { currentRuntime } from "../runtime/detect.ts";
import type { Connection, Duplex, Runtime } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { ConnectArguments } from "./connect_command.ts";
import { NOBODY_READS, standardStreams } from "./standard_streams.ts";
import type { Terminal } from "./terminal.ts";
import { proxiesOf, readVia } from "./via_arguments.ts";
import { readWays, type Way } from "./via_settings.ts";

/** What it works with, so that it can be tried without a process. */
export interface ConnectTools {
  /** The system. */
  readonly runtime: () => Promise<Runtime>;
  /** Standard input and output. */
  readonly streams: () => Duplex;
}

const TOOLS: ConnectTools = { runtime: currentRuntime, streams: standardStreams };
const NOTHING = new Uint8Array(0);

/**
 * Connects to a target and relays until both directions have ended.
 *
 * @param given What was given on the command line.
 * @param terminal Where the program was started.
 * @param tools What it works with.
 * @returns The exit code: 0, or 1 if it cannot connect or the connection breaks.
 * @throws {ConfigError} For a mistake in what was given.
 */
export async function runConnect(
  given: ConnectArguments,
  terminal: Terminal,
  tools: ConnectTools = TOOLS,
): Promise<number> {
  const { target } = given;
  const way = await wayFor(given, terminal);
  const runtime = await tools.runtime();
  let connection: Connection & Duplex;
  try {
    connection = await open(target, way, given.timeout, runtime);
  } catch (error) {
    return told(error, terminal);
  }
  const meter = { sent: 0, received: 0 };
  try {
    await relayDuplex(tools.streams(), connection, { early: NOTHING, meter });
    return 0;
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    // As in "… | head -1": who left knows.
    if (error.message === NOBODY_READS) return 1;
    terminal.err(printable(`The connection to "${formatHostPort(target.host, target.port)}" broke: ${error.message}`));
    return 1;
  }
}

async function wayFor(given: ConnectArguments, terminal: Terminal): Promise<Way> {
  if (given.config !== undefined) {
    const way = await readWays(given, terminal);
    if (way !== undefined) return way;
  } else {
    const via = await readVia(given, terminal);
    if (via.items.length > 0) return { proxies: proxiesOf(via) };
  }
  const { host, port } = given.target;
  const { env } = terminal;
  if (!(env.all_proxy ?? env.ALL_PROXY)) {
    throw new ConfigError(["Found no proxy, expected --via URL, or one in SOCKS_VIA or ALL_PROXY"]);
  }
  try {
    const proxy = proxyFromEnvironment(`tcp://${formatHostPort(host, port)}`, env);
    return { proxies: proxy === undefined ? [] : [proxy] };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigError([error.message.replace(/^Cannot read the proxy/, "ALL_PROXY")]);
  }
}

async function open(
  target: Target,
  { proxies, authorities }: Way,
  timeout: number,
  runtime: Runtime,
): Promise<Connection & Duplex> {
  if (proxies.length > 0) return await connectThrough(target, { proxy: proxies, authorities, timeout, runtime });
  const limit = deadline(undefined, timeout);
  try {
    const { signal } = limit;
    const ips = target.type === "name"
      ? await withSignal(runtime.lookup(target.host, { signal }), signal)
      : [target.host];
    const addresses = interleaveFamilies(ips.map((ip) => ({ ip, port: target.port })));
    return duplexOf(await race(addresses, (to, signal) => runtime.connect(to, { signal }), signal));
  } finally {
    limit.end();
  }
}

/** Says why it failed; an error of the program itself is not told here. */
function told(error: unknown, terminal: Terminal): number {
  if (!(error instanceof NetError)) throw error;
  terminal.err(printable(`${error.message}${error instanceof ProxyError ? replyOf(error) : ""}`));
  return 1;
}

/** The reply to the last proxy is about the target, that to another about the proxy after it. */
function replyOf({ reply, isLast, hop }: ProxyError): string {
  if (reply === undefined) return "";
  return isLast ? ` (reply ${reply})` : ` (reply ${reply}, asked for proxy ${hop + 2})`;
}

/**
 * What checks a proxy.
 *
 * @module
 */

import { checkProxy } from "../client/check_proxy.ts";
import type { Finding } from "../client/check_finding.ts";
import { formatProxy, type Proxy } from "../client/proxy.ts";
import { proxyFromEnvironment } from "../client/proxy_from_environment.ts";
import { ConfigError } from "../config/config_error.ts";
import { printable } from "../config/printable.ts";
import { NetError } from "../net/errors.ts";
import { currentRuntime } from "../runtime/detect.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CheckArguments } from "./check_command.ts";
import { checkJson, findingLines, speedLine, verdictLine } from "./check_report.ts";
import type { Terminal } from "./terminal.ts";
import { proxiesOf, readVia } from "./via_arguments.ts";

/** What it works with, so that it can be tried without a network. */
export interface CheckTools {
  /** The system. */
  readonly runtime: () => Promise<Runtime>;
  /** Reads a clock, in milliseconds. */
  readonly now: () => number;
}

const TOOLS: CheckTools = { runtime: currentRuntime, now: () => performance.now() };
const MOST_BYTES = 32 << 20;
const LONGEST = 60_000;

/**
 * Checks a proxy and prints what it found.
 *
 * @param given What was given on the command line.
 * @param terminal Where the program was started.
 * @param tools What it works with.
 * @returns The exit code: 0, or 1 if the proxy is of no use.
 * @throws {ConfigError} For a mistake in what was given.
 */
export async function runCheck(given: CheckArguments, terminal: Terminal, tools: CheckTools = TOOLS): Promise<number> {
  const proxy = await proxyOf(given, terminal);
  const { target, timeout, quick, json } = given;
  const shown = formatProxy(proxy);
  if (!json) terminal.out(printable(shown));
  let before: Finding | undefined;
  try {
    const check = await checkProxy(proxy, {
      runtime: await tools.runtime(),
      now: tools.now,
      target,
      timeout,
      longest: LONGEST,
      bytes: quick ? 0 : MOST_BYTES,
      onFinding(finding) {
        if (!json) { for (const line of findingLines(finding, before)) terminal.out(printable(line)); }
        before = finding;
      },
    });
    if (json) {
      terminal.out(checkJson(shown, check));
    } else {
      if (check.speed !== undefined) terminal.out(`\n${speedLine(check.speed)}`);
      terminal.out(`\n${printable(verdictLine(check))}`);
    }
    return check.verdict === "unusable" ? 1 : 0;
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    if (json) terminal.out(checkJson(shown, { verdict: "unusable", faults: [error.message], findings: [] }));
    else terminal.err(printable(`Unusable: ${error.message}`));
    return 1;
  }
}

async function proxyOf({ url, viaFile }: CheckArguments, terminal: Terminal): Promise<Proxy> {
  if (url !== undefined && viaFile !== undefined) {
    throw new ConfigError(["--via-file: found a URL as well, expected one of them"]);
  }
  const via = url === undefined ? await readVia({ viaFile }, terminal) : { items: [url], where: "url" };
  const found = proxiesOf(via);
  if (found.length > 1) throw new ConfigError([`${via.where}: found ${found.length} proxies, expected one`]);
  const proxy = found[0] ?? fromEnvironment(terminal);
  if (proxy === undefined) throw new ConfigError(["Found no proxy, expected a URL, or one in SOCKS_VIA or ALL_PROXY"]);
  return proxy;
}

function fromEnvironment({ env }: Terminal): Proxy | undefined {
  try {
    return proxyFromEnvironment("tcp://proxy.invalid:1", { all_proxy: env.all_proxy, ALL_PROXY: env.ALL_PROXY });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigError([error.message.replace(/^Cannot read the proxy/, "ALL_PROXY")]);
  }
}

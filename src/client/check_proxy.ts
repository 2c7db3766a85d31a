/**
 * Whether a proxy is worth using.
 *
 * @module
 */

import { type IpAddress, ipVersion } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CheckBench, type CheckPlace } from "./check_bench.ts";
import { binds, relaysDatagrams } from "./check_commands.ts";
import { detailOf, type Finding, NoGood, type TrialName, TRIALS } from "./check_finding.ts";
import { reachesIpv6, refusesPassword, resolves, speaks, type Trial, wantsLogin } from "./check_protocols.ts";
import { saysRefused, saysUnknownCommand, saysUnknownName, saysUnknownType, saysUnreachable } from "./check_replies.ts";
import { measure, type Speed } from "./check_speed.ts";
import { passesEnd, passesEndBack, takesAllAtOnce, takesPieces } from "./check_streams.ts";
import { CheckTarget } from "./check_target.ts";
import { judge, type Verdict } from "./check_verdict.ts";
import { deadline } from "./deadline.ts";
import { withSignal } from "./dial_through.ts";
import type { Proxy } from "./proxy.ts";

/** How to check a proxy. */
export interface CheckOptions {
  /** The system. */
  readonly runtime: Runtime;
  /**
   * Where to connect to. What a check asks of its own target is then left out.
   *
   * @default A target that the check brings with it, on this machine.
   */
  readonly target?: Target | undefined;
  /** How long each trial may take, in milliseconds. */
  readonly timeout: number;
  /** How long it all may take, in milliseconds. */
  readonly longest: number;
  /** The most that goes each way to measure throughput, in bytes; 0 measures nothing. */
  readonly bytes: number;
  /** Reads a clock, in milliseconds. */
  readonly now: () => number;
  /** Called with each finding as it is made. */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/** What came of a check. */
export interface ProxyCheck {
  /** Whether it is worth using. */
  readonly verdict: Verdict;
  /** What speaks against it, in words. */
  readonly faults: readonly string[];
  /** What was found out, trial by trial. */
  readonly findings: readonly Finding[];
  /** How fast it is; absent if nothing was measured. */
  readonly speed?: Speed | undefined;
}

const RUNS: Readonly<Record<TrialName, Trial>> = {
  "socks5": speaks("socks5"),
  "socks4": speaks("socks4"),
  "socks4a": speaks("socks4a"),
  "http": speaks("http"),
  "names": resolves,
  "ipv6": reachesIpv6,
  "bind": binds,
  "udp": relaysDatagrams,
  "login-required": wantsLogin,
  "wrong-password": refusesPassword,
  "half-close": passesEnd,
  "half-close-back": passesEndBack,
  "split": takesPieces,
  "pipelined": takesAllAtOnce,
  "refused": saysRefused,
  "unknown-name": saysUnknownName,
  "unreachable": saysUnreachable,
  "unknown-command": saysUnknownCommand,
  "unknown-address-type": saysUnknownType,
};

/** How many connections are timed, and how many round trips. */
const ROUNDS = 15;
/** How long bytes go each way, in milliseconds. */
const STREAMING = 1_000;

/**
 * Tries a proxy out, one trial after the other.
 *
 * @param proxy The proxy, with its login.
 * @param options How.
 * @throws {NetError} If there is no target to be had, or the proxy cannot be reached at all.
 */
export async function checkProxy(proxy: Proxy, options: CheckOptions): Promise<ProxyCheck> {
  const { runtime, timeout, now } = options;
  const bench = new CheckBench({ proxy, runtime, now, place: await findPlace(proxy, options) });
  const whole = deadline(undefined, options.longest);
  try {
    const findings: Finding[] = [];
    for (const name of TRIALS) {
      const finding = await attempt(name, bench, whole.signal, timeout);
      findings.push(finding);
      options.onFinding?.(finding);
    }
    const speed = await speedOf(bench, options, whole.signal);
    const { verdict, faults } = judge(findings, protocolOf(proxy));
    return { verdict, faults: [...faults, ...adviceOn(verdict, bench)], findings, ...speed !== undefined && { speed } };
  } finally {
    whole.end();
    bench.place.ours?.close();
    bench.place.ours6?.close();
  }
}

/** The protocol that a URL names. */
function protocolOf({ scheme }: Proxy): TrialName {
  return scheme === "socks5h" ? "socks5" : scheme;
}

async function attempt(name: TrialName, bench: CheckBench, whole: AbortSignal, timeout: number): Promise<Finding> {
  if (whole.aborted) return { name, outcome: "skipped", detail: "no time is left" };
  const limit = deadline(whole, timeout);
  bench.signal = limit.signal;
  try {
    return { name, outcome: "yes", detail: await withSignal(RUNS[name](bench), limit.signal) };
  } catch (error) {
    return { name, outcome: error instanceof NoGood ? error.outcome : "no", detail: detailOf(error) };
  } finally {
    limit.end();
    bench.clear();
  }
}

async function speedOf(bench: CheckBench, options: CheckOptions, whole: AbortSignal): Promise<Speed | undefined> {
  if (bench.spoken.length === 0 || options.bytes === 0 || whole.aborted) return undefined;
  const limit = deadline(whole, options.timeout + 2 * STREAMING);
  bench.signal = limit.signal;
  try {
    return await withSignal(
      measure(bench, { rounds: ROUNDS, bytes: options.bytes, time: STREAMING }),
      limit.signal,
    );
  } catch {
    return undefined; // too slow, or too shaky: the findings tell
  } finally {
    limit.end();
    bench.clear();
  }
}

/** A target of our own is where the proxy reaches this machine: at the address that we reach it from. */
async function findPlace(proxy: Proxy, options: CheckOptions): Promise<CheckPlace> {
  const { runtime, target } = options;
  if (target !== undefined) return { target, ...target.type === "name" && { named: target } };
  const probe = new CheckBench({
    proxy: { ...proxy, tls: false },
    runtime,
    now: options.now,
    place: { target: NOWHERE },
  });
  const limit = deadline(undefined, options.timeout);
  probe.signal = limit.signal;
  let local: IpAddress;
  try {
    const connection = await probe.raw();
    local = connection.local?.ip ?? "127.0.0.1";
  } finally {
    limit.end();
    probe.clear();
  }
  const isLoopback = classifyIp(local) === "loopback";
  const ours = await CheckTarget.open(runtime, isLoopback ? "127.0.0.1" : local);
  const ip6 = isLoopback
    ? "::1"
    : runtime.interfaces().find((ip) => ipVersion(ip) === 6 && classifyIp(ip) === "global");
  const ours6 = ip6 === undefined ? undefined : await CheckTarget.open(runtime, ip6).catch(() => undefined);
  return {
    ours,
    ours6,
    target: targetOf(ours.ip, ours.port),
    ...isLoopback && { named: targetOf("localhost", ours.port) },
  };
}

/** A proxy elsewhere may be right not to connect to this machine. */
function adviceOn(verdict: Verdict, { place }: CheckBench): readonly string[] {
  if (verdict !== "unusable" || place.ours === undefined || classifyIp(place.ours.ip) === "loopback") return [];
  return [`if it just cannot reach this machine, at ${place.ours.ip}, name a target that it can`];
}

const NOWHERE = targetOf("127.0.0.1", 1);

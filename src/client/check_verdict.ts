/**
 * What it all comes to.
 *
 * @module
 */

import type { Finding, TrialName } from "./check_finding.ts";

/** Whether a proxy is worth using: all that counts works; or most of it does; or nothing comes through. */
export type Verdict = "good" | "usable" | "unusable";

/** What a program may rely on: a proxy without it works until the day that it does not. */
const RELIED_ON: Partial<Record<TrialName, string>> = {
  "names": "it does not look names up",
  "half-close": "an end of ours cuts off the answer",
  "half-close-back": "an end of the target cuts us off",
  "split": "a handshake in pieces fails",
  "refused": "a refusal cannot be told from other failures",
  "unknown-name": "an unknown name cannot be told from other failures",
  "wrong-password": "any password will do",
};

/** Protocols, of which one will do. */
const PROTOCOLS: readonly TrialName[] = ["socks5", "socks4", "socks4a", "http"];

/**
 * Judges.
 *
 * @param findings What was found out.
 * @param asked The protocol that the proxy's URL names.
 * @returns The verdict, and what speaks against the proxy.
 */
export function judge(
  findings: readonly Finding[],
  asked: TrialName,
): { readonly verdict: Verdict; readonly faults: readonly string[] } {
  const of = (name: TrialName): Finding | undefined => findings.find((finding) => finding.name === name);
  if (!PROTOCOLS.some((name) => of(name)?.outcome === "yes")) {
    return { verdict: "unusable", faults: [`nothing comes through: ${of(asked)?.detail ?? "nothing was tried"}`] };
  }
  const faults: string[] = [];
  if (of("socks5")?.outcome === "no") faults.push("it does not speak SOCKS5");
  for (const [name, fault] of Object.entries(RELIED_ON) as [TrialName, string][]) {
    const outcome = of(name)?.outcome;
    if (outcome === "no" || outcome === "unclear") faults.push(fault);
  }
  return { verdict: faults.length === 0 ? "good" : "usable", faults };
}

/**
 * How long a set of rules takes to decide: `deno run scripts/bench_rules.ts`.
 *
 * @module
 */

import type { Rule } from "../src/policy/rule.ts";
import { compileRules } from "../src/policy/rule_set.ts";
import type { AddressInfo, RequestInfo } from "../src/policy/rules.ts";

const SIZES = [10, 1000, 10_000];
const CALLS = 20_000;

/**
 * A mixed set: no two rules are about the same, some have several conditions, one in a hundred a regular expression. Those
 * about addresses deny: one that may allow would settle at once that a name has to be looked up.
 */
function rule(i: number): Rule {
  const [high, low] = [i >> 8 & 255, i & 255];
  const action = i % 3 === 0 ? "allow" : "deny";
  switch (i % 10) {
    case 0:
      return { action: "deny", to: [`198.${high}.${low}.0/24`, `2001:db8:${i.toString(16)}::/48`] };
    case 1:
      return { action, to: [`.zone${i}.example`] };
    case 2:
      return { action, to: [`host${i}.example.com`], ports: [443] };
    case 3:
      return { action, users: [`user${i}`] };
    case 4:
      return { action, from: [`10.${high}.${low}.0/24`], ports: ["1-1023"] };
    case 5:
      return { action, groups: [`group${i}`], to: [".corp.example"] };
    case 6:
      return { action, to: [`*.cdn${i}.example.net`], commands: ["connect"] };
    case 7:
      return { action: "deny", to: [`203.${high}.${low}.7`], ports: [80, 443], users: ["*"] };
    case 8:
      return {
        action,
        users: [`guest${i}`],
        times: [{ days: "mon-fri", hours: "08:00-18:00", zone: "Europe/Berlin" }],
      };
    default:
      if (i % 100 === 99) return { action, to: [`/^ads?${i}\\d*\\./`] };
      return { action: "deny", to: [`100.${high}.${low}.0/25`, `mixed${i}.example.org`] };
  }
}

const request = (host: string): RequestInfo => ({
  id: 1,
  openedAt: 0,
  client: { ip: "172.20.1.9", port: 40000 },
  listener: { ip: "0.0.0.0", port: 1080 },
  isLocal: false,
  signal: new AbortController().signal,
  protocol: "socks5",
  user: { name: "ada", groups: ["staff"] },
  command: "connect",
  target: { type: "name", host, port: 443 },
});
const address = (ip: string, name?: string): AddressInfo => ({ ip, port: 443, address: { ip, port: 443 }, name });

/** Microseconds a call, the best of five rounds. */
function measure(call: () => unknown): string {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) call();
    best = Math.min(best, performance.now() - start);
  }
  return `${(best * 1000 / CALLS).toFixed(2)} µs`;
}

const rows: Record<string, Record<string, string>> = {};
for (const size of SIZES) {
  const start = performance.now();
  const rules = compileRules(Array.from({ length: size }, (_, i) => rule(i)), { otherwise: "deny" });
  const compiled = `${(performance.now() - start).toFixed(1)} ms`;
  const last = size - 9; // the last that names a zone
  const { rule: decides } = rules.explain(request(`a.zone${last}.example`));
  if (decides !== `rule ${last + 1}`) throw new Error(`${decides} decides on the last zone of ${size}`);
  const [early, late, none] = [
    request("a.zone1.example"),
    request(`a.zone${last}.example`),
    request("www.example.org"),
  ];
  rows[`${size} rules`] = {
    "compile": compiled,
    "name, early": measure(() => rules.request(early)),
    "name, late": measure(() => rules.request(late)),
    "name, none": measure(() => rules.request(none)),
    "IPv4, early": measure(() => rules.address(address("198.0.0.1"), none)),
    "IPv4, late": measure(() => rules.address(address(`198.${size - 10 >> 8 & 255}.${size - 10 & 255}.1`), none)),
    "IPv4, none": measure(() => rules.address(address("93.184.216.34", "www.example.org"), none)),
    "IPv6, none": measure(() => rules.address(address("2606:2800:220:1::1946", "www.example.org"), none)),
  };
}
console.table(rows);

import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { targetOf } from "../../src/protocol/address.ts";
import { embeddedIpv4 } from "../../src/net/ip_class.ts";
import type { Decision } from "../../src/policy/authorise.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { type CompileOptions, compileRules } from "../../src/policy/rule_set.ts";
import type { AddressInfo, RequestInfo } from "../../src/policy/rules.ts";

const request = (host = "example.com", port = 443, more: Partial<RequestInfo> = {}): RequestInfo => ({
  id: 1,
  openedAt: 0,
  client: { ip: "192.0.2.1", port: 40000 },
  listener: { ip: "0.0.0.0", port: 1080 },
  isLocal: false,
  signal: new AbortController().signal,
  protocol: "socks5",
  user: undefined,
  command: "connect",
  target: targetOf(host, port),
  ...more,
});
const address = (ip: string, name?: string, port = 443): AddressInfo => ({
  ip: embeddedIpv4(ip) ?? ip,
  port,
  address: { ip, port },
  name,
});

function short(decision: Decision): string | undefined {
  if (decision === undefined) return undefined;
  return "deny" in decision ? `deny ${decision.rule}` : `${decision.allow} ${decision.rule}`;
}
const ofRequest = (rules: readonly Rule[], asked: RequestInfo, options?: CompileOptions) =>
  short(compileRules(rules, options).request(asked));
const ofAddress = (rules: readonly Rule[], info: AddressInfo, options?: CompileOptions, asked = request()) =>
  short(compileRules(rules, options).address(info, asked));

const allow = (rule: Omit<Rule, "action">): Rule => ({ action: "allow", ...rule });
const deny = (rule: Omit<Rule, "action">): Rule => ({ action: "deny", ...rule });

test("without rules the last word holds", () => {
  const words = { "safe": undefined, "allow": "always otherwise", "deny": "deny otherwise" } as const;
  for (const [otherwise, expected] of Object.entries(words)) {
    const options = { otherwise: otherwise as "safe" };
    assertEquals([ofRequest([], request(), options), ofAddress([], address("10.0.0.1"), options)], [
      expected,
      expected,
    ]);
  }
});

test("the first rule that applies decides", () => {
  const rules = [deny({ ports: [25] }), allow({ to: ["example.com"] }), deny({ to: [".com"] }), allow({})];
  assertEquals(ofRequest(rules, request("example.com", 25)), "deny rule 1");
  assertEquals(ofRequest(rules, request("example.com")), "safely rule 2");
  assertEquals(ofRequest(rules, request("www.example.com")), "deny rule 3");
  assertEquals(ofRequest(rules, request("example.org")), "safely rule 4");
});

test("a verdict brings what the rule says", () => {
  const limits = { upload: 1000 };
  const rules = compileRules([
    deny({ name: "mail", ports: [25], reason: "no mail", log: "refused" }),
    allow({ name: "web", ports: [443], via: "office", limits, log: "none" }),
  ]);
  assertEquals(rules.request(request("x.net", 25)), {
    ...{ deny: "no mail", told: "no mail", rule: "mail", log: "refused" },
  });
  assertEquals(rules.request(request("x.net", 443)), {
    ...{ allow: "safely", rule: "web", via: "office", limits: { upload: 1000, name: "web" }, log: "none" },
  });
  assertEquals(compileRules([deny({})]).request(request()), {
    deny: "denied by rule 1",
    told: undefined,
    rule: "rule 1",
    log: undefined,
  });
});

test("each condition on the client is looked at", () => {
  const ada = { name: "ada", groups: ["staff", "admins"] };
  const cases: readonly (readonly [Omit<Rule, "action">, Partial<RequestInfo>, Partial<RequestInfo>])[] = [
    [{ from: ["192.0.2.0/24"] }, {}, { client: { ip: "192.0.3.1", port: 1 } }],
    [{ from: ["2001:db8::/32"] }, { client: { ip: "2001:db8::1", port: 1 } }, {}],
    [{ from: ["loopback"] }, { client: { ip: "::1", port: 1 } }, {}],
    [{ from: ["loopback"] }, { client: undefined, isLocal: true }, { client: undefined, isLocal: false }],
    [{ users: ["ada", "bob"] }, { user: { name: "bob" } }, { user: { name: "Bob" } }],
    [{ users: ["*"] }, { user: { name: "eve" } }, {}],
    [{ groups: ["admins"] }, { user: ada }, { user: { name: "admins" } }],
    [{ commands: ["bind", "connect"] }, {}, { command: "udp-associate" }],
    [{ listeners: ["inside"] }, { listenerName: "inside" }, { listenerName: "outside" }],
    [{ listeners: ["0.0.0.0:1080"] }, { listenerName: "inside" }, { listener: { ip: "0.0.0.0", port: 1081 } }],
    [{ listeners: ["[::0]:1080"] }, { listener: { ip: "::", port: 1080 } }, {}],
    [{ listeners: ["localhost:1080"] }, { listener: { ip: "127.0.0.1", port: 1080 } }, {}],
    [{ listeners: ["unix:/run/s"] }, { listener: { path: "/run/s" } }, { listener: undefined }],
  ];
  for (const [rule, yes, no] of cases) {
    const text = JSON.stringify([rule, yes, no]);
    assertEquals(ofRequest([allow(rule)], request("x.net", 443, yes)), "safely rule 1", text);
    assertEquals(ofRequest([allow(rule)], request("x.net", 443, no)), undefined, text);
  }
  assertEquals(ofRequest([allow({ from: ["any"] })], request("x.net", 1, { client: undefined })), "safely rule 1");
  assertEquals(ofRequest([allow({ from: ["0.0.0.0/0"] })], request("x.net", 1, { client: undefined })), undefined);
});

test("times are looked at with the clock that was given, at each question", () => {
  let now = Date.parse("2026-11-20T12:00Z");
  const rules = compileRules([allow({ times: [{ days: "fri", zone: "UTC" }] })], { otherwise: "deny", now: () => now });
  assertEquals(short(rules.request(request())), "safely rule 1");
  now += 24 * 3600_000;
  assertEquals(short(rules.request(request())), "deny otherwise");
});

test("a name is denied without a lookup where no address could change that", () => {
  const rules = [allow({ to: ["10.0.0.0/8"], users: ["ada"] }), deny({ to: ["private"] })];
  assertEquals(ofRequest(rules, request(), { otherwise: "deny" }), "deny otherwise");
  const ada = request("example.com", 443, { user: { name: "ada" } });
  assertEquals(ofRequest(rules, ada, { otherwise: "deny" }), undefined);
  assertEquals(ofRequest(rules, request(), { otherwise: "allow" }), undefined);
  assertEquals(ofRequest([deny({ to: ["any"] })], request()), "deny rule 1");
});

test("an earlier rule about addresses overrides a later one about the name", () => {
  const rules = [deny({ to: ["10.0.0.0/8"] }), allow({ to: [".example.com"] })];
  assertEquals(ofRequest(rules, request()), undefined);
  assertEquals(ofAddress(rules, address("10.0.0.1", "example.com")), "deny rule 1");
  assertEquals(ofAddress(rules, address("192.0.2.9", "example.com")), "safely rule 2");
});

test("only an allow that lists the address, or says so, overrides the safe defaults", () => {
  const of = (rule: Omit<Rule, "action">, ip = "10.0.0.1") => ofAddress([allow(rule)], address(ip, "example.com"));
  assertEquals(of({ to: ["10.0.0.0/8"] }), "always rule 1");
  assertEquals(of({ to: ["private"] }), "always rule 1");
  assertEquals(of({ to: ["private", "example.com"] }, "127.0.0.1"), "safely rule 1");
  for (const all of ["any", "0.0.0.0/0", "example.com"]) assertEquals(of({ to: [all] }), "safely rule 1", all);
  assertEquals(of({}), "safely rule 1");
  assertEquals(of({ allowPrivate: true }), "always rule 1");
  assertEquals(ofRequest([allow({ to: ["10.0.0.0/8"] })], request("10.0.0.1")), "always rule 1");
  assertEquals(ofRequest([allow({ to: ["10.0.0.0/8"] })], request("64:ff9b::a00:1")), "always rule 1");
});

test("an address that carries another is matched by both, and allowed for certain by what it carries alone", () => {
  const nat64 = address("64:ff9b::a00:1");
  assertEquals(ofAddress([deny({ to: ["10.0.0.0/8"] })], nat64), "deny rule 1");
  assertEquals(ofAddress([deny({ to: ["64:ff9b::/96"] })], nat64), "deny rule 1");
  assertEquals(ofRequest([deny({ to: ["64:ff9b::/96"] })], request("64:ff9b::a00:1")), "deny rule 1");
  assertEquals(ofAddress([allow({ to: ["64:ff9b::/96"] })], nat64), "safely rule 1");
  assertEquals(ofAddress([allow({ to: ["2000::/3"] })], address("2002:a00:1::1")), "safely rule 1");
});

test("a name that spells an address is that address", () => {
  const spelled = { type: "name", host: "１０.0.0.1", port: 443 } as const;
  assertEquals(ofRequest([deny({ to: ["10.0.0.0/8"] })], { ...request(), target: spelled }), "deny rule 1");
  assertEquals(ofRequest([deny({ to: ["*"] })], { ...request(), target: spelled }), undefined);
});

test("names are compared without regard to case, the dot at the end and how they are written", () => {
  const rules = [deny({ to: ["bücher.example"] })];
  for (const host of ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example", "bücher。example"]) {
    assertEquals(ofRequest(rules, request(host)), "deny rule 1", host);
  }
});

test("where an association will send to is not known from its request", () => {
  const associate = request("10.0.0.1", 5000, { command: "udp-associate" });
  assertEquals(ofRequest([deny({ to: ["10.0.0.0/8"] })], associate), undefined);
  assertEquals(ofRequest([allow({ ports: [53] })], associate, { otherwise: "deny" }), undefined);
  assertEquals(ofRequest([allow({ to: [".com"] })], associate, { otherwise: "deny" }), undefined);
  assertEquals(ofRequest([deny({ commands: ["udp-associate"] })], associate), "deny rule 1");
  assertEquals(ofRequest([deny({ ports: [53] })], associate, { otherwise: "deny" }), "deny otherwise");
});

test("a datagram is denied before its name is looked up where that is certain", () => {
  const associate = request("0.0.0.0", 0, { command: "udp-associate" });
  const rules = compileRules([deny({ to: ["private"] }), allow({ ports: [53] })], { otherwise: "deny" });
  assertEquals(short(rules.lookup(targetOf("dns.example", 53), associate)), undefined);
  assertEquals(short(rules.lookup(targetOf("dns.example", 54), associate)), "deny otherwise");
  assertEquals(short(rules.address(address("192.0.2.53", "dns.example", 53), associate)), "safely rule 2");
});

test("the peer of a BIND is known if it is named, and has no name if it may be anyone", () => {
  const rules = [deny({ to: ["10.0.0.0/8"] }), allow({})];
  assertEquals(ofRequest(rules, request("10.0.0.1", 0, { command: "bind" })), "deny rule 1");
  assertEquals(ofRequest(rules, request("0.0.0.0", 0, { command: "bind" })), undefined);
  const names = [allow({ to: [".com"] })];
  assertEquals(ofRequest(names, request("0.0.0.0", 0, { command: "bind" }), { otherwise: "deny" }), "deny otherwise");
});

test("a wrong rule is refused with where it is, what it is and what it should be", () => {
  const wrong: readonly (readonly [Rule, string])[] = [
    [allow({ to: ["10.0.0.1/8"] }), 'rules[1].to[0]: found "10.0.0.1/8", expected "10.0.0.0/8", if that is meant'],
    [allow({ to: [] }), "rules[1].to: found an empty list, expected a list of at least one"],
    [allow({ to: "any" as never }), 'rules[1].to: found "any", expected a list of at least one'],
    [allow({ users: [""] }), 'rules[1].users[0]: found "", expected a name'],
    [
      allow({ commands: ["connect", "conect" as never] }),
      'rules[1].commands[1]: found "conect", expected one of connect, bind, udp-associate, resolve',
    ],
    [
      allow({ times: [{ hours: "8-9" }] }),
      'rules[1].times[0]: found "8-9", expected hours such as "08:00-18:00" or "22:00-06:00"',
    ],
    [{ action: "permit" as never }, 'rules[1].action: found "permit", expected allow or deny'],
    [allow({ log: "no" as never }), 'rules[1].log: found "no", expected none or refused or all'],
  ];
  for (const [rule, message] of wrong) {
    const error = assertThrows(() => compileRules([allow({}), rule]), RangeError);
    assertEquals(error.message, `Cannot use ${message}`);
  }
});

test("a decision is explained: which rule, why, and why not the ones before", () => {
  const rules = compileRules([
    allow({ name: "staff", users: ["ada"] }),
    allow({ to: ["10.0.0.0/8"], ports: ["1-1023"] }),
    deny({ name: "ads", to: [".ads.example"], reason: "no ads" }),
    allow({}),
  ]);
  const early = rules.explain(request("x.ads.example"));
  assertEquals([early.verdict, early.index, early.rule], [undefined, undefined, undefined]);
  assertEquals(early.reason, "it depends on rule 2");
  const late = rules.explain(request("x.ads.example"), { name: "x.ads.example", ip: "192.0.2.9", port: 443 });
  assertEquals([late.verdict, late.index, late.rule, late.reason], [
    { deny: "no ads", told: "no ads", rule: "ads", log: undefined },
    ...[2, "ads", "no ads"],
  ]);
  assertEquals(late.rules.map(({ applies, because }) => `${applies}, ${because}`), [
    "no, users: nobody logged in",
    "no, to: x.ads.example or 192.0.2.9 is none of 10.0.0.0/8",
    "yes, all of its conditions apply",
  ]);
  const none = compileRules([deny({ ports: [25] })]).explain(request());
  assertEquals([none.rule, none.reason], ["otherwise", "no rule applies: the safe defaults decide"]);
  assertEquals(none.rules[0]!.because, "ports: 443 is none of 25");
});

test("ten thousand rules of each kind decide as the one that is meant", () => {
  const many = (make: (i: number) => Rule) => compileRules(Array.from({ length: 10_000 }, (_, i) => make(i)));
  const blocks = many((i) => deny({ to: [`10.${i >> 8}.${i & 255}.0/24`, `2001:db8:${i.toString(16)}::/48`] }));
  assertEquals(short(blocks.address(address("10.39.15.200"), request())), "deny rule 10000");
  assertEquals(short(blocks.address(address("2001:db8:270f:1::1"), request())), "deny rule 10000");
  assertEquals(short(blocks.address(address("10.39.16.1"), request())), undefined);
  const names = many((i) => deny({ to: [`.zone${i}.example`], users: ["ada"] }));
  assertEquals(short(names.request(request("a.b.zone9999.example", 1, { user: { name: "ada" } }))), "deny rule 10000");
  assertEquals(short(names.request(request("a.b.zone9999.example"))), undefined);
  const users = many((i) => deny({ to: [".example"], users: [`user${i}`] }));
  assertEquals(short(users.request(request("a.example", 1, { user: { name: "user7777" } }))), "deny rule 7778");
  const one = compileRules([deny({ to: Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`) })]);
  assert(one.address(address("10.39.15.200"), request()) !== undefined);
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { embeddedIpv4 } from "../../src/net/ip_class.ts";
import type { Target } from "../../src/protocol/address.ts";
import type { Destination } from "../../src/policy/question.ts";
import { type Rule, RULE_COMMANDS } from "../../src/policy/rule.ts";
import type { Decision } from "../../src/policy/authorise.ts";
import { compileRules } from "../../src/policy/rule_set.ts";
import type { AddressInfo, CommandName, RequestInfo } from "../../src/policy/rules.ts";
import { destinationOfRequest, known, naive } from "./_naive_rules.ts";

// Few values, so that rules and requests meet often.
const IPS = [
  ...["10.0.0.1", "10.1.2.3", "93.184.216.34", "127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "192.168.7.7"],
  ...["2001:db8::1", "2001:db8:0:1::5", "::1", "fd00:ec2::254", "64:ff9b::a00:1", "2002:a01:203::1", "ff02::1"],
];
const BLOCKS = [
  ...["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "93.184.216.34", "0.0.0.0/0", "::/0", "2001:db8::/32"],
  ...["2001:db8:0:1::/64", "64:ff9b::/96", "2000::/3", "128.0.0.0/1", "2001:db8::1"],
  ...["loopback", "private", "link-local", "metadata", "multicast", "any"],
];
const NAMES = ["example.com", "a.example.com", "b.a.example.com", "EXAMPLE.com.", "ads3.cdn.net", "localhost", "x.net"];
const NAME_ITEMS = [
  ...["example.com", ".example.com", "*.example.com", "a.*.com", "*cdn*", ".net", "/^ads?\\d*\\./", "*", "localhost"],
  ...["a.example.com", ".a.example.com"],
];
const PORTS: (number | string)[] = [80, 443, "443", "8000-8999", "1-1023", "0-65535"];
const [USERS, GROUPS, LISTENERS] = [["ada", "bob", "eve"], ["staff", "guests"], ["inside", "outside"]];

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const some = <T>(of: readonly T[]) => maybe(fc.uniqueArray(fc.constantFrom(...of), { minLength: 1, maxLength: 3 }));

const rule: fc.Arbitrary<Rule> = fc.record({
  action: fc.constantFrom("allow", "deny"),
  from: some(BLOCKS),
  users: some([...USERS, "*"]),
  groups: some(GROUPS),
  listeners: some(LISTENERS),
  commands: some(RULE_COMMANDS),
  to: fc.oneof(some([...BLOCKS, ...NAME_ITEMS]), some(NAME_ITEMS), some(BLOCKS)),
  ports: some(PORTS),
  allowPrivate: maybe(fc.boolean()),
}).map((rule) => {
  // Mostly one or two conditions: of eight at once hardly ever all apply.
  const fields = Object.entries(rule).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as unknown as Rule;
});
const thin = (rule: Rule, keep: readonly boolean[]): Rule =>
  Object.fromEntries(
    Object.entries(rule).filter(([key], at) => key === "action" || keep[at] === true),
  ) as unknown as Rule;
const rules = fc.array(fc.tuple(rule, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 })), { maxLength: 12 })
  .map((all) => all.map(([rule, keep]) => thin(rule, keep)));
const otherwise = fc.constantFrom("safe", "allow", "deny");

const port = fc.constantFrom(0, 80, 443, 8080, 25);
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ type: fc.constant("name" as const), host: fc.constantFrom(...NAMES), port }),
  fc.tuple(fc.constantFrom(...IPS), port).map(([host, port]) => ({
    type: host.includes(":") ? "ipv6" as const : "ipv4" as const,
    host,
    port,
  })),
);
const request: fc.Arbitrary<RequestInfo> = fc.record({
  client: maybe(fc.record({ ip: fc.constantFrom(...IPS), port })),
  isLocal: fc.boolean(),
  listenerName: maybe(fc.constantFrom(...LISTENERS)),
  user: maybe(fc.record({ name: fc.constantFrom(...USERS), groups: some(GROUPS) })),
  command: fc.constantFrom<CommandName>("connect", "connect", "bind", "udp-associate"),
  target,
}).map((info) => info as unknown as RequestInfo);

const address = (ip: string, port: number, name: string | undefined): AddressInfo => ({
  ip: embeddedIpv4(ip) ?? ip,
  port,
  address: { ip, port },
  name,
});
const anyAddress: fc.Arbitrary<AddressInfo> = fc.tuple(
  fc.constantFrom(...IPS),
  port,
  maybe(fc.constantFrom(...NAMES)),
).map(([ip, port, name]) => address(ip, port, name));

/** The addresses that a request may come to. */
function endsOf(request: RequestInfo): AddressInfo[] {
  const { name, ip, dialled, mayHaveName, port } = destinationOfRequest(request);
  const ips = ip === undefined ? IPS : [dialled ?? ip];
  const names = mayHaveName === true ? [undefined, ...NAMES] : [name];
  const ports = port === undefined ? [0, 80, 443, 8080, 25] : [port];
  return ips.flatMap((ip) => names.flatMap((name) => ports.map((port) => address(ip, port, name))));
}

function short(decision: Decision): string | undefined {
  if (decision === undefined) return undefined;
  return "deny" in decision ? `deny ${decision.rule}` : `allow ${decision.allow} ${decision.rule}`;
}

test("compiled rules say of an address what reading them one by one says", () => {
  fc.assert(
    fc.property(rules, otherwise, request, anyAddress, (rules, otherwise, request, info) => {
      const found = compileRules(rules, { otherwise }).address(info, request);
      assertEquals(short(found), naive(rules, otherwise, request, known(info)));
    }),
    { numRuns: 1000 },
  );
});

/** A rule as it applies to a name that nobody looks up: without addresses in `to`, and not at all if there is nothing else. */
function withoutAddresses(rule: Rule): readonly Rule[] {
  const { to, ...rest } = rule;
  const isAll = to === undefined || to.includes("any") || to.includes("0.0.0.0/0") && to.includes("::/0");
  if (isAll) return [rest];
  const names = to.filter((item) => NAME_ITEMS.includes(item));
  return names.length === 0 ? [] : [{ ...rest, to: names }];
}

test("compiled rules say of a name that is kept what those without addresses say, read one by one", () => {
  const names = request.filter(({ target, command }) => target.type === "name" && command === "connect");
  fc.assert(
    fc.property(rules, otherwise, names, (rules, otherwise, request) => {
      const named = rules.map((rule, at) => ({ ...rule, name: `rule ${at + 1}` }));
      const found = compileRules(named, { otherwise }).name(request.target, request);
      const without = named.flatMap(withoutAddresses);
      const of = compileRules(without, { otherwise }).request(request);
      assertEquals(short(found), short(of));
      assertEquals(
        short(found)?.replace(/rule .*/, ""),
        naive(without, otherwise, request, destinationOfRequest(request))?.replace(/rule .*/, ""),
      );
    }),
    { numRuns: 1000 },
  );
});

test("compiled rules say of a request what reading them one by one says", () => {
  fc.assert(
    fc.property(rules, otherwise, request, (rules, otherwise, request) => {
      const found = compileRules(rules, { otherwise }).request(request);
      assertEquals(short(found), naive(rules, otherwise, request, destinationOfRequest(request)));
    }),
    { numRuns: 1000 },
  );
});

test("whatever is known, compiled rules say what reading them one by one says", () => {
  const destination: fc.Arbitrary<Destination> = fc.record({
    name: maybe(fc.constantFrom(...NAMES)),
    mayHaveName: fc.boolean(),
    ip: maybe(fc.constantFrom(...IPS)),
    port: maybe(port),
  });
  fc.assert(
    fc.property(rules, otherwise, request, destination, (rules, otherwise, request, destination) => {
      const set = compileRules(rules, { otherwise });
      const found = set.decide(request, destination);
      assertEquals(short(found), naive(rules, otherwise, request, destination));
      assertEquals(set.explain(request, destination).verdict, found);
    }),
    { numRuns: 1000 },
  );
});

test("what is certain of a request holds for every address that it may come to", () => {
  fc.assert(
    fc.property(rules, otherwise, request, (rules, otherwise, request) => {
      const set = compileRules(rules, { otherwise });
      const early = set.request(request);
      if (early === undefined) return;
      for (const info of endsOf(request)) {
        const late = set.address(info, request);
        assert(late !== undefined, "an opinion was taken back");
        assertEquals("deny" in late, "deny" in early);
        // Of denials another may be the first to apply once more is known; an allow stays, or gets wider.
        if ("allow" in early && "allow" in late) {
          assertEquals(late.rule, early.rule);
          assert(early.allow === "safely" || late.allow === "always");
        }
      }
    }),
    { numRuns: 600 },
  );
});

test("no opinion on a request means that its addresses differ, or are left to the safe defaults", () => {
  let undecided = 0;
  fc.assert(
    fc.property(rules, request, (rules, request) => {
      if (compileRules(rules, { otherwise: "deny" }).request(request) !== undefined) return;
      undecided++;
      const depends = compileRules(rules, { otherwise: "deny" }).explain(request).rules
        .some(({ applies }) => applies === "maybe");
      assert(depends);
    }),
    { numRuns: 1000 },
  );
  assert(undecided > 20, `${undecided} undecided`);
});

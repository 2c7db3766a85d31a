import { assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { type AddressDefault, Authoriser, type Decision, isDenial } from "../../src/policy/authorise.ts";
import type { AddressInfo, DatagramInfo, Grant, MaybeVerdict, RequestInfo, Rules } from "../../src/policy/rules.ts";

const REQUEST = { id: 1, command: "connect" } as Partial<RequestInfo> as RequestInfo;
const ADDRESS = { ip: "192.0.2.1", port: 80 };
const DATAGRAM: DatagramInfo = { target: { type: "name", host: "x", port: 1 }, size: 3 };

/** A decision in words. */
function inWords(decision: Decision, otherwise: string): string {
  return isDenial(decision) ? decision.deny : decision === undefined ? otherwise : "allowed";
}

/** What is decided on a request: the decision, or the reason against it. */
async function onRequest(rules: Rules): Promise<string> {
  return inWords(await new Authoriser(rules, () => undefined).request(REQUEST), "ask-addresses");
}

async function onAddress(
  rules: Rules,
  decision: "allowed" | "ask-addresses" = "ask-addresses",
  byDefault: AddressDefault = () => "by default",
): Promise<string> {
  const granted: Grant | undefined = decision === "allowed" ? { allow: "always" } : undefined;
  return inWords(await new Authoriser(rules, byDefault).address(ADDRESS, REQUEST, granted), "allowed");
}

const saying = (verdict: unknown) => () => verdict as MaybeVerdict;

test("no opinion on a request leaves it to its addresses", async () => {
  assertEquals(await onRequest({}), "ask-addresses");
  assertEquals(await onRequest({ request: saying(undefined) }), "ask-addresses");
  assertEquals(await onRequest({ request: saying(Promise.resolve(undefined)) }), "ask-addresses");
});

test("a request may be allowed whatever its addresses", async () => {
  assertEquals(await onRequest({ request: saying("allow") }), "allowed");
  assertEquals(await onRequest({ request: saying(Promise.resolve("allow")) }), "allowed");
});

test("a request may be denied, with a reason or without", async () => {
  for (const later of [false, true]) {
    const say = (verdict: unknown) => saying(later ? Promise.resolve(verdict) : verdict);
    assertStringIncludes(await onRequest({ request: say("deny") }), "denied by a rule");
    assertStringIncludes(await onRequest({ request: say({ deny: "not on Sundays" }) }), "not on Sundays");
  }
});

test("an address that no rule has an opinion on is up to the defaults", async () => {
  assertEquals(await onAddress({}), "by default");
  assertEquals(await onAddress({ address: saying(undefined) }), "by default");
  assertEquals(await onAddress({}, "ask-addresses", () => undefined), "allowed");
});

test("allow on the request, or on the address, skips the defaults", async () => {
  assertEquals(await onAddress({}, "allowed"), "allowed");
  assertEquals(await onAddress({ address: saying("allow") }), "allowed");
  assertEquals(await onAddress({ address: saying(Promise.resolve("allow")) }), "allowed");
});

test("deny on the address holds, even if the request was allowed", async () => {
  assertEquals(await onAddress({ address: saying({ deny: "that one not" }) }, "allowed"), "that one not");
  assertEquals(await onAddress({ address: saying("deny") }, "allowed") === "allowed", false);
});

test("a rule that throws or rejects denies, and says so", async () => {
  const fail = () => {
    throw new Error("its own mistake");
  };
  for (const rule of [fail, () => Promise.reject(new Error("its own mistake")), () => Promise.reject("a string")]) {
    assertStringIncludes(await onRequest({ request: rule }), "a rule failed");
    assertStringIncludes(await onAddress({ address: rule }, "allowed"), "a rule failed");
    assertEquals(await new Authoriser({ datagram: rule }, () => undefined).datagram(DATAGRAM, REQUEST), false);
  }
});

test("a rule in plain JavaScript that says something else denies", async () => {
  for (
    const nonsense of [false, true, null, 0, "", "yes", "ALLOW", {}, { deny: undefined }, { allow: true }, {
      allow: "yes",
    }, { allow: "always", deny: true }]
  ) {
    assertStringIncludes(await onRequest({ request: saying(nonsense) }), "denied by a rule", JSON.stringify(nonsense));
    assertEquals(await onAddress({ address: saying(nonsense) }, "allowed") === "allowed", false, String(nonsense));
  }
});

test("a promise of another library is waited for", async () => {
  const thenable = (verdict: unknown) => ({ then: (resolve: (verdict: unknown) => void) => resolve(verdict) });
  assertStringIncludes(await onRequest({ request: saying(thenable("deny")) }), "denied by a rule");
  assertEquals(await onRequest({ request: saying(thenable("allow")) }), "allowed");
  assertEquals(await onAddress({ address: saying(thenable({ deny: "no" })) }, "allowed"), "no");
});

test("rules are methods of their object, and see who asks", async () => {
  const seen: unknown[] = [];
  class Mine implements Rules {
    readonly verdict = { deny: "mine" };
    request(request: RequestInfo): MaybeVerdict {
      seen.push(request);
      return this.verdict;
    }
    address(address: AddressInfo, request: RequestInfo): MaybeVerdict {
      seen.push(address, request);
      return this.verdict;
    }
  }
  assertStringIncludes(await onRequest(new Mine()), "mine");
  assertEquals(await onAddress(new Mine(), "allowed"), "mine");
  assertEquals(seen, [REQUEST, { ...ADDRESS, address: ADDRESS, name: undefined }, REQUEST]);
});

test("a rule sees the IPv4 address within an IPv6 one, and the address as it will be dialled", async () => {
  const seen: AddressInfo[] = [];
  const authoriser = new Authoriser({ address: (address) => void seen.push(address) }, () => undefined);
  for (const ip of ["64:ff9b::a00:1", "2002:a00:1::1", "::a00:1", "2001:db8::1"]) {
    await authoriser.address({ ip, port: 5 }, REQUEST, undefined);
  }
  assertEquals(seen.map(({ ip, port, address }) => `${ip}:${port} for ${address.ip}`), [
    "10.0.0.1:5 for 64:ff9b::a00:1",
    "10.0.0.1:5 for 2002:a00:1::1",
    "10.0.0.1:5 for ::a00:1",
    "2001:db8::1:5 for 2001:db8::1",
  ]);
});

test("datagrams are asked for only where there is a rule", async () => {
  assertEquals(new Authoriser({}, () => undefined).asksDatagrams, false);
  for (const [verdict, may] of [["allow", true], [undefined, true], ["deny", false], [{ deny: "x" }, false]] as const) {
    const authoriser = new Authoriser({ datagram: saying(verdict) }, () => undefined);
    assertEquals(authoriser.asksDatagrams, true);
    assertEquals(await authoriser.datagram(DATAGRAM, REQUEST), may, String(verdict));
  }
});

test("a grant that is safe leaves the last word to the defaults, and what comes with it goes on", async () => {
  const grant: Grant = { allow: "safely", rule: "rule 1", via: "tor" };
  const rules: Rules = { request: () => grant };
  const granted = await new Authoriser(rules, () => undefined).request(REQUEST);
  assertEquals(granted, grant);
  const forbidding = new Authoriser({}, () => "private address");
  assertEquals(await forbidding.address(ADDRESS, REQUEST, grant), {
    deny: "private address",
    rule: "rule 1",
    log: undefined,
  });
  assertEquals(await new Authoriser({}, () => undefined).address(ADDRESS, REQUEST, grant), grant);
});

test("a grant on the address comes before the one on the request", async () => {
  const own: Grant = { allow: "always", rule: "rule 2" };
  const authoriser = new Authoriser({ address: () => own }, () => "private address");
  assertEquals(await authoriser.address(ADDRESS, REQUEST, { allow: "safely", rule: "rule 1" }), own);
});

test("a destination is looked up unless a rule denies it", async () => {
  const target = { type: "name", host: "example.com", port: 53 } as const;
  for (
    const [verdict, may] of [[undefined, true], ["allow", true], ["deny", false], [{ deny: "no" }, false]] as const
  ) {
    assertEquals(await new Authoriser({ lookup: () => verdict }, () => undefined).lookup(target, REQUEST), may);
  }
});

test("a name that is kept has its own question, and what was said of the request holds without an answer", async () => {
  const granted: Grant = { allow: "safely", via: "tor" };
  const target = (host: string) => ({ type: "name" as const, host, port: 443 });
  const asked: string[] = [];
  const rules: Rules = {
    address: ({ ip, name }) => void asked.push(`${ip} of ${name}`),
    name: ({ host }) => {
      asked.push(host);
      if (host === "throws.test") throw new Error("it is a test");
      return host === "no.test"
        ? "deny" as const
        : host === "later.test"
        ? Promise.resolve("deny" as const)
        : undefined;
    },
  };
  const byDefault: AddressDefault = ({ ip }) => ip.startsWith("127.") ? "loopback" : undefined;
  const authoriser = new Authoriser(rules, byDefault);
  const decided = async (host: string) => inWords(await authoriser.name(target(host), REQUEST, granted), "nothing");
  assertEquals(await authoriser.name(target("yes.test"), REQUEST, granted), granted);
  assertEquals(await decided("no.test"), "denied by a rule");
  assertEquals(await decided("later.test"), "denied by a rule");
  assertEquals(await decided("throws.test"), "a rule failed: it is a test");
  assertEquals([await decided("localhost"), await decided("A.LocalHost.")], ["loopback", "loopback"]);
  assertEquals(await decided("notlocalhost"), "allowed");
  assertEquals(asked.slice(-3), ["127.0.0.1 of localhost", "127.0.0.1 of A.LocalHost.", "notlocalhost"]);
  assertEquals(await new Authoriser({}, byDefault).name(target("yes.test"), REQUEST, undefined), undefined);
  assertEquals(await new Authoriser({}, byDefault).name(target("localhost"), REQUEST, { allow: "always" }), {
    allow: "always",
  });
});

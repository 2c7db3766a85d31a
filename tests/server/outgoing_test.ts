import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import type { IpAddress } from "../../src/net/address.ts";
import { NetError } from "../../src/net/errors.ts";
import type { RequestInfo } from "../../src/policy/rules.ts";
import { outgoing, type OutgoingOptions } from "../../src/server/outgoing.ts";

const V4 = "198.51.100.1", V6 = "2001:db8:1::1";

/** A request of a user, or of a client at an address. */
function by({ user, ip }: { user?: string; ip?: IpAddress } = {}): RequestInfo {
  const client = ip === undefined ? undefined : { ip, port: 1 };
  return { user: user === undefined ? undefined : { name: user }, client } as Partial<RequestInfo> as RequestInfo;
}

function unreachable(action: () => unknown): string {
  const error = assertThrows(action, NetError);
  assertEquals(error.code, "unreachable-network");
  return error.message;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

test("without options the system chooses the source, and the resolver the order", () => {
  const ways = outgoing({});
  assertEquals([ways.sourceFor(V4, by()), ways.sourceFor(V6, by())], [undefined, undefined]);
  assertEquals(ways.order([V6, V4]), [V6, V4]);
  assertEquals(ways.order([]), []);
});

test("the source is of the target's version of IP", () => {
  const ways = outgoing({ addresses: ["2001:db8::7", "192.0.2.7"] });
  assertEquals(ways.sourceFor(V4, by()), "192.0.2.7");
  assertEquals(ways.sourceFor(V6, by()), "2001:db8::7");
});

test("sources are used one after the other, those of each version by themselves", () => {
  const ways = outgoing({ addresses: ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2", "192.0.2.3"] });
  const targets = [V4, V4, V6, V4, V6, V4, V6];
  assertEquals(targets.map((ip) => ways.sourceFor(ip, by({ user: "ada" }))), [
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8::1",
    "192.0.2.3",
    "2001:db8::2",
    "192.0.2.1",
    "2001:db8::1",
  ]);
});

test("a random source is any of them", () => {
  const numbers = [0, 0.999, 0.5];
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
  const ways = outgoing({ addresses, choose: "random" }, () => numbers.shift()!);
  assertEquals(times(3, () => ways.sourceFor(V4, by())), ["192.0.2.1", "192.0.2.3", "192.0.2.2"]);
});

test("a user always has the same source, from every address and after a restart", () => {
  const options: OutgoingOptions = { addresses: times(16, (n) => `192.0.2.${n}`), choose: "user" };
  const [ways, again] = [outgoing(options), outgoing(options)];
  const used = new Set<string | undefined>();
  for (let n = 0; n < 100; n++) {
    const user = `user${n}`;
    const source = ways.sourceFor(V4, by({ user, ip: "203.0.113.1" }));
    assertEquals(ways.sourceFor(V4, by({ user, ip: "203.0.113.2" })), source);
    assertEquals(again.sourceFor("198.51.100.9", by({ user })), source);
    used.add(source);
  }
  assert(used.size > 8, `${used.size} of 16 sources are used`);
});

test("a client that did not log in has the source of its address", () => {
  const ways = outgoing({ addresses: times(16, (n) => `192.0.2.${n}`), choose: "user" });
  const used = new Set<string | undefined>();
  for (let n = 0; n < 100; n++) {
    const ip = `203.0.113.${n}`;
    const source = ways.sourceFor(V4, by({ ip }));
    assertEquals(ways.sourceFor(V4, by({ ip })), source);
    used.add(source);
  }
  assert(used.size > 8, `${used.size} of 16 sources are used`);
  assertEquals(ways.sourceFor(V4, by()), ways.sourceFor(V4, by())); // nor has one on a UNIX socket
});

test("a target of a version that has no source is out of reach, and the error says so", () => {
  const ways = outgoing({ addresses: ["192.0.2.7"] });
  const message = `Cannot reach "${V6}": none of the server's outgoing addresses is an IPv6 address`;
  assertEquals(unreachable(() => ways.sourceFor(V6, by())), message);
  assertEquals(unreachable(() => ways.order([V6])), message);
  assertEquals(ways.order([V6, V4]), [V4]);
  const six = outgoing({ addresses: ["2001:db8::7"] });
  assertEquals(
    unreachable(() => six.order([V4, V4])),
    `Cannot reach "${V4}": none of the server's outgoing addresses is an IPv4 address`,
  );
});

test("the preferred version comes first, each in the resolver's order", () => {
  const ips = ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"];
  assertEquals(outgoing({ prefer: "ipv4" }).order(ips), ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]);
  assertEquals(outgoing({ prefer: "ipv6" }).order(ips), ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]);
  assertEquals(outgoing({ prefer: "ipv6" }).order(["192.0.2.1"]), ["192.0.2.1"]);
  assertEquals(outgoing({ prefer: "ipv4" }).sourceFor(V6, by()), undefined);
});

test("the only version leaves nothing of the other, be it by name or by address", () => {
  const four = outgoing({ prefer: "ipv4-only" });
  assertEquals(four.order([V6, V4]), [V4]);
  assertEquals(unreachable(() => four.order([V6])), `Cannot reach "${V6}": the server uses IPv4 only`);
  assertEquals(unreachable(() => four.order([V6, "2001:db8::2"])), `Cannot reach "${V6}": the server uses IPv4 only`);
  unreachable(() => four.sourceFor(V6, by()));
  const six = outgoing({ prefer: "ipv6-only", addresses: ["192.0.2.7", "2001:db8::7"] });
  assertEquals(six.order([V4, V6]), [V6]);
  assertEquals(unreachable(() => six.sourceFor(V4, by())), `Cannot reach "${V4}": the server uses IPv6 only`);
  assertEquals(six.sourceFor(V6, by()), "2001:db8::7");
});

test("options that make no sense are refused, with what would", () => {
  const message = (options: unknown) => assertThrows(() => outgoing(options as OutgoingOptions), RangeError).message;
  assertEquals(
    message({ addresses: ["192.0.2.1", "eth0"] }),
    'Cannot use outgoing.addresses: found "eth0", expected an IP address of this machine',
  );
  assertEquals(
    message({ addresses: ["0.0.0.0"] }),
    'Cannot use outgoing.addresses: found "0.0.0.0", expected an IP address of this machine',
  );
  assertEquals(
    message({ choose: "any" }),
    'Cannot use outgoing.choose: found "any", expected "round-robin", "random", "user"',
  );
  assertEquals(
    message({ prefer: "ipv5" }),
    'Cannot use outgoing.prefer: found "ipv5", expected "ipv4", "ipv6", "ipv4-only", "ipv6-only"',
  );
  assertEquals(
    message({ prefer: "ipv6-only", addresses: ["192.0.2.1"] }),
    'Cannot use outgoing.prefer: found "ipv6-only", expected an address of that kind among 192.0.2.1',
  );
});

test("an address is known in whatever form it is written", () => {
  assertEquals(outgoing({ addresses: ["2001:DB8:0::7"] }).sourceFor(V6, by()), "2001:db8::7");
});

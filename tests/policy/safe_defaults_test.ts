import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import type { ClientInfo } from "../../src/auth/client_info.ts";
import { type Requester, safeDefaults, type SafeDefaultsOptions } from "../../src/policy/safe_defaults.ts";

const client = (isLocal: boolean) => ({ isLocal }) as Partial<ClientInfo> as ClientInfo;
const NEAR = client(true), FAR = client(false);
const INNER = ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "fe80::1"];
const OTHER = ["fd00::1", "fec0::1", "224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::", "0.1.2.3"];

/** Whether it is allowed. */
function allows(ip: string, port: number, who: Requester, options: Partial<SafeDefaultsOptions> = {}): boolean {
  const decide = safeDefaults({ allowPrivate: false, listeners: () => [], interfaces: () => [], ...options });
  const reason = decide({ ip, port, address: { ip, port } }, who);
  assert(reason === undefined || reason.length > 5, reason);
  return reason === undefined;
}

test("a client from afar reaches global addresses and no others", () => {
  for (const ip of ["93.184.216.34", "2606:2800::1", "9.9.9.9"]) assertEquals(allows(ip, 80, FAR), true, ip);
  for (const ip of [...INNER, ...OTHER]) assertEquals(allows(ip, 80, FAR), false, ip);
});

test("a client on this machine reaches what this machine does", () => {
  for (const ip of ["93.184.216.34", ...INNER]) assertEquals(allows(ip, 80, NEAR), true, ip);
});

test("the operator may lift it for all", () => {
  for (const ip of [...INNER, ...OTHER]) assertEquals(allows(ip, 80, FAR, { allowPrivate: true }), true, ip);
});

test("nobody reaches a listener of the server", () => {
  const listeners = () => [{ ip: "192.0.2.1", port: 1080 }, { ip: "127.0.0.1", port: 1081 }];
  for (const who of [NEAR, FAR]) {
    assertEquals(allows("192.0.2.1", 1080, who, { listeners }), false);
    assertEquals(allows("192.0.2.1", 1082, who, { listeners }), true);
    assertEquals(allows("192.0.2.2", 1080, who, { listeners }), true);
  }
  assertEquals(allows("127.0.0.1", 1081, NEAR, { listeners }), false);
  assertEquals(allows("127.0.0.1", 1080, NEAR, { listeners }), true);
});

test("a listener on a wildcard is at every address of this machine", () => {
  const interfaces = () => ["192.0.2.1", "2001:db8::1", "127.0.0.1"];
  for (const ip of ["0.0.0.0", "::"]) {
    const options = { interfaces, listeners: () => [{ ip, port: 1080 }] };
    for (const own of ["192.0.2.1", "2001:db8::1", "127.0.0.1", "127.1.2.3", "::1"]) {
      assertEquals(allows(own, 1080, NEAR, options), false, `${own} through ${ip}`);
      assertEquals(allows(own, 80, NEAR, options), true);
    }
    assertEquals(allows("192.0.2.2", 1080, NEAR, options), true);
  }
});

test("a listener that is added later counts, too", () => {
  const listeners: { ip: string; port: number }[] = [];
  const options = { listeners: () => listeners };
  assertEquals(allows("192.0.2.1", 1080, NEAR, options), true);
  listeners.push({ ip: "192.0.2.1", port: 1080 });
  assertEquals(allows("192.0.2.1", 1080, NEAR, options), false);
});

test("where a forward leads is not for these to say, and clients of SOCKS do not reach a forward", () => {
  const forwards = () => ({ tcp: [{ ip: "0.0.0.0", port: 8080 }], udp: [{ ip: "127.0.0.1", port: 53 }] });
  const options = { forwards, interfaces: () => ["192.0.2.1"] };
  const forwarded = { ...FAR, protocol: "forward" as const, command: "connect" as const };
  for (const ip of [...INNER, "93.184.216.34"]) assertEquals(allows(ip, 80, forwarded, options), true, ip);
  const near = (command: "connect" | "udp-associate") => ({ ...NEAR, protocol: "socks5" as const, command });
  assertEquals(allows("192.0.2.1", 8080, near("connect"), options), false);
  assertEquals(allows("192.0.2.1", 8080, near("udp-associate"), options), true);
  assertEquals(allows("127.0.0.1", 53, near("connect"), options), true);
  assertEquals(allows("127.0.0.1", 53, near("udp-associate"), options), false);
});

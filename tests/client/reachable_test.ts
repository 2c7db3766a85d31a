import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { parseProxy } from "../../src/client/proxy.ts";
import { reachable, reachableRelay } from "../../src/client/reachable.ts";
import { targetOf } from "../../src/protocol/address.ts";
import type { Connection } from "../../src/runtime/runtime.ts";

const at = (ip: string) => ({ remote: { ip, port: 1080 } }) as unknown as Connection;

for (
  const [told, proxy, remote, expected] of [
    ["203.0.113.7", "198.51.100.1", "198.51.100.1", "203.0.113.7"],
    ["0.0.0.0", "198.51.100.1", "198.51.100.1", "198.51.100.1"],
    ["::", "proxy.test", "2606:4700::1", "2606:4700::1"],
    ["10.0.0.7", "198.51.100.1", "198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"],
    ["10.0.0.7", "10.0.0.1", "10.0.0.1", "10.0.0.7"],
    ["10.0.0.7", "127.0.0.1", "127.0.0.1", "10.0.0.7"],
    ["fe80::1", "proxy.test", "2606:4700::1", "2606:4700::1"],
    ["relay.test", "198.51.100.1", "198.51.100.1", "relay.test"],
  ] as const
) {
  test(`a proxy at ${remote} that tells ${told} is reached at ${expected}`, () => {
    const hops = [parseProxy(`socks5://${proxy}`)];
    assertEquals(reachableRelay(targetOf(told, 9), hops, at(remote)), targetOf(expected, 9));
  });
}

test("behind another proxy it is reached as that one reaches it: at the address or the name it has in the chain", () => {
  const through = (told: string, host: string) => {
    const hops = ["socks5h://192.0.2.1", `socks5h://${host}`].map(parseProxy);
    return reachableRelay(targetOf(told, 9), hops, at("192.0.2.1")).host;
  };
  assertEquals(through("0.0.0.0", "198.51.100.2"), "198.51.100.2");
  assertEquals(through("10.0.0.2", "198.51.100.2"), "198.51.100.2");
  assertEquals(through("10.0.0.2", "10.0.0.1"), "10.0.0.2");
  assertEquals(through("10.0.0.2", "two.test"), "two.test");
  assertEquals(through("203.0.113.2", "two.test"), "203.0.113.2");
  assertEquals(through("127.0.0.1", "localhost"), "127.0.0.1");
});

test("where a peer is to come zeros alone stand for the proxy: the peer may be nearer to it than we are", () => {
  const hops = [parseProxy("socks5://198.51.100.1")];
  const told = (host: string) => reachable(targetOf(host, 9), hops, at("198.51.100.1")).host;
  assertEquals([told("0.0.0.0"), told("127.0.0.1"), told("10.0.0.1")], ["198.51.100.1", "127.0.0.1", "10.0.0.1"]);
});

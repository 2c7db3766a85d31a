import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { proxyFromEnvironment } from "../../src/client/proxy_from_environment.ts";

const PROXY = "socks5h://127.0.0.1:9";

function isDirect(url: string, noProxy: string): boolean {
  return proxyFromEnvironment(url, { ALL_PROXY: PROXY, NO_PROXY: noProxy }) === undefined;
}

test("lower case wins, and what is empty names none", () => {
  assertEquals(proxyFromEnvironment("http://h", {}), undefined);
  assertEquals(proxyFromEnvironment("http://h", { ALL_PROXY: "" }), undefined);
  assertEquals(proxyFromEnvironment("http://h", { ALL_PROXY: PROXY })?.port, 9);
  assertEquals(proxyFromEnvironment("http://h", { ALL_PROXY: "socks5://upper", all_proxy: PROXY })?.port, 9);
  assertEquals(proxyFromEnvironment("http://h", { ALL_PROXY: PROXY, all_proxy: "" }), undefined);
  assertEquals(proxyFromEnvironment("http://h", { ALL_PROXY: PROXY, NO_PROXY: "h", no_proxy: "" })?.port, 9);
  assertEquals(proxyFromEnvironment("http://h", { ALL_PROXY: "http://h:3128" })?.scheme, "http");
  assertThrows(() => proxyFromEnvironment("http://h", { ALL_PROXY: "ftp://h:3128" }), SyntaxError);
});

test("NO_PROXY has a host by its name, by a domain above it, by address, by block, by port", () => {
  const cases: [string, string, boolean][] = [
    ["http://example.com", "*", true],
    ["http://example.com", "*.com", false],
    ["http://example.com", "x,*", false],
    ["http://example.com", "example.com", true],
    ["http://EXAMPLE.com.", "Example.COM", true],
    ["http://example.com", "example.com.", true],
    ["http://www.example.com", "example.com", true],
    ["http://www.example.com", ".example.com", true],
    ["http://example.com", ".example.com", true],
    ["http://notexample.com", "example.com", false],
    ["http://example.com", "www.example.com", false],
    ["http://a.test", "b.test, a.test", true],
    ["http://a.test", "b.test  a.test", true],
    ["http://a.test", ",,", false],
    ["http://a.test", ".", false],
    ["http://a.test:8080", "a.test:8080", true],
    ["http://a.test:8081", "a.test:8080", false],
    ["http://a.test", "a.test:80", true],
    ["https://a.test", "a.test:443", true],
    ["https://a.test", "a.test:80", false],
    ["http://192.0.2.7", "192.0.2.7", true],
    ["http://192.0.2.7", "192.0.2.70", false],
    ["http://192.0.2.7", "2.7", false],
    ["http://192.0.2.7:81", "192.0.2.7:81", true],
    ["http://192.0.2.7", "192.0.2.0/24", true],
    ["http://192.0.2.7", "192.0.2.9/29", false],
    ["http://192.0.2.7", "192.0.2.5/29", true],
    ["http://192.0.3.7", "192.0.2.0/24", false],
    ["http://192.0.2.7", "0.0.0.0/0", true],
    ["http://192.0.2.7", "192.0.2.7/33", false],
    ["http://[2001:db8::1]", "2001:db8::1", true],
    ["http://[2001:db8::1]", "[2001:db8::1]", true],
    ["http://[2001:db8::1]:81", "[2001:db8::1]:81", true],
    ["http://[2001:db8::1]:82", "[2001:db8::1]:81", false],
    ["http://[2001:db8::1]", "2001:db8::/32", true],
    ["http://[2001:db8::1]", "192.0.2.0/0", false],
    ["http://192.0.2.7.example", "192.0.2.7", false],
  ];
  for (const [url, list, direct] of cases) assertEquals(isDirect(url, list), direct, `${url} in "${list}"`);
});

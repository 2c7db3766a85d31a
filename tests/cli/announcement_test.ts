import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { announcement } from "../../src/cli/announcement.ts";

test("a line for each listener, and how to try the first that is open to this machine", () => {
  const addresses = [{ path: "/run/s" }, { ip: "::1", port: 1080 }, { ip: "127.0.0.1", port: 1081 }];
  assertEquals(announcement(addresses, false, false), [
    "Listening on unix:/run/s (SOCKS4, SOCKS4a, SOCKS5)",
    "Listening on [::1]:1080 (SOCKS4, SOCKS4a, SOCKS5)",
    "Listening on 127.0.0.1:1081 (SOCKS4, SOCKS4a, SOCKS5)",
    "Try: curl --socks5-hostname [::1]:1080 https://example.com",
  ]);
});

test("HTTP is named where it is served", () => {
  const lines = announcement([{ ip: "127.0.0.1", port: 1080 }], true, true);
  assertEquals(lines, ["Listening on 127.0.0.1:1080 (SOCKS4, SOCKS4a, SOCKS5, HTTP)"]);
});

test("no hint where users have to log in, or nothing listens on loopback", () => {
  assertEquals(announcement([{ ip: "127.0.0.1", port: 1080 }], true, false).length, 1);
  assertEquals(announcement([{ ip: "0.0.0.0", port: 1080 }], false, false).length, 1);
});

test("forwards are named with where they lead, what they carry and the way that they take", () => {
  const forwards = [
    { address: { ip: "127.0.0.1", port: 2222 }, protocol: "tcp", to: "db.example:22", via: undefined },
    { address: { ip: "::1", port: 5300 }, protocol: "udp", to: "9.9.9.9:53", via: "tor" },
  ] as const;
  assertEquals(announcement([], false, false, forwards), [
    "Forwarding 127.0.0.1:2222 to db.example:22 (TCP)",
    'Forwarding [::1]:5300 to 9.9.9.9:53 (UDP, by "tor")',
  ]);
});

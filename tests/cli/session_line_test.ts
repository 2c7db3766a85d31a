import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatSession, formatSessionEnd } from "../../src/cli/session_line.ts";
import { sessionOf, silentSession, summaryOf } from "./_session.ts";

const NONE = { sent: 0, received: 0 };

test("a session is one line: who, what, where, how much, how long, how it ended", () => {
  assertEquals(
    formatSessionEnd(sessionOf(), summaryOf(), undefined),
    "#12 127.0.0.1:52344 ada connect example.com:443 (93.184.216.34:443), 1.2 KiB up, 48 KiB down, 3.1 s, finished",
  );
});

test("an address that is the target is not repeated, and a hyphen stands for nobody", () => {
  const address = { ip: "2001:db8::1", port: 80 };
  const session = sessionOf({
    client: { ip: "2001:db8::9", port: 7 },
    user: undefined,
    target: { type: "ipv6", host: address.ip, port: 80 },
    address,
  });
  assertEquals(formatSession(session), "#12 [2001:db8::9]:7 - connect [2001:db8::1]:80");
});

test("the rule that decided has a name, in quotation marks", () => {
  assertEquals(
    formatSession(sessionOf({ rule: "office\nhours", user: undefined })),
    '#12 127.0.0.1:52344 - connect example.com:443 (93.184.216.34:443) by "office\\x0ahours"',
  );
});

test("the way out stands before the rule", () => {
  assertEquals(
    formatSession(sessionOf({ via: "t\nr", rule: "web", address: undefined })),
    '#12 127.0.0.1:52344 ada connect example.com:443 via "t\\x0ar" by "web"',
  );
  assertEquals(
    formatSession(sessionOf({ via: "pool", viaMember: "eu/a", address: undefined })),
    '#12 127.0.0.1:52344 ada connect example.com:443 via "pool" ("eu/a")',
  );
});

test("a client on a UNIX socket bears the socket's path, one without an address a hyphen", () => {
  const unix = sessionOf({ client: undefined, listener: { path: "/run/my socks\n" }, user: undefined });
  assertEquals(
    formatSession(unix),
    "#12 unix:/run/my\\x20socks\\x0a - connect example.com:443 (93.184.216.34:443)",
  );
  const bare = { ...silentSession(), client: undefined, listener: undefined };
  assertEquals(formatSession(bare), "#12 -");
});

test("a refused session says by what and why, with its source", () => {
  const summary = summaryOf({ ...NONE, cause: "refused", duration: 4 });
  const session = sessionOf({ address: undefined });
  assertEquals(
    formatSessionEnd(session, summary, { cause: "rules", reason: "10.0.0.1 is private" }),
    "#12 127.0.0.1:52344 ada connect example.com:443, 4 ms, refused by rules: 10.0.0.1 is private",
  );
  assertEquals(
    formatSessionEnd(session, summary, { cause: "network", reason: "connection refused" }),
    "#12 127.0.0.1:52344 ada connect example.com:443, 4 ms, failed: connection refused",
  );
  assertEquals(
    formatSessionEnd(silentSession(), summary, { cause: "authentication", reason: "wrong password" }),
    "#12 127.0.0.1:52344, 4 ms, login refused: wrong password",
  );
});

test("a session that broke says why", () => {
  assertEquals(
    formatSessionEnd(sessionOf(), summaryOf({ cause: "timeout", reason: "idle for 2 h" }), undefined),
    "#12 127.0.0.1:52344 ada connect example.com:443 (93.184.216.34:443), 1.2 KiB up, 48 KiB down, 3.1 s, " +
      "timeout: idle for 2 h",
  );
  assertEquals(
    formatSessionEnd(silentSession(), summaryOf({ ...NONE, cause: "health-check" }), undefined),
    "#12 127.0.0.1:52344, 3.1 s, health-check",
  );
});

test("a client cannot forge a line or a field of it", () => {
  const session = sessionOf({
    user: { name: "ada connect evil:1, finished\r\n10:21:07 INFO  #1 \x1b[2J" },
    target: { type: "name", host: "a\u202eb\u009bc", port: 1 },
    address: undefined,
  });
  assertEquals(
    formatSession(session),
    "#12 127.0.0.1:52344 ada\\x20connect\\x20evil:1,\\x20finished\\x0d\\x0a10:21:07\\x20INFO\\x20\\x20#1\\x20\\x1b[2J " +
      "connect a\\u{202e}b\\x9bc:1",
  );
});

test("whatever a client sends, the line is one and its words are where they belong", () => {
  const text = fc.string({ unit: "binary", minLength: 1 });
  fc.assert(
    fc.property(text, text, text, (name, host, reason) => {
      const session = sessionOf({ user: { name }, target: { type: "name", host, port: 1 }, address: undefined });
      const line = formatSessionEnd(session, summaryOf(NONE), { cause: "rules", reason });
      assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(line));
      const words = line.split(" ");
      assertEquals(words[3], "connect");
      assertEquals(words.slice(5, 10).join(" "), "3.1 s, refused by rules:");
    }),
  );
});

test("a lookup has no port, and relays nothing", () => {
  const target = { type: "name", host: "example.com", port: 0 } as const;
  const session = sessionOf({ command: "resolve", target, address: { ip: "93.184.216.34", port: 0 } });
  assertEquals(
    formatSessionEnd(session, summaryOf(NONE), undefined),
    "#12 127.0.0.1:52344 ada resolve example.com (93.184.216.34), 3.1 s, finished",
  );
  const reverse = { type: "ipv6", host: "2001:db8::1", port: 0 } as const;
  assertEquals(
    formatSession(sessionOf({ command: "resolve-ptr", target: reverse, address: undefined })),
    "#12 127.0.0.1:52344 ada resolve-ptr 2001:db8::1",
  );
});

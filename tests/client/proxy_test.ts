import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { formatProxy, parseProxy, type Proxy } from "../../src/client/proxy.ts";

test("a URL says what to speak, where, and as whom", () => {
  const cases: Record<string, Proxy> = {
    "socks4://h": { scheme: "socks4", host: "h", port: 1080 },
    "socks4a://h:1/": { scheme: "socks4a", host: "h", port: 1 },
    "SOCKS5://192.0.2.1:9050": { scheme: "socks5", host: "192.0.2.1", port: 9050 },
    "socks5h://[2001:DB8::1]:65535": { scheme: "socks5h", host: "2001:db8::1", port: 65535 },
    "socks5+tls://h": { scheme: "socks5", host: "h", port: 1080, tls: true },
    "socks5+chap://ada:pw@h": { scheme: "socks5", host: "h", port: 1080, user: "ada", password: "pw", chap: true },
    "socks5h+tls+chap+mutual://ada:pw@h": {
      scheme: "socks5h",
      host: "h",
      port: 1080,
      user: "ada",
      password: "pw",
      tls: true,
      chap: "mutual",
    },
    "socks5+gssapi+tls://h": { scheme: "socks5", host: "h", port: 1080, tls: true, gssapi: {} },
    "socks5://ada:p%40s%3As%25@h": { scheme: "socks5", host: "h", port: 1080, user: "ada", password: "p@s:s%" },
    "socks5://ada@h": { scheme: "socks5", host: "h", port: 1080, user: "ada" },
    "socks5://:pw@h": { scheme: "socks5", host: "h", port: 1080, user: "", password: "pw" },
    "http://h": { scheme: "http", host: "h", port: 80 },
    "http://ada:p%3Aw@h:80/": { scheme: "http", host: "h", port: 80, user: "ada", password: "p:w" },
    "https://[::1]": { scheme: "http", host: "::1", port: 443, tls: true },
    "http+tls://h": { scheme: "http", host: "h", port: 443, tls: true },
    "http+tls://h:8443": { scheme: "http", host: "h", port: 8443, tls: true },
    "socks5://%C3%A4@h": { scheme: "socks5", host: "h", port: 1080, user: "ä" },
  };
  for (const [url, proxy] of Object.entries(cases)) assertEquals(parseProxy(url), proxy, url);
  assertEquals(parseProxy(new URL("socks5://h")).host, "h");
});

test("what is no proxy is refused, and its login is not told", () => {
  const wrong = [
    "",
    "ada:secret@h:1080",
    "ftp://ada:secret@h",
    "http://ada%3Ab:secret@h",
    "http+chap://ada:secret@h",
    "https+gssapi://h",
    "http://ada:secret@h/path",
    "socks6://ada:secret@h",
    "socks5://ada:secret@",
    "socks5://ada:secret@h:0",
    "socks5://ada:secret@h:65536",
    "socks5://ada:secret@h/path",
    "socks5://ada:secret@h?q",
    "socks5://ada:secret%@h",
    "socks4://ada:secret@h",
    "socks4+chap://ada@h",
    "socks4a+gssapi://h",
    "socks5+chap://h",
    "socks5+chap://ada@h",
    "socks5+chap://:secret@h",
    "socks5+mutual://ada:secret@h",
    "socks5+chap+gssapi://ada:secret@h",
    "socks5+other://ada:secret@h",
    `socks5://ada:secret${"x".repeat(256)}@h`,
  ];
  for (const url of wrong) {
    const error = assertThrows(() => parseProxy(url), SyntaxError, "Cannot read the proxy: ");
    assert(!/ada|secret/.test(error.message), error.message);
  }
  assertThrows(() => parseProxy({ scheme: "https" as "http", host: "h", port: 1 }), SyntaxError);
  assertThrows(() => parseProxy({ scheme: "socks5+tls" as "socks5", host: "h", port: 1 }), SyntaxError);
  assertThrows(() => parseProxy({ scheme: "socks5", host: "", port: 1 }), SyntaxError);
  const ada = { scheme: "socks5", host: "h", port: 1, user: "ada", password: "secret" } as const;
  const error = assertThrows(() => parseProxy({ ...ada, chap: "yes" as "mutual" }), SyntaxError);
  assert(!error.message.includes("secret"), error.message);
  assertThrows(() => parseProxy({ scheme: "socks5", host: "h", port: 1.5 }), SyntaxError);
});

test("a proxy is written without its login", () => {
  assertEquals(formatProxy(parseProxy("socks5h+tls://ada:pw@[::1]:1")), "socks5h+tls://[::1]:1");
  assertEquals(formatProxy(parseProxy("socks5+chap+tls://ada:pw@h:1")), "socks5+tls+chap://h:1");
  assertEquals(formatProxy(parseProxy("socks5+mutual+chap://ada:pw@h:1")), "socks5+chap+mutual://h:1");
  assertEquals(formatProxy(parseProxy("http://ada:pw@h")), "http://h:80");
  assertEquals(formatProxy(parseProxy("https://ada:pw@[::1]")), "http+tls://[::1]:443");
  assertEquals(formatProxy(parseProxy("socks5+gssapi://h:1")), "socks5+gssapi://h:1");
});

import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { parseNameServer } from "../../src/server/name_server_address.ts";

test("a name server is an address, and a port if it is another than 53", () => {
  assertEquals(parseNameServer("192.0.2.53"), { ip: "192.0.2.53", port: 53 });
  assertEquals(parseNameServer("192.0.2.53:5353"), { ip: "192.0.2.53", port: 5353 });
  assertEquals(parseNameServer("2001:db8::53"), { ip: "2001:db8::53", port: 53 });
  assertEquals(parseNameServer("[2001:DB8::53]"), { ip: "2001:db8::53", port: 53 });
  assertEquals(parseNameServer("[2001:db8::53]:5353"), { ip: "2001:db8::53", port: 5353 });
});

test("anything else is refused, with what would do", () => {
  for (const text of ["", "dns.example", "dns.example:53", "192.0.2.53:0", "192.0.2.53:70000", "unix:/run/dns"]) {
    const { message } = assertThrows(() => parseNameServer(text), RangeError);
    assertEquals(message, `found "${text}", expected IP, IP:PORT or [IPv6]:PORT (port 1 to 65535)`);
  }
});

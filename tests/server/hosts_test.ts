import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type Hosts, hosts } from "../../src/server/hosts.ts";

test("a name has the addresses that the table gives it, and others have none", () => {
  const find = hosts({ "printer.home": "192.0.2.7", "nas.home": ["192.0.2.8", "2001:db8::8"] });
  assertEquals(find("printer.home"), ["192.0.2.7"]);
  assertEquals(find("nas.home"), ["192.0.2.8", "2001:db8::8"]);
  for (const name of ["home", "x.printer.home", "printer.homes", "constructor", ""]) {
    assertEquals(find(name), undefined);
  }
});

test("the table's names are read like a client's: in any case, with a dot at the end, in any script", () => {
  const find = hosts({ "Printer.HOME.": "192.0.2.7", "bücher.example": "192.0.2.8" });
  assertEquals(find("printer.home"), ["192.0.2.7"]);
  assertEquals(find("xn--bcher-kva.example"), ["192.0.2.8"]);
});

test("a star is every name below, but not the name itself", () => {
  const find = hosts({ "*.home": "192.0.2.1" });
  assertEquals(find("a.home"), ["192.0.2.1"]);
  assertEquals(find("a.b.home"), ["192.0.2.1"]);
  for (const name of ["home", "ahome", "home.a"]) assertEquals(find(name), undefined);
});

test("the longest match counts", () => {
  const find = hosts({ "*.home": "192.0.2.1", "*.b.home": "192.0.2.2", "a.b.home": "192.0.2.3" });
  assertEquals(find("a.b.home"), ["192.0.2.3"]);
  assertEquals(find("c.b.home"), ["192.0.2.2"]);
  assertEquals(find("a.a.b.home"), ["192.0.2.2"]);
  assertEquals(find("b.home"), ["192.0.2.1"]);
});

test("a name can be left without an address, below a star too", () => {
  const find = hosts({ "*.home": "192.0.2.1", "ads.home": [] });
  assertEquals(find("ads.home"), []);
  assertEquals(find("a.ads.home"), ["192.0.2.1"]);
});

test("addresses are known in whatever form they are written", () => {
  assertEquals(hosts({ a: ["0x7f.1", "2001:DB8::0:1"] })("a"), ["127.0.0.1", "2001:db8::1"]);
});

test("what makes no sense is refused, with what would", () => {
  const message = (table: Hosts) => assertThrows(() => hosts(table), RangeError).message;
  const place = "Cannot use resolver.hosts: ";
  assertEquals(message({ a: "b" }), `${place}found "b", expected an IP address for "a"`);
  assertEquals(message({ a: ["192.0.2.1", ""] }), `${place}found "", expected an IP address for "a"`);
  assertEquals(message({ "a.*": "192.0.2.1" }), `${place}found "a.*", expected a name, or *. and a name`);
  assertEquals(message({ "": "192.0.2.1" }), `${place}found "", expected a name, or *. and a name`);
  assertEquals(message({ "*.": "192.0.2.1" }), `${place}found "*.", expected a name, or *. and a name`);
  assertEquals(message({ "10.1": "192.0.2.1" }), `${place}found "10.1", expected a name, which an address is not`);
});

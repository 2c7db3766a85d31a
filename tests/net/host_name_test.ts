import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { comparableName, toAscii } from "../../src/net/host_name.ts";

test("names that a resolver takes for the same become the same", () => {
  const same: Record<string, readonly string[]> = {
    "example.com": [
      "example.com",
      "EXAMPLE.com",
      "example.com.",
      "ｅｘａｍｐｌｅ.com",
      "example。com",
      "example．com。",
    ],
    "xn--bcher-kva.example": ["bücher.example", "BÜCHER.example", "bu\u0308cher.example", "xn--bcher-kva.Example"],
    "127.0.0.1": ["１２７.０.０.１", "①27.0.0.1"],
  };
  for (const [expected, names] of Object.entries(same)) {
    for (const name of names) assertEquals(comparableName(name), expected, name);
  }
});

test("what has no ASCII form is left as it is, in lower case", () => {
  for (const name of ["Ä b", "ä/b", "ä@b", "ä:80", "xn--a-ä", "Ä%41"]) {
    assertEquals([comparableName(name), toAscii(name)], [name.toLowerCase(), undefined], name);
  }
  assertEquals(comparableName("a_B.c"), "a_b.c");
});

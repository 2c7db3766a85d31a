import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { exposureProblem, forwardExposureProblem } from "../../src/policy/exposure.ts";

const at = (ip: string) => ({ ip, port: 1080 });

test("listeners on loopback and on a path need no users", () => {
  assertEquals(
    exposureProblem([at("127.0.0.1"), at("127.9.9.9"), at("::1"), { path: "/run/socks" }], false),
    undefined,
  );
  assertEquals(exposureProblem([], false), undefined);
});

test("any other listener does", () => {
  for (const ip of ["0.0.0.0", "::", "10.0.0.1", "192.0.2.1", "169.254.1.1", "fe80::1", "2001:db8::1"]) {
    const problem = exposureProblem([at("127.0.0.1"), at(ip)], false);
    assertStringIncludes(problem!, ip.includes(":") ? `[${ip}]:1080` : `${ip}:1080`);
    assertEquals(exposureProblem([at("127.0.0.1"), at(ip)], true), undefined);
  }
});

test("a forward that others reach is a problem whoever the users are", () => {
  for (const ip of ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1"]) {
    assertMatch(forwardExposureProblem({ ip, port: 80 })!, /^Cannot forward from ".*:80" without "open"/);
  }
  for (const address of [{ ip: "127.0.0.1", port: 80 }, { ip: "::1", port: 80 }, { path: "/run/forward" }]) {
    assertEquals(forwardExposureProblem(address), undefined);
  }
});

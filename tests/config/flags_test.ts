import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { load, problems } from "./_load.ts";

const FILE = { upstreams: [{ name: "tor", proxy: "socks5h://127.0.0.1:9050" }], via: "tor" };

test("a URL is a way out of its own, and wins over the file's", async () => {
  const { via, upstreams } = await load({ via: ["socks5h://ada:x@proxy.example:1080"] }, FILE);
  assertEquals(via, ["socks5h://ada:x@proxy.example:1080"]);
  assertEquals(upstreams, [{ name: "tor", proxy: ["socks5h://127.0.0.1:9050"] }]);
});

test("a name is one of the file's ways out", async () => {
  assertEquals((await load({ via: ["tor"] }, FILE)).via, ["tor"]);
  assertEquals((await load({ via: ["direct"] }, FILE)).via, ["direct"]);
  assertEquals(await problems({ via: ["torr"] }, FILE), [
    '--via: found "torr", which is no way out; did you mean "tor"?',
  ]);
});

test("several URLs are a chain, by a list or by the flag again", async () => {
  const chain = ["socks5h://one.example", "socks4a://two.example", "socks5h://three.example"];
  for (const via of [chain, [chain.join(",")], [`${chain[0]}, ${chain[1]}`, chain[2]!]]) {
    assertEquals((await load({ via })).via, chain);
  }
  assertEquals(await problems({ via: ["tor,socks5h://one.example"] }, FILE), [
    '--via (number 1): found "tor" in a list, expected a name alone, or URLs of proxies',
  ]);
});

test("what is wrong with a URL is told without it", async () => {
  for (
    const wrong of ["ada:hunter2@proxy.example", "socks6://ada:hunter2@x", "socks5h://ada:hunter2@x/y", "hunter2:"]
  ) {
    const told = await problems({ via: [wrong], upstream: [`a=${wrong}`, "b"], forward: ["x"] });
    assertEquals(told.length, 4);
    assertEquals(told.map((problem) => problem.replace(/: .*/s, "")), [
      "--upstream (number 1)",
      "--upstream (number 2)",
      "--via",
      "--forward",
    ]);
    for (const problem of told) assert(!problem.includes("hunter2"), problem);
  }
});

test("ways out can be named", async () => {
  const { upstreams, via } = await load({ upstream: ["a=socks5h://one.example,socks5h://two.example"], via: ["a"] });
  assertEquals(upstreams, [{ name: "a", proxy: ["socks5h://one.example", "socks5h://two.example"] }]);
  assertEquals(via, ["a"]);
  assertEquals(await problems({ upstream: ["tor"] }), ["--upstream: found no equals sign, expected NAME=URL"]);
});

test("a forward has a place and a target", async () => {
  const forward = [
    "127.0.0.1:8080=intranet.example:80",
    "tcp:127.0.0.1:8081=[2001:db8::1]:80",
    "udp:[::1]:5353=192.0.2.53:53",
    "unix:/run/a=b.sock=db.example:5432",
  ];
  assertEquals((await load({ forward })).forwards, [
    { listen: { address: "127.0.0.1:8080" }, to: "intranet.example:80" },
    { listen: { address: "127.0.0.1:8081" }, to: "[2001:db8::1]:80" },
    { listen: { address: "[::1]:5353" }, to: "192.0.2.53:53", protocol: "udp" },
    { listen: { address: "unix:/run/a=b.sock" }, to: "db.example:5432" },
  ]);
  assertEquals(await problems({ forward: ["127.0.0.1:8080", "8080=x:80", "127.0.0.1:8081=x"] }), [
    "--forward (number 1): found no equals sign, expected LISTEN=HOST:PORT",
    '--forward (number 2): found "8080", expected HOST:PORT such as 127.0.0.1:1080, [IPv6]:PORT or unix:PATH ' +
    "(a port is 0 to 65535)",
    '--forward (number 3): found "x", expected HOST:PORT such as example.com:443',
  ]);
});

test("a forward that others reach needs a word that it may", async () => {
  const forward = ["0.0.0.0:8080=intranet.example:80"];
  assertEquals(await problems({ forward }), [
    '--forward: found "0.0.0.0:8080", where other machines could use it and nobody can log in, expected "open": true ' +
    "beside it, --open for all, or loopback",
  ]);
  assertEquals((await load({ forward, open: true })).forwards?.length, 1);
});

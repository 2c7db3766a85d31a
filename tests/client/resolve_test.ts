import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { resolve, resolvePtr } from "../../src/client/resolve.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { hex, soon } from "../server/_harness.ts";
import { Network } from "../server/_network.ts";
import { bytewise } from "./_script.ts";

/** A network in memory, with names that the servers in it know. */
function network(split?: (bytes: Uint8Array) => Iterable<Uint8Array>): Runtime {
  const hosts = { "www.test": ["192.0.2.7"], "six.test": ["2001:db8::7"], "two.test": ["192.0.2.1"] };
  return memory({ ...split === undefined ? {} : { split }, hosts });
}

function start(runtime: Runtime, listen: string, options: Partial<ServeOptions> = {}) {
  return serve({ listen, open: true, resolveCommands: true, rules: { request: () => "allow" }, runtime, ...options });
}

for (const [how, split] of [["whole", undefined], ["byte by byte", bytewise]] as const) {
  describe(`bytes arrive ${how}`, () => {
    for (const scheme of ["socks4", "socks4a", "socks5", "socks5h"]) {
      for (const optimistic of [false, true]) {
        test(`${scheme}${optimistic ? ", optimistic" : ""}: the proxy looks the name up`, async () => {
          const runtime = network(split);
          await using _server = await start(runtime, "192.0.2.1:1080");
          const lookup = () => Promise.reject(new Error("looked up here"));
          const options = { proxy: `${scheme}://192.0.2.1`, runtime, optimistic, lookup };
          assertEquals(await soon(resolve("www.test", options)), "192.0.2.7");
          if (scheme.startsWith("socks5")) {
            assertEquals(await soon(resolve("six.test", options)), "2001:db8::7");
            assertEquals(await soon(resolvePtr("192.0.2.7", options)), "www.test");
            assertEquals(await soon(resolvePtr("2001:db8::7", options)), "six.test");
          } else {
            await assertRejects(() => soon(resolve("six.test", options)), ProxyError);
            await assertRejects(() => soon(resolvePtr("192.0.2.7", options)), ProxyError, "does not have RESOLVE_PTR");
          }
        });
      }
    }
  });
}

test("through a chain the last proxy is asked, and with a login", async () => {
  const runtime = network();
  await using _first = await start(runtime, "192.0.2.1:1080", { resolve: () => ["192.0.2.2"] });
  const users = [{ name: "ada", password: "pw", chapSecret: "lovelace" }];
  await using _second = await start(runtime, "192.0.2.2:1080", { users });
  const proxy = ["socks5h://two.test", "socks5+chap://ada:lovelace@other.test"];
  assertEquals(await soon(resolve("www.test", { proxy, runtime })), "192.0.2.7");
});

test("an address is its own answer, and what is none has no name", async () => {
  const options = { proxy: "socks5h://192.0.2.1", runtime: network() }; // where nobody listens
  assertEquals(await resolve("192.0.2.9", options), "192.0.2.9");
  assertEquals(await resolve("[2001:DB8::9]", options), "2001:db8::9");
  await assertRejects(() => resolvePtr("www.test", options), RangeError, "no IP address");
});

test("a proxy that refuses says why", async () => {
  const runtime = network();
  await using _server = await start(runtime, "192.0.2.1:1080", { resolveCommands: false });
  const options = { proxy: "socks5h://192.0.2.1", runtime };
  const error = await assertRejects(() => soon(resolve("www.test", options)), ProxyError);
  assertEquals([error.code, error.reply, error.phase], ["not-supported", 7, "reply"]);
  await using _other = await start(runtime, "192.0.2.3:1080");
  const unknown = resolve("nobody.test", { proxy: "socks5h://192.0.2.3", runtime });
  assertEquals((await assertRejects(() => soon(unknown), ProxyError)).reply, 4);
});

test("what is asked is what Tor's clients ask, and an answer that is none is refused", async () => {
  const mine = new Network();
  const told: string[] = [];
  const answers: Record<string, readonly number[]> = {
    "a name for an address": [5, 0, 0, 3, 1, 97, 0, 0],
    "zeros for an address": [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  };
  for (const [what, answer] of Object.entries(answers)) {
    mine.answers.set("192.0.2.1:1080", async (end) => {
      await end.read();
      await end.write(Uint8Array.of(5, 0));
      told.push(hex((await end.read())!));
      await end.write(Uint8Array.from(answer));
    });
    const asking = resolve("a.test", { proxy: "socks5://192.0.2.1", runtime: mine });
    await assertRejects(() => soon(asking), ProxyError, "which is not what was asked for", what);
  }
  assertEquals(told[0], "05 f0 00 03 06 61 2e 74 65 73 74 00 00");
  mine.answers.set("192.0.2.1:1080", async (end) => {
    await end.read();
    await end.write(Uint8Array.of(5, 0));
    told.push(hex((await end.read())!));
    await end.write(Uint8Array.of(5, 0, 0, 1, 192, 0, 2, 1, 0, 0));
  });
  const asking = resolvePtr("192.0.2.7", { proxy: "socks5://192.0.2.1", runtime: mine });
  await assertRejects(() => soon(asking), ProxyError, "which is not what was asked for");
  assertEquals([told[2], mine.lookups], ["05 f1 00 01 c0 00 02 07 00 00", []]);
});

/** Our client, and our server in front, ask a real Tor for lookups. It has no network, and knows one name. */

import { assertEquals } from "@std/assert";
import { after, before, describe, test } from "node:test";
import { resolve } from "../../src/client/resolve.ts";
import { serve } from "../../src/server/server.ts";
import { soon } from "../server/_harness.ts";
import { Resources, startTor, TOR_LACK } from "./_servers.ts";

describe("Tor", { skip: TOR_LACK }, () => {
  const resources = new Resources();
  let port = 0;
  before(async () => {
    port = await startTor(resources);
  });
  after(() => resources[Symbol.asyncDispose]());

  for (const scheme of ["socks4", "socks4a", "socks5", "socks5h"]) {
    test(`looks a name up over ${scheme}`, async () => {
      assertEquals(await soon(resolve("web.test", { proxy: `${scheme}://127.0.0.1:${port}` })), "203.0.113.80");
    });
  }

  test("is asked by our server for names that are left to it", async () => {
    const resolvesHere = () => Promise.reject(new Error("looked up here"));
    await using server = await serve({
      listen: "127.0.0.1:0",
      upstreams: { tor: { proxy: `socks5h://127.0.0.1:${port}` } },
      via: "tor",
      resolveCommands: true,
      resolve: resolvesHere,
    });
    const at = server.addresses[0] as { port: number };
    for (const scheme of ["socks4a", "socks5h"]) {
      assertEquals(await soon(resolve("web.test", { proxy: `${scheme}://127.0.0.1:${at.port}` })), "203.0.113.80");
    }
  });
});

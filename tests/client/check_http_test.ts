/** Checks of a proxy that speaks HTTP alone. */

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { checkProxy, type ProxyCheck } from "../../src/client/check_proxy.ts";
import { parseProxy } from "../../src/client/proxy.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { Resources } from "./_servers.ts";

/** Starts a proxy, which asks for this login if there is one, and says where. */
async function httpProxy(resources: Resources, login?: string): Promise<string> {
  const wanted = login && `Basic ${Buffer.from(login).toString("base64")}`;
  const server = createServer().on("connect", ({ url, headers }, client: Socket, ahead: Uint8Array) => {
    client.on("error", () => {});
    if (wanted !== undefined && headers["proxy-authorization"] !== wanted) {
      return void client.end("HTTP/1.1 407 Who is there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    const { hostname, port } = new URL(`tcp://${url}`);
    const target = connect({ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port), allowHalfOpen: true });
    target.on("error", () => client.destroy()).once("connect", () => {
      client.write("HTTP/1.1 200 Here you are\r\n\r\n");
      target.write(ahead);
      client.pipe(target).pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  resources.defer(() => server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function check(url: string): Promise<ProxyCheck> {
  const runtime = await currentRuntime();
  return await checkProxy(parseProxy(url), { runtime, timeout: 60_000, longest: 300_000, bytes: 0, now: Date.now });
}

function loginsOf({ findings }: ProxyCheck): readonly string[] {
  return findings.filter(({ name }) => name.includes("login") || name.includes("password"))
    .map(({ outcome, detail }) => `${outcome} ${detail}`.trim());
}

test("whether it wants a login is asked in HTTP, and what is wrong with one is the verdict's", async () => {
  const resources = new Resources();
  const [open, closed] = [await httpProxy(resources), await httpProxy(resources, "ada:lovelace")];
  try {
    const right = await check(`http://ada:lovelace@${closed}`);
    assertEquals([right.verdict, ...loginsOf(right)], ["usable", "yes", "yes"]);
    assertEquals(right.faults[0], "it does not speak SOCKS5");

    const wrong = await check(`http://ada:byron@${closed}`);
    assertEquals([wrong.verdict, ...loginsOf(wrong)], ["unusable", "yes", "yes"]);
    assertEquals(wrong.faults, ["nothing comes through: authentication: wrong user or password"]);

    const nobody = await check(`http://${closed}`);
    assertEquals([nobody.verdict, ...loginsOf(nobody)], ["unusable", "yes", "skipped no login was given"]);

    const anyone = await check(`http://ada:byron@${open}`);
    assertEquals([anyone.verdict, ...loginsOf(anyone)], [
      ...["usable", "no anybody who reaches it may use it", "no any password will do"],
    ]);
  } finally {
    await resources[Symbol.asyncDispose]();
  }
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import type { Listener, ListenOptions } from "../../src/runtime/runtime.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { Clock } from "./_clock.ts";
import { settle, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const REQUEST = [5, 1, 0, 1, 192, 0, 2, 9, 0, 80];

/** A network where listening takes as long as the test wants. */
class SlowNetwork extends Network {
  wait: Promise<void> = Promise.resolve();

  override async listen(options: ListenOptions): Promise<Listener> {
    await this.wait;
    return await super.listen(options);
  }
}

function scene(): { network: SlowNetwork; options(more?: ServeOptions): ServeOptions } {
  const network = new SlowNetwork();
  network.answers.set("192.0.2.9:80", () => {});
  const options = (more: ServeOptions = {}): ServeOptions => (
    { listen: "127.0.0.1:1080", runtime: network, ...more }
  );
  return { network, options };
}

async function tunnel(network: Network): Promise<Wire> {
  const client = new Wire(network.reach("127.0.0.1:1080", { ip: "127.0.0.1", port: 50_000 }));
  await client.send([5, 1, 0], REQUEST);
  return client;
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => resolve = fulfil);
  return { promise, resolve };
}

test("an end that comes while a reload listens leaves nobody listening", async () => {
  const { network, options } = scene();
  const server = await serve(options());
  const client = await tunnel(network);
  await client.expect("05 00 05 00 00 01");
  const go = deferred<void>();
  network.wait = go.promise;
  const reloading = server.reload(options({ listen: ["127.0.0.1:1080", "127.0.0.1:1081"] }));
  await settle();
  const drained = server.drain();
  go.resolve();
  await assertRejects(() => reloading, NetError, "the server is closing");
  assertEquals([...network.listeners.keys()], []);
  client.finish();
  await server.close();
  await drained;
});

test("running sessions are held to the limits of new options", async () => {
  const { network, options } = scene();
  const arrived = deferred<number>();
  network.answers.set("192.0.2.9:80", async (end) => {
    for (let got = 0; got < 10_000;) {
      got += (await end.read())?.length ?? NaN;
      if (!(got < 10_000)) arrived.resolve(got);
    }
  });
  await using server = await serve(options({ limits: [{ name: "all", upload: 1 }] }));
  const client = await tunnel(network);
  await client.expect("05 00 05 00 00 01");
  await client.send(new Uint8Array(10_000));
  await server.reload(options({ limits: [{ name: "all", sessions: 1 }] }));
  assertEquals(await arrived.promise, 10_000);
});

test("a store that cannot be left in order is told of, and the new options hold all the same", async () => {
  using _clock = new Clock(); // which stands still: nothing is saved but at the end
  const { network, options } = scene();
  const folder = mkdtempSync(join(tmpdir(), "socks-store-"));
  const told: string[] = [];
  const limits = [{ name: "all", newSessions: { count: 10, per: 3_600_000 } }];
  await using server = await serve(options({
    store: { file: join(folder, "counts.json") },
    limits,
    onStore: (state, reason) => told.push(`${state}: ${reason}`),
  }));
  const client = await tunnel(network);
  await client.expect("05 00 05 00 00 01");
  rmSync(folder, { recursive: true });
  await server.reload(options({ limits, rules: { request: () => "deny" } }));
  const other = await tunnel(network);
  await other.expect("05 00 05 02 00 01");
  assertEquals(told.length, 1);
  assert(told[0]!.startsWith("away: Cannot write counts to "), told[0]);
});

test("clients that wait for a place get it when new options make room", async () => {
  const { network, options } = scene();
  await using server = await serve(options({ bounds: { sessions: 1 } }));
  const first = await tunnel(network);
  await first.expect("05 00 05 00 00 01");
  const second = await tunnel(network);
  await settle();
  assertEquals(server.sessions, 1);
  await server.reload(options({ bounds: { sessions: 2 } }));
  await second.expect("05 00 05 00 00 01");
});

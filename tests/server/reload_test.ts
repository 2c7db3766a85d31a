import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { formatAddress } from "../../src/net/address.ts";
import { NetError } from "../../src/net/errors.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { Recorder, settle, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const CLIENT = { ip: "127.0.0.1", port: 50_000 };
const REQUEST = [5, 1, 0, 1, 192, 0, 2, 9, 0, 80];

class House implements AsyncDisposable {
  readonly network = new Network();
  readonly recorder = new Recorder();
  server!: Server;

  options(options: ServeOptions = {}): ServeOptions {
    return { listen: "127.0.0.1:1080", runtime: this.network, observer: this.recorder, ...options };
  }

  client(to = "127.0.0.1:1080"): Wire {
    return new Wire(this.network.reach(to, CLIENT));
  }

  /** A client whose request was granted, without a login. */
  async tunnel(): Promise<Wire> {
    const client = this.client();
    await client.send([5, 1, 0], REQUEST);
    await client.expect("05 00 05 00 00 01");
    await client.read(6);
    return client;
  }

  get addresses(): string[] {
    return this.server.addresses.map(formatAddress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

async function house(options: ServeOptions = {}): Promise<House> {
  const house = new House();
  house.network.answers.set("192.0.2.9:80", () => {});
  house.server = await serve(house.options(options));
  return house;
}

/** A promise, and what fulfils it. */
function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => resolve = fulfil);
  return { promise, resolve };
}

const no = { request: () => ({ deny: "not any more" }) };

test("new sessions are served by the new options, running ones go on", async () => {
  await using scene = await house();
  const running = await scene.tunnel();
  await scene.server.reload(scene.options({ rules: no }));
  const refused = scene.client();
  await refused.send([5, 1, 0], REQUEST);
  await refused.expect("05 00 05 02 00 01 00 00 00 00 00 00");
  await running.send("still here");
  assertEquals(scene.server.sessions, 2);
});

test("a session that has not asked yet is judged by the new options", async () => {
  await using scene = await house();
  const client = scene.client();
  await client.send([5, 1, 0]);
  await client.expect("05 00");
  await scene.server.reload(scene.options({ rules: no }));
  await client.send(REQUEST);
  await client.expect("05 02 00 01 00 00 00 00 00 00");
});

test("a recheck ends the sessions that the new rules do not allow, and no others", async () => {
  await using scene = await house({ observer: undefined });
  await using other = await house();
  for (const one of [scene, other]) await one.tunnel();
  await other.server.reload(other.options({ rules: no }), { sessions: "recheck" });
  const { cause, reason } = await other.recorder.summary();
  assertEquals([cause, reason], ["revoked", "Not allowed any more: not any more"]);
  await scene.server.reload(scene.options({ rules: { request: () => undefined } }), { sessions: "recheck" });
  await settle();
  assertEquals(scene.server.sessions, 1);
});

test("a recheck ends sessions whose user is gone, and those without one where logins are needed now", async () => {
  await using scene = await house();
  await scene.tunnel();
  await scene.server.reload(scene.options({ users: [{ name: "ada", password: "x" }] }), { sessions: "recheck" });
  assertEquals((await scene.recorder.summary()).reason, "Not allowed any more: a login is needed now");

  const client = scene.client();
  await client.send([5, 1, 2], [1, 3, 97, 100, 97, 1, 120], REQUEST);
  await client.expect("05 02 01 00");
  await client.read(10);
  await scene.server.reload(scene.options({ users: [{ name: "alan", password: "x" }] }), { sessions: "recheck" });
  assertEquals((await scene.recorder.summary(1)).reason, "Not allowed any more: there is no such user any more");
});

test("a user who is gone gets no answer to a request that comes later", async () => {
  await using scene = await house({ users: [{ name: "ada", password: "x" }] });
  const client = scene.client();
  await client.send([5, 1, 2], [1, 3, 97, 100, 97, 1, 120]);
  await client.expect("05 02 01 00");
  await scene.server.reload(scene.options({ users: [{ name: "alan", password: "x" }] }));
  assertEquals((await scene.recorder.summary()).cause, "revoked");
});

test("a client who was let in without a login gets nothing once logins are needed", async () => {
  await using scene = await house();
  const client = scene.client();
  await client.send([5, 1, 0]);
  await client.expect("05 00");
  await scene.server.reload(scene.options({ users: [{ name: "ada", password: "x" }] }));
  await client.send(REQUEST);
  await client.expect("05 02 00 01 00 00 00 00 00 00");
  assertEquals((await scene.recorder.summary()).reason, "a login is needed now");
});

test("a login that is checked while its user goes lets nobody in", async () => {
  const { promise, resolve } = deferred<{ name: string }>();
  await using scene = await house({ authenticate: () => promise });
  const client = scene.client();
  await client.send([5, 1, 2], [1, 3, 97, 100, 97, 1, 120], REQUEST);
  await client.expect("05 02");
  await scene.server.reload(scene.options({ users: [{ name: "alan", password: "x" }] }));
  resolve({ name: "ada" });
  await client.expect("01 00 05 02 00 01 00 00 00 00 00 00");
  assertEquals((await scene.recorder.summary()).reason, "there is no such user any more");
});

test("a rule that is asked while it goes does not decide", async () => {
  const { promise, resolve } = deferred<undefined>();
  await using scene = await house({ rules: { request: () => promise } });
  const client = scene.client();
  await client.send([5, 1, 0], REQUEST);
  await client.expect("05 00");
  await settle();
  await scene.server.reload(scene.options({ rules: no }));
  resolve(undefined);
  await client.expect("05 02 00 01 00 00 00 00 00 00");
});

/** A request for a name, whose lookup waits. */
const BY_NAME = [5, 1, 0, 3, 6, ...new TextEncoder().encode("a.test"), 0, 80];

for (const sessions of ["keep", "recheck"] as const) {
  test(`a name that is looked up during a reload (${sessions}) is judged by the new options`, async () => {
    const { promise, resolve } = deferred<string[]>();
    await using scene = await house({ resolve: () => promise });
    const client = scene.client();
    await client.send([5, 1, 0], BY_NAME);
    await client.expect("05 00");
    await settle();
    const rules = [{ name: "closed", action: "deny", to: ["192.0.2.9"] }] as const;
    await scene.server.reload(scene.options({ rules, resolve: () => ["192.0.2.9"] }), { sessions });
    resolve(["192.0.2.9"]);
    await client.expect("05 02 00 01 00 00 00 00 00 00");
    assertEquals(scene.network.attempts, []);
    assertEquals(scene.recorder.sessions.at(-1)?.rule, "closed");
  });

  test(`a target that is dialled during a reload (${sessions}) is judged by the new options`, async () => {
    const { promise, resolve } = deferred<void>();
    await using scene = await house({
      dial: async ({ host, port }, { runtime }) => {
        await promise;
        return await runtime.connect({ ip: host, port });
      },
    });
    const client = scene.client();
    await client.send([5, 1, 0], REQUEST);
    await client.expect("05 00");
    await settle();
    await scene.server.reload(scene.options({ rules: no }), { sessions });
    resolve();
    await client.expect("05 02 00 01 00 00 00 00 00 00");
  });
}

test("a request that the new options allow as well goes on over a reload", async () => {
  const { promise, resolve } = deferred<string[]>();
  await using scene = await house({ resolve: () => promise });
  const client = scene.client();
  await client.send([5, 1, 0], BY_NAME);
  await client.expect("05 00");
  await settle();
  const rules = [{ name: "open", action: "allow", to: ["a.test"] }] as const;
  await scene.server.reload(scene.options({ rules, resolve: () => ["192.0.2.9"] }));
  resolve(["192.0.2.9"]);
  await client.expect("05 00 00 01");
  assertEquals(scene.recorder.sessions.at(-1)?.rule, "open");
});

test("listeners that both options name stay open, others come and go", async () => {
  await using scene = await house({ listen: ["127.0.0.1:1080", "127.0.0.1:1081", "127.0.0.1:0"] });
  const before = scene.addresses;
  await scene.server.reload(scene.options({ listen: ["127.0.0.1:0", "127.0.0.1:1082", "127.0.0.1:1080"] }));
  assertEquals(scene.addresses, [before[2]!, "127.0.0.1:1082", "127.0.0.1:1080"]);
  assertEquals([...scene.network.listeners.keys()].includes("127.0.0.1:1081"), false);
  const client = scene.client("127.0.0.1:1082");
  await client.send([5, 1, 0]);
  await client.expect("05 00");
});

test("options that cannot be used change nothing", async () => {
  await using scene = await house();
  const wrong: [ServeOptions, typeof NetError | typeof TypeError | typeof RangeError][] = [
    [{ listen: ["127.0.0.1:1083", "127.0.0.1:1083"] }, NetError],
    [{ listen: "0.0.0.0:1080" }, TypeError],
    [{ bounds: { sessions: 0 } }, RangeError],
    [{ users: [{ name: "", password: "" }] }, RangeError],
  ];
  for (const [options, kind] of wrong) {
    await assertRejects(() => scene.server.reload(scene.options({ ...options, rules: no })), kind);
  }
  assertEquals(scene.addresses, ["127.0.0.1:1080"]);
  assertEquals([...scene.network.listeners.keys()], ["127.0.0.1:1080"]);
  await scene.tunnel();
});

test("reloads that come together happen one after the other", async () => {
  await using scene = await house();
  await Promise.all(
    [1081, 1082, 1083].map((port) => scene.server.reload(scene.options({ listen: `127.0.0.1:${port}` }))),
  );
  assertEquals(scene.addresses, ["127.0.0.1:1083"]);
});

test("a server that is closing cannot be told anything any more", async () => {
  const scene = await house();
  await scene.server.close();
  await assertRejects(() => scene.server.reload(scene.options()), NetError, "closing");
});

test("numbers of sessions go on over a reload", async () => {
  await using scene = await house();
  await scene.tunnel();
  await scene.server.reload(scene.options());
  await scene.tunnel();
  assertEquals(scene.recorder.sessions.map(({ id }) => id).at(-1), 2);
});

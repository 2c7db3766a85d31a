import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import type { Abortable, Connection, ConnectOptions } from "../../src/runtime/runtime.ts";
import type { DialContext } from "../../src/server/dial.ts";
import { interleaveFamilies } from "../../src/client/race.ts";
import { connectDirectly } from "../../src/server/happy_eyeballs.ts";
import { Clock } from "./_clock.ts";
import { eventually, soon } from "./_harness.ts";
import { Network } from "./_network.ts";
import { outgoing, type OutgoingOptions } from "../../src/server/outgoing.ts";
import { pipe, type PipeEnd } from "./_pipe.ts";

const at = (ip: string) => ({ ip, port: 80 });
const NAME = { type: "name", host: "www.example", port: 80 } as const;

/** A system whose attempts the test decides, one by one. */
class Attempts extends Network {
  readonly open: {
    ip: string;
    localIp: string | undefined;
    signal: Abortable;
    win(): PipeEnd;
    lose(error: NetError): void;
  }[] = [];

  override connect({ ip }: { ip: string }, { signal, localIp }: ConnectOptions = {}): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const win = () => {
        const [inside] = pipe();
        resolve(inside);
        return inside;
      };
      signal!.addEventListener("abort", () => reject(signal!.reason));
      this.open.push({ ip, localIp, signal: signal!, win, lose: reject });
    });
  }

  get ips(): string[] {
    return this.open.map(({ ip }) => ip);
  }

  async started(count: number): Promise<void> {
    await eventually(() => this.open.length >= count, `attempt ${count}`);
  }
}

function dial(
  ips: readonly string[],
  signal: AbortSignal = new AbortController().signal,
  options?: OutgoingOptions,
) {
  const runtime = new Attempts();
  const ways = options === undefined ? undefined : outgoing(options);
  const context = { addresses: ips.map(at), runtime, signal, request: {}, outgoing: ways } as unknown as DialContext;
  const connecting = Promise.resolve(connectDirectly(NAME, context)) as Promise<Connection>;
  connecting.catch(() => {});
  return { runtime, connecting };
}

const failure = (code: "refused" | "timeout" | "unreachable-network") => new NetError(code, code);

test("families take turns, the resolver's first one first, each in the resolver's order", () => {
  const order = (...ips: string[]) => interleaveFamilies(ips.map(at)).map(({ ip }) => ip);
  assertEquals(order("::1", "::2", "::3", "1.1.1.1", "2.2.2.2"), ["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"]);
  assertEquals(order("1.1.1.1", "2.2.2.2", "::1"), ["1.1.1.1", "::1", "2.2.2.2"]);
  assertEquals(order("1.1.1.1", "2.2.2.2"), ["1.1.1.1", "2.2.2.2"]);
  assertEquals(order(), []);
});

test("whatever the addresses, each is tried once", () => {
  const ip = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(fc.property(fc.uniqueArray(ip, { maxLength: 20 }), (ips) => {
    const order = interleaveFamilies(ips.map(at)).map(({ ip }) => ip);
    assertEquals([...order].sort(), [...ips].sort());
    if (ips.length > 0) assertEquals(order[0], ips[0]);
  }));
});

test("a single address is dialled without a race", async () => {
  const { runtime, connecting } = dial(["1.1.1.1"]);
  const won = runtime.open[0]!.win();
  assertStrictEquals(await soon(connecting), won);
});

test("no address at all cannot be dialled", async () => {
  const { connecting } = dial([]);
  assertEquals((await assertRejects(() => connecting, NetError)).code, "name-not-found");
});

test("the second attempt waits for a short delay", async () => {
  using clock = new Clock();
  const { runtime, connecting } = dial(["::1", "1.1.1.1"]);
  await clock.advance(100);
  assertEquals(runtime.ips, ["::1"]);
  await clock.advance(1_900);
  assertEquals(runtime.ips, ["::1", "1.1.1.1"]);
  runtime.open[1]!.win();
  await soon(connecting);
});

test("a failed attempt is followed by the next at once", async () => {
  using _clock = new Clock(); // which stands still
  const { runtime, connecting } = dial(["::1", "1.1.1.1", "::2"]);
  runtime.open[0]!.lose(failure("refused"));
  await runtime.started(2);
  runtime.open[1]!.lose(failure("refused"));
  await runtime.started(3);
  const won = runtime.open[2]!.win();
  assertStrictEquals(await soon(connecting), won);
});

test("the first to connect wins, the others are given up", async () => {
  using clock = new Clock();
  const { runtime, connecting } = dial(["::1", "1.1.1.1", "::2"]);
  await clock.advance(clock.left[0]!);
  const won = runtime.open[1]!.win();
  assertStrictEquals(await soon(connecting), won);
  assertEquals(runtime.open[0]!.signal.aborted, true);
  assertEquals(won.isClosed, false);
  await clock.advance(2_000);
  assertEquals([runtime.ips.length, clock.left], [2, []]);
});

test("one that connects too late is closed", async () => {
  const runtime = new Attempts();
  const deaf = new Map<string, (end: PipeEnd) => void>();
  runtime.connect = ({ ip }) => new Promise((resolve) => deaf.set(ip, resolve)); // heeds no signal
  const { signal } = new AbortController();
  const context = { addresses: [at("::1"), at("1.1.1.1")], runtime, signal } as Partial<DialContext> as DialContext;
  const connecting = connectDirectly(NAME, context);
  await eventually(() => deaf.size === 2, "the second attempt");
  const [first, second] = [pipe()[0], pipe()[0]];
  deaf.get("1.1.1.1")!(second);
  assertStrictEquals(await soon(Promise.resolve(connecting)), second);
  deaf.get("::1")!(first);
  await eventually(() => first.isClosed, "the loser's close");
  assertEquals(second.isClosed, false);
});

test("an abort gives all attempts up, with its reason", async () => {
  using clock = new Clock();
  const controller = new AbortController();
  const { runtime, connecting } = dial(["::1", "1.1.1.1", "::2"], controller.signal);
  await clock.advance(clock.left[0]!);
  const reason = new NetError("timeout", "enough");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => connecting), reason);
  assertEquals(runtime.open.map(({ signal }) => signal.aborted), [true, true]);
});

test("an abort before the start tries nothing", async () => {
  const { runtime, connecting } = dial(["::1", "1.1.1.1"], AbortSignal.abort(new NetError("aborted", "never mind")));
  await assertRejects(() => connecting, NetError);
  assertEquals(runtime.ips, []);
});

test("when all fail the error is that of the first", async () => {
  const { runtime, connecting } = dial(["::1", "1.1.1.1"]);
  runtime.open[0]!.lose(failure("refused"));
  await runtime.started(2);
  runtime.open[1]!.lose(failure("unreachable-network"));
  assertEquals((await assertRejects(() => connecting, NetError)).code, "refused");
});

test("when all fail the error is that of the first address, though it failed last", async () => {
  const { runtime, connecting } = dial(["::1", "1.1.1.1"]);
  await runtime.started(2);
  runtime.open[1]!.lose(failure("unreachable-network"));
  runtime.open[0]!.lose(failure("refused"));
  assertEquals((await assertRejects(() => connecting, NetError)).code, "refused");
});

const { signal: NEVER } = new AbortController();

test("nothing is said of the source where the system chooses it", () => {
  assertEquals(dial(["1.1.1.1"]).runtime.open[0]!.localIp, undefined);
  assertEquals(dial(["1.1.1.1"], NEVER, {}).runtime.open[0]!.localIp, undefined);
});

test("each family has its source", async () => {
  const { runtime, connecting } = dial(["::1", "1.1.1.1"], NEVER, { addresses: ["192.0.2.7", "2001:db8::7"] });
  runtime.open[0]!.lose(failure("refused"));
  await runtime.started(2);
  assertEquals(runtime.open.map(({ ip, localIp }) => [ip, localIp]), [["::1", "2001:db8::7"], [
    "1.1.1.1",
    "192.0.2.7",
  ]]);
  runtime.open[1]!.win();
  await soon(connecting);
});

test("all attempts of one dial to a family leave from one address", async () => {
  const addresses = ["192.0.2.7", "192.0.2.8", "192.0.2.9"];
  const { runtime, connecting } = dial(["1.1.1.1", "1.1.1.2"], NEVER, { addresses });
  runtime.open[0]!.lose(failure("refused"));
  await runtime.started(2);
  assertEquals(runtime.open.map(({ localIp }) => localIp), ["192.0.2.7", "192.0.2.7"]);
  runtime.open[1]!.win();
  await soon(connecting);
});

test("an address without a source of its family is not dialled, and the others are", async () => {
  const only4: OutgoingOptions = { addresses: ["192.0.2.7"] };
  const alone = dial(["::1"], NEVER, only4);
  const error = await assertRejects(() => alone.connecting, NetError);
  assertEquals(error.code, "unreachable-network");
  assertEquals(alone.runtime.ips, []);
  const { runtime, connecting } = dial(["::1", "1.1.1.1"], NEVER, only4);
  await runtime.started(1);
  assertEquals(runtime.ips, ["1.1.1.1"]);
  const won = runtime.open[0]!.win();
  assertStrictEquals(await soon(connecting), won);
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { type Running, start } from "../clients/_process.ts";
import { closedPort, eventually, Target, Udp, Wire } from "../conformance/_client.ts";
import { onPath, type RuntimeUnderTest } from "../conformance/_server.ts";
import { asked, ASSOCIATE, CONNECT, socks5Address } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { Operated } from "./_operated.ts";

const skip = onPath("microsocks") === undefined ? "microsocks is not installed" : undefined;

/** Who asks where, from this machine to itself: what matters is which proxy the target sees. */
const MICRO = "127.0.0.21", OWN = "127.0.0.22";
const CUT = "cut off";

/** A proxy of another kind, whose connections come from {@linkcode MICRO}. */
async function microsocks(port: number): Promise<Running> {
  const command = ["microsocks", "-i", "127.0.0.1", "-p", `${port}`, "-b", MICRO];
  const running = start(command, { signal: AbortSignal.timeout(600_000) });
  const answers = (): Promise<boolean> =>
    Wire.connect({ host: "127.0.0.1", port }).then((wire) => (wire.close(), true), () => false);
  // It says nothing when it listens; when it ends, what waits for its output fails.
  await Promise.race([eventually("microsocks to listen", answers), running.waitForOutput(/^(?!)/)]);
  return running;
}

/** A proxy of ours, whose connections come from {@linkcode OWN}. */
function ours(of: { readonly runtime: RuntimeUnderTest; readonly folder: string }, port: number): Promise<Operated> {
  return Operated.start(of, { listen: [`127.0.0.1:${port}`], outgoing: { addresses: [OWN] } });
}

/** A target that says where connections come from. */
function mirror(): Promise<Target> {
  return Target.listen({
    handle: async (wire) => {
      await wire.send(wire.remoteAddress.padEnd(16));
      wire.finish();
      await wire.readToEnd();
    },
  });
}

/** Connects to the mirror, and says which proxy it was by; or the code of the reply. */
async function by({ place }: Operated, { port }: Target): Promise<string | number> {
  const { wire, reply } = await asked(place, CONNECT, "127.0.0.1", port);
  using tunnel = wire;
  if (reply.code !== 0) return reply.code;
  return new TextDecoder().decode(await tunnel.read(16)).trim();
}

/** The ways out to both, and a group of them. */
function settings(ports: { readonly micro: number; readonly own: number }, group: Record<string, unknown>) {
  return {
    upstreams: [
      { name: "micro", proxy: `socks5h://127.0.0.1:${ports.micro}` },
      { name: "own", proxy: `socks5h://127.0.0.1:${ports.own}` },
      { name: "both", group: ["micro", "own"], ...group },
    ],
    via: "both",
  };
}

suite("groups of proxies", ({ bare }) => {
  bare("sessions go on when a proxy is killed, and it is taken again when it is back", async (of) => {
    const ports = { micro: await closedPort(), own: await closedPort() };
    using target = await mirror();
    await using own = await ours(of, ports.own);
    let micro = await microsocks(ports.micro);
    try {
      const check = { target: `127.0.0.1:${target.port}`, every: "500ms", timeout: "60s", longestPause: "1s" };
      await using operated = await Operated.start(of, settings(ports, { choose: "round-robin", check }));
      const health = (isUp: boolean, since: number) =>
        operated.entry(
          `micro ${isUp ? "up" : "down"}`,
          (entry) => {
            const { event, member, up } = entry as { event: string; member?: string; up?: boolean };
            return event === "upstream" && member === "micro" && up === isUp;
          },
          since,
        );
      let isOver = false;
      const seen: (string | number)[] = [];
      const done = [0, 0, 0];
      const clients = Promise.all(done.map(async (_, index) => {
        while (!isOver) {
          seen.push(await by(operated, target).catch(() => CUT));
          done[index]!++;
        }
      }));
      /** Waits for so many rounds of each client. The first of them may have begun before. */
      const rounds = (count: number): Promise<true> => {
        const first = [...done];
        return eventually("rounds of the clients", () => done.every((now, index) => now >= first[index]! + count));
      };
      try {
        await rounds(7);
        assertEquals(new Set(seen), new Set([MICRO, OWN]));

        const before = operated.server.output().length;
        await micro[Symbol.asyncDispose]();
        assertMatch(
          (await health(false, before)).message!,
          /^"micro" of "both" is down: .*"socks5h:\/\/127\.0\.0\.1:\d+"/,
        );
        await rounds(2);
        const since = seen.length;
        await rounds(7);
        assertEquals(new Set(seen.slice(since)), new Set([OWN]));

        const after = operated.server.output().length;
        micro = await microsocks(ports.micro);
        assertEquals((await health(true, after)).message, '"micro" of "both" is up: a check succeeded');
        const back = seen.length;
        await rounds(7);
        assertEquals(new Set(seen.slice(back)), new Set([MICRO, OWN]));
      } finally {
        isOver = true;
      }
      await clients;
      // Who was with the proxy when it died may have been cut off; nobody else, and nobody is refused.
      const lost = seen.filter((who) => who !== MICRO && who !== OWN);
      assert(lost.length <= 3 && lost.every((who) => who === CUT), `${lost}`);
      assertEquals(own.entries().filter(({ level }) => level === "error"), []);
    } finally {
      await micro[Symbol.asyncDispose]();
    }
  }, { skip, deadlineMs: 300_000 });

  bare("without checks a session finds that a proxy is gone, and another that it is back", async (of) => {
    const ports = { micro: await closedPort(), own: await closedPort() };
    using target = await mirror();
    await using _own = await ours(of, ports.own);
    const check = { every: "300ms", timeout: "60s", longestPause: "1s" };
    await using operated = await Operated.start(of, settings(ports, { check }));
    assertEquals([await by(operated, target), await by(operated, target)], [OWN, OWN]);
    await using _micro = await microsocks(ports.micro);
    await eventually("the first to be taken again", async () => await by(operated, target) === MICRO || undefined);
    assertEquals(await by(operated, target), MICRO);
    const up = await operated.entry("micro up", ({ event, level }) => event === "upstream" && level === "info");
    const told = operated.entries().filter(({ event }) => event === "upstream");
    assertEquals(told.map(({ level }) => level), ["warning", "info"]);
    assertEquals(up.message, '"micro" of "both" is up: a connection succeeded');
  }, { skip });

  bare("a proxy that is there and says nothing is passed over", async (of) => {
    const ports = { micro: await closedPort(), own: await closedPort() };
    using target = await mirror();
    await using own = await ours(of, ports.own);
    await using _micro = await microsocks(ports.micro);
    const group = (timeout: string) => settings(ports, { group: ["own", "micro"], check: { timeout } });
    await using operated = await Operated.start(of, group("60s"));
    assertEquals(await by(operated, target), OWN);
    process.kill(own.server.pid, "SIGSTOP");
    try {
      // What a proxy that is there needs is thousand times less.
      await operated.reload(group("5s"));
      assertEquals([await by(operated, target), await by(operated, target)], [MICRO, MICRO]);
    } finally {
      process.kill(own.server.pid, "SIGCONT");
    }
    const { message } = await operated.entry("own down", ({ event }) => event === "upstream");
    assertMatch(message!, /^"own" of "both" is down: .* \(greeting\): no answer within 5000 ms$/);
  }, { skip });

  bare("a target that cannot be reached takes no proxy down", async (of) => {
    const ports = { micro: await closedPort(), own: await closedPort() };
    using target = await mirror();
    await using _own = await ours(of, ports.own);
    await using _micro = await microsocks(ports.micro);
    await using operated = await Operated.start(of, settings(ports, { check: { timeout: "60s" } }));
    const closed = await closedPort();
    for (let n = 0; n < 3; n++) assertEquals((await operated.ask("127.0.0.1", closed)).rep, 5);
    assertEquals(await by(operated, target), MICRO);
    assertEquals(operated.entries().filter(({ event }) => event === "upstream"), []);
  }, { skip });

  bare("datagrams go by the member that carries them", async (of) => {
    const ports = { micro: await closedPort(), own: await closedPort() };
    using echo = await Udp.echo();
    using target = await mirror();
    await using own = await ours(of, ports.own);
    await using _micro = await microsocks(ports.micro);
    await using operated = await Operated.start(of, settings(ports, { check: { timeout: "60s" } }));
    const { wire, reply } = await asked(operated.place, ASSOCIATE, "0.0.0.0", 0);
    using _control = wire;
    assertEquals(reply.code, 0);
    using client = await Udp.bind();
    const header = [0, 0, 0, ...socks5Address("127.0.0.1", echo.port)];
    const datagram = new Uint8Array([...header, ...new TextEncoder().encode("hello")]);
    await client.send(reply, datagram);
    assertEquals((await client.receive()).data, datagram);
    // The one that does not is up all the same, for what it does.
    assertEquals(await by(operated, target), MICRO);
    assertEquals(operated.entries().filter(({ event }) => event === "upstream"), []);
    wire.close();
    assertEquals((await own.entry("the association", ({ command }) => command === "udp-associate")).level, "info");
  }, { skip });

  bare("ways out change with a reload; what runs goes on", async (of) => {
    const ports = { micro: await closedPort(), own: await closedPort() };
    using target = await mirror();
    using echo = await Target.echo();
    await using _own = await ours(of, ports.own);
    await using _micro = await microsocks(ports.micro);
    const { upstreams } = settings(ports, { check: { timeout: "60s" } });
    await using operated = await Operated.start(of, { upstreams, via: "both" });
    const { wire } = await asked(operated.place, CONNECT, "127.0.0.1", echo.port);
    using running = wire;
    assertEquals(await by(operated, target), MICRO);
    await operated.reload({ upstreams, via: "own" });
    assertEquals(await by(operated, target), OWN);
    await operated.reload({ upstreams: [{ name: "own", proxy: `socks5h://127.0.0.1:${ports.micro}` }], via: "own" });
    assertEquals(await by(operated, target), MICRO);
    await operated.reload({ via: `socks5h://127.0.0.1:${ports.own}` });
    assertEquals(await by(operated, target), OWN);
    await operated.reload({ via: "block" });
    assertEquals(await by(operated, target), 2);
    const [problem] = await operated.reload({ via: "nobody" });
    assertMatch(problem!.message!, /via: found "nobody", which is no way out/);
    assertEquals(await by(operated, target), 2);
    await operated.reload({});
    assertEquals(await by(operated, target), "127.0.0.1");
    await running.send("still here");
    assertEquals(new TextDecoder().decode(await running.read(10)), "still here");
  }, { skip });
});

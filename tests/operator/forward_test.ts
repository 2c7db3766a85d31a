/** Forwards on real servers, with what people put through them. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Resolver } from "node:dns/promises";
import { userInfo } from "node:os";
import { PEERS, Resources } from "../client/_servers.ts";
import { type Bench, clients, type Need, program } from "../clients/_case.ts";
import { SSH_NEEDS, startSshd } from "../clients/_sshd.ts";
import { GREETING, payload, REFUSED_PORT, sha256 } from "../clients/_targets.ts";
import { eventually, Target, type To, Udp, Wire } from "../conformance/_client.ts";
import { A, NameServer } from "./_name_server.ts";
import { type Entry, Operated, type Settings } from "./_operated.ts";

const MIB = 1024 * 1024;

async function operate(bench: Bench, settings: Settings): Promise<Operated> {
  return bench.use(await Operated.start({ runtime: bench.runtime, folder: await bench.folder() }, settings));
}

/** Where the forward listens that leads there. */
function forwardTo(operated: Operated, to: string): Promise<To> {
  return eventually(`a forward to ${to} in:\n${operated.server.output()}`, () => {
    const line = operated.entries().findLast(({ message }) =>
      message?.startsWith("Forwarding ") && message.includes(` to ${to} `)
    );
    const port = /^Forwarding 127\.0\.0\.1:(\d+) /.exec(line?.message ?? "")?.[1];
    return port === undefined ? undefined : { host: "127.0.0.1", port: Number(port) };
  });
}

/** The account of a session to a target. */
function sessionTo(operated: Operated, port: number): Promise<Entry> {
  return operated.entry(
    `a session to port ${port}`,
    ({ event, targetPort }) => event === "session" && targetPort === port,
  );
}

/** How a connection ends by itself. A reset may be there before the client's runtime has said that it is connected. */
async function endingOf(connecting: Promise<Wire>): Promise<string> {
  let wire: Wire;
  try {
    wire = await connecting;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ECONNRESET") return "reset";
    throw error;
  }
  using open = wire;
  return (await open.readToEnd()).ending;
}

/** A target that says a word and ends when its client does. */
function greeting(word: string): (wire: Wire) => Promise<void> {
  return async (wire) => {
    await wire.send(word);
    await wire.readToEnd(600_000);
    wire.finish();
  };
}

function peer(name: string): Need {
  return () => PEERS.find((one) => one.name === name)!.lack;
}

clients("forwards", [program("curl")], (it) => {
  it("carry ssh, there and back", async (bench) => {
    const sshd = await startSshd(bench);
    const operated = await operate(bench, {
      forwards: [{ listen: "127.0.0.1:0", to: `localhost:${sshd.port}`, name: "ssh" }],
    });
    const { port } = await forwardTo(operated, `localhost:${sshd.port}`);
    const command = ["-p", `${port}`, `${userInfo().username}@127.0.0.1`, "sha256sum; exit 7"];
    const { code, stdout } = await bench.run(["ssh", ...sshd.options, ...command], { input: payload(8 * MIB) });
    assertEquals([code, stdout], [7, `${sha256(payload(8 * MIB))}  -\n`]);
    const { listenerName, command: asked, target, end } = await sessionTo(operated, sshd.port);
    assertEquals([listenerName, asked, target, end], ["ssh", "connect", "localhost", "finished"]);
  }, { needs: SSH_NEEDS });

  it("carry HTTP, which is not taken for a request to the proxy", async (bench) => {
    const http = await bench.http();
    const operated = await operate(bench, {
      mixed: true,
      forwards: [{ listen: "127.0.0.1:0", to: `127.0.0.1:${http.port}` }],
    });
    const { port } = await forwardTo(operated, `127.0.0.1:${http.port}`);
    const { code, stdout } = await bench.run(["curl", "-q", "-sS", `http://127.0.0.1:${port}/hello`]);
    assertEquals([code, stdout], [0, GREETING]);
  });

  it("reset a client whose target refuses, or that the rules deny", async (bench) => {
    const http = await bench.http();
    const operated = await operate(bench, {
      forwards: [
        { listen: "127.0.0.1:0", to: `127.0.0.1:${REFUSED_PORT}` },
        { listen: "127.0.0.1:0", to: `127.0.0.1:${http.port}`, name: "web" },
      ],
      rules: [{ name: "not from there", action: "deny", listeners: ["web"], from: ["127.0.0.9"] }],
    });
    assertEquals(await endingOf(Wire.connect(await forwardTo(operated, `127.0.0.1:${REFUSED_PORT}`))), "reset");
    assertEquals((await sessionTo(operated, REFUSED_PORT)).refusal, "network");
    const web = await forwardTo(operated, `127.0.0.1:${http.port}`);
    assertEquals(await endingOf(Wire.connect(web, { from: "127.0.0.9" })), "reset");
    const { refusal, rule } = await sessionTo(operated, http.port);
    assertEquals([refusal, rule], ["rules", "not from there"]);
  });

  it("keep what a client sends at once, and each half open for as long as it needs", async (bench) => {
    const digest = await bench.digest();
    const operated = await operate(bench, { forwards: [{ listen: "127.0.0.1:0", to: `127.0.0.1:${digest.port}` }] });
    using wire = await Wire.connect(await forwardTo(operated, `127.0.0.1:${digest.port}`));
    await wire.send(payload(MIB));
    wire.finish();
    assertStringIncludes(new TextDecoder().decode((await wire.readToEnd()).data), sha256(payload(MIB)));
  });

  it("answer the questions of a resolver, each from another port", async (bench) => {
    using names = await NameServer.listen((name, type) => type === A ? [`192.0.2.${Number(name.split(".")[0])}`] : []);
    const operated = await operate(bench, {
      forwards: [{ listen: "127.0.0.1:0", to: names.address, protocol: "udp", name: "dns" }],
    });
    const { port } = await forwardTo(operated, names.address);
    const resolver = new Resolver({ timeout: 60_000 });
    resolver.setServers([`127.0.0.1:${port}`]);
    const found = await Promise.all(Array.from({ length: 50 }, (_, at) => resolver.resolve4(`${at}.example`)));
    assertEquals(found.flat(), Array.from({ length: 50 }, (_, at) => `192.0.2.${at}`));
    // And those of a server: its name server is the forward.
    using target = await Target.listen({ host: "127.0.0.1", handle: (wire) => wire.finish() });
    using local = await NameServer.listen((_, type) => type === A ? ["127.0.0.1"] : []);
    const second = await operate(bench, { forwards: [{ listen: "127.0.0.1:0", to: local.address, protocol: "udp" }] });
    const { port: at } = await forwardTo(second, local.address);
    const third = await operate(bench, { resolver: { servers: [`127.0.0.1:${at}`], timeout: "60s" } });
    const { rep, address } = await third.ask("through.example", target.port);
    assertEquals([rep, address], [0, "127.0.0.1"]);
    assertEquals(local.questions.includes("through.example A"), true);
  });

  for (const [name, udp] of [["microsocks", false], ["Dante", true], ["ssh -D", false]] as const) {
    it(`leave through ${name}, which looks the name up`, async (bench) => {
      const http = await bench.http();
      using echo = await Udp.echo();
      using names = await NameServer.listen(() => []);
      const port = await PEERS.find((one) => one.name === name)!.start(bench.use(new Resources()));
      const operated = await operate(bench, {
        resolver: { servers: [names.address], hosts: {} },
        upstreams: [{ name: "out", proxy: `socks5h://127.0.0.1:${port}` }],
        forwards: [
          { listen: "127.0.0.1:0", to: `localhost:${http.port}`, via: "out" },
          { listen: "127.0.0.1:0", to: `127.0.0.1:${echo.port}`, via: "out", protocol: "udp" },
        ],
      });
      const { port: at } = await forwardTo(operated, `localhost:${http.port}`);
      const { code, stdout } = await bench.run(["curl", "-q", "-sS", `http://127.0.0.1:${at}/hello`]);
      assertEquals([code, stdout], [0, GREETING]);
      assertEquals(names.questions, []);
      const place = await forwardTo(operated, `127.0.0.1:${echo.port}`);
      using client = await Udp.bind();
      for (const text of ["one", "two"]) {
        await client.send(place, new TextEncoder().encode(text));
        if (udp) assertEquals(new TextDecoder().decode((await client.receive()).data), text);
      }
      if (udp) return;
      const { refusal, reason } = await sessionTo(operated, echo.port);
      assertEquals(refusal, "network");
      assertMatch(reason!, /^Cannot go through proxy 1, .* \(reply\): /);
    }, { needs: [peer(name)] });
  }

  it("change with a reload: new clients go elsewhere, old ones go on, a port that is no more refuses", async (bench) => {
    using one = await Target.listen({ host: "127.0.0.1", handle: greeting("one") });
    using two = await Target.listen({ host: "127.0.0.1", handle: greeting("two") });
    const first = await operate(bench, { forwards: [{ listen: "127.0.0.1:0", to: `127.0.0.1:${one.port}` }] });
    const at = await forwardTo(first, `127.0.0.1:${one.port}`);
    using before = await Wire.connect(at);
    assertEquals(new TextDecoder().decode(await before.read(3)), "one");
    // The same place by its name in the settings.
    const [done] = await first.reload({ forwards: [{ listen: "127.0.0.1:0", to: `127.0.0.1:${two.port}` }] });
    assertMatch(done!.message!, /^Reloaded/);
    using after = await Wire.connect(at);
    assertEquals(new TextDecoder().decode(await after.read(3)), "two");
    await first.reload({});
    assertEquals(await Wire.connect(at).then(() => "open", () => "refused"), "refused");
    before.close();
    assertEquals((await sessionTo(first, one.port)).end, "finished");
  });

  it("are not open to other machines unless somebody says so", async (bench) => {
    const to = "127.0.0.1:9";
    for (const listen of ["0.0.0.0:0", "udp:0.0.0.0:0"]) {
      const flags = ["--user", "ada:lovelace", "--listen", "127.0.0.1:0", "--forward", `${listen}=${to}`];
      const { code, stderr } = await bench.run([...bench.runtime.command, ...flags]);
      assertEquals(code, 2);
      assertMatch(stderr, /0\.0\.0\.0:0.*open/s);
    }
    const operated = await operate(bench, {
      users: [{ name: "ada", password: "lovelace" }],
      forwards: [{ listen: "0.0.0.0:0", to, open: true }],
    });
    await operated.entry(
      "the forward",
      ({ message }) => /^Forwarding 0\.0\.0\.0:\d+ to 127\.0\.0\.1:9 \(TCP\)$/.test(message ?? ""),
    );
  });
});

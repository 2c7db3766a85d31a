/** What `check` says of real servers is what is known of them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createServer } from "node:net";
import { type Peer, PEERS, Resources } from "../client/_servers.ts";
import { type Bench, clients } from "../clients/_case.ts";
import type { Finished } from "../clients/_process.ts";
import { listening, REFUSED_PORT } from "../clients/_targets.ts";

interface Found {
  readonly proxy: string;
  readonly verdict: string;
  readonly faults: readonly string[];
  readonly findings: readonly { readonly name: string; readonly outcome: string; readonly detail: string }[];
  readonly speed?: { readonly connect: number; readonly roundTrip: number; readonly up: number; readonly down: number };
}

/** Names of trials by what came of them, in the order of trials. */
type Known = Partial<Record<"yes" | "no" | "unclear" | "skipped", string>>;

/** What our own server is known for. Bun does not tell it why an address cannot be reached. */
function known(bench: Bench, { yes, ...rest }: { yes: string } & Known): Known {
  if (bench.runtime.name !== "bun") return { yes, ...rest };
  return { yes: yes.replace(" unreachable", ""), unclear: "unreachable", ...rest };
}

function byOutcome({ findings }: Found): Known {
  const known: Record<string, string> = {};
  for (const { name, outcome } of findings) known[outcome] = `${known[outcome] ?? ""} ${name}`.trim();
  return known;
}

/** With time for every trial that a busy machine may need; none of our own servers has the program wait for its end. */
async function check(bench: Bench, ...args: readonly string[]): Promise<Finished> {
  return await bench.run([...bench.runtime.command, "check", "--timeout", "50s", ...args]);
}

async function found(bench: Bench, ...args: readonly string[]): Promise<Found & { code: number }> {
  const { code, stdout, stderr } = await check(bench, ...args, "--json");
  assertEquals(stderr, "");
  return { ...JSON.parse(stdout), code };
}

function peer(name: string): Peer & { port(bench: Bench, login?: boolean): Promise<number> } {
  const found = PEERS.find((peer) => peer.name === name)!;
  return {
    ...found,
    port: (bench, login) => found.start(bench.use(new Resources()), login),
  };
}

const ALL = "socks5 socks4 socks4a http names ipv6 bind udp";
const STREAMS = "half-close half-close-back split pipelined";
const REPLIES = "refused unknown-name unreachable unknown-command unknown-address-type";

clients("check", [], (it) => {
  it("of our own server: all of it works, and how fast", async (bench) => {
    const server = await bench.server();
    const { code, speed, verdict, faults, ...rest } = await found(bench, `socks5://127.0.0.1:${server.port}`);
    assertEquals(
      byOutcome({ ...rest, verdict, faults }),
      known(bench, { yes: `${ALL} ${STREAMS} ${REPLIES}`, no: "login-required", skipped: "wrong-password" }),
    );
    assertEquals([code, verdict, faults], [0, "good", []]);
    assert(speed!.connect > 0 && speed!.roundTrip > 0 && speed!.up > 0 && speed!.down > 0);
  });

  it("of our own server with a login: nobody gets in without", async (bench) => {
    const server = await bench.server("--user", "ada:lovelace", "--mixed");
    const url = `socks5://ada:lovelace@127.0.0.1:${server.port}`;
    const { code, verdict, ...rest } = await found(bench, url, "--quick");
    const yes = `socks5 http names ipv6 bind udp login-required wrong-password ${STREAMS} ${REPLIES}`;
    assertEquals(byOutcome({ verdict, ...rest }), known(bench, { yes, no: "socks4 socks4a" }));
    assertEquals([code, verdict, rest.speed], [0, "good", undefined]);
    assertEquals(JSON.stringify(rest).includes("lovelace"), false);

    const without = await found(bench, `socks5://127.0.0.1:${server.port}`, "--quick");
    assertEquals([without.code, without.verdict], [1, "unusable"]);
    assertEquals(without.faults, ["nothing comes through: greeting: it wants a login"]);
  });

  const microsocks = peer("microsocks");
  it("of microsocks: ends cut it off, and handshakes come whole or not at all", async (bench) => {
    const url = `socks5h://ada:lovelace@127.0.0.1:${await microsocks.port(bench, true)}`;
    // An end is waited for in vain.
    const { code, verdict, ...rest } = await found(bench, url, "--quick", "--timeout", "12s");
    assertEquals(byOutcome({ verdict, ...rest }), {
      yes: "socks5 names ipv6 login-required wrong-password refused unreachable unknown-command unknown-address-type",
      no: `socks4 socks4a http bind udp ${STREAMS}`,
      unclear: "unknown-name",
    });
    assertEquals([code, verdict], [0, "usable"]);
  }, { needs: [() => microsocks.lack] });

  const dante = peer("Dante");
  it("of Dante: all commands", async (bench) => {
    const { code, verdict, ...rest } = await found(bench, `socks5h://127.0.0.1:${await dante.port(bench)}`, "--quick");
    assertEquals(byOutcome({ verdict, ...rest }), {
      yes: `socks5 socks4 names bind udp ${STREAMS} refused unknown-name unreachable`,
      no: "socks4a http ipv6 login-required unknown-command unknown-address-type",
      skipped: "wrong-password",
    });
    assertEquals([code, verdict], [0, "good"]);
  }, { needs: [() => dante.lack] });

  const ssh = peer("ssh -D");
  it("of ssh -D: neither UDP nor BIND", async (bench) => {
    const { code, verdict, ...rest } = await found(bench, `socks5h://127.0.0.1:${await ssh.port(bench)}`, "--quick");
    assertEquals(byOutcome({ verdict, ...rest }), {
      yes: `socks5 socks4 socks4a names ipv6 ${STREAMS}`,
      no: `http bind udp login-required ${REPLIES}`,
      skipped: "wrong-password",
    });
    assertEquals([code, verdict], [0, "usable"]);
  }, { needs: [() => ssh.lack] });

  it("is for people", async (bench) => {
    const server = await bench.server();
    const { code, stdout, stderr } = await check(bench, `socks5h://127.0.0.1:${server.port}`);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^socks5h:\/\/127\.0\.0\.1:\d+\n\nProtocols\n {2}SOCKS5 +yes\n/);
    assertMatch(stdout, /\n\nSpeed: [\d.]+ ms to connect, [\d.]+ ms there and back, .*B\/s up, .*B\/s down\n/);
    assertMatch(stdout, /\n\nGood: all that programs rely on works\n$/);
  });

  it("asks nothing of a named target but a connection", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const url = `socks5h://127.0.0.1:${server.port}`;
    const rest = await found(bench, url, "--target", `localhost:${digest.port}`);
    const yes = "socks5 socks4 socks4a http names split unknown-name unreachable unknown-command unknown-address-type";
    const skipped = "ipv6 bind udp wrong-password half-close half-close-back pipelined refused";
    assertEquals(byOutcome(rest), known(bench, { yes, no: "login-required", skipped }));
    assertEquals([rest.code, rest.verdict, Object.keys(rest.speed!)], [0, "good", ["connect"]]);
  });

  it("of what is no proxy: it is of no use, and that takes a bounded time", async (bench) => {
    const gone = await found(bench, `socks5://127.0.0.1:${REFUSED_PORT}`);
    assertEquals([gone.code, gone.verdict], [1, "unusable"]);
    assertMatch(gone.faults[0]!, /connection refused/);
    const silent = bench.use(await listening(createServer()));
    const mute = await found(bench, `socks5://${silent.authority}`, "--timeout", "100ms");
    assertEquals([mute.code, mute.verdict, byOutcome(mute).yes], [1, "unusable", undefined]);
  });

  it("never shows a password", async (bench) => {
    const { code, stdout, stderr } = await check(bench, `socks5://ada:se-cret@127.0.0.1:${REFUSED_PORT}`);
    assertEquals([code, /se-cret/.test(stdout + stderr)], [1, false]);
  });
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import type { IpAddress } from "../../src/net/address.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { FAR, hex, type House, house, NEAR, settle, soon, type Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const RESOLVE = 0xf0, PTR = 0xf1;
const REFUSED = { NOT_ALLOWED: "02", HOST: "04", COMMAND: "07", TYPE: "08" };

function network(): Network {
  const network = new Network();
  const names: Record<string, IpAddress[]> = {
    "www.test": ["93.184.216.34"],
    "both.test": ["2606:2800::1", "93.184.216.34"],
    "six.test": ["2606:2800::1"],
    "home.test": ["192.168.7.9"],
    "mixed.test": ["192.168.7.9", "93.184.216.35"],
    "zero.test": ["0.0.0.0"],
  };
  for (const [name, ips] of Object.entries(names)) network.names.set(name, [ips]);
  network.reverses.set("93.184.216.34", ["www.test.", "www2.test"]);
  network.reverses.set("192.168.7.9", ["nas.home"]);
  network.reverses.set("2606:2800::1", ["six.test"]);
  return network;
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [3, bytes.length, ...bytes];
}

interface Circumstances {
  readonly from?: typeof NEAR;
  readonly port?: number;
  readonly network?: Network;
}

/** What a client on this machine, or another, is answered over SOCKS5, after the version. */
async function ask(
  command: number,
  address: readonly number[],
  options: ServeOptions = {},
  { from = NEAR, port = 0, network: there = network() }: Circumstances = {},
): Promise<{ answer: string; at: House; events: readonly string[]; reason: string | undefined }> {
  const at = await house(options, there);
  await using _at = at;
  const client = at.client(from);
  await client.send([5, 1, 0], [5, command, 0, ...address, port >> 8, port & 0xff]);
  client.finish();
  const answer = await client.restHex();
  const { reason } = await at.seen.summary();
  return { answer: answer.replace(/^05 00 05 /, ""), at, events: at.seen.events, reason };
}

/** REP, where it is a no. */
async function refusal(...args: Parameters<typeof ask>): Promise<string> {
  const { answer, events } = await ask(...args);
  assertStringIncludes(answer, " 00 01 00 00 00 00 00 00");
  assertEquals(events.at(-1), "closed refused");
  return answer.slice(0, 2);
}

test("RESOLVE answers with the address of a name, of its type and without a port", async () => {
  const { answer, events, at } = await ask(RESOLVE, name("www.test"), {}, { port: 443 });
  assertEquals(answer, "00 00 01 5d b8 d8 22 00 00");
  assertEquals(events, ["opened", "requested socks5 resolve www.test:0", "closed finished"]);
  assertEquals(at.seen.sessions.at(-1)!.address, { ip: "93.184.216.34", port: 0 });
  assertEquals(at.network.attempts, []);
  assertEquals(
    (await ask(RESOLVE, name("six.test"))).answer,
    "00 00 04 26 06 28 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00",
  );
});

test("RESOLVE prefers IPv4, which all clients know, unless the operator prefers something", async () => {
  const answer = async (options: ServeOptions) => (await ask(RESOLVE, name("both.test"), options)).answer.slice(0, 11);
  assertEquals(await answer({}), "00 00 01 5d");
  assertEquals(await answer({ outgoing: { prefer: "ipv6" } }), "00 00 04 26");
  assertEquals(await answer({ outgoing: { prefer: "ipv4-only" } }), "00 00 01 5d");
  assertEquals(await refusal(RESOLVE, name("six.test"), { outgoing: { prefer: "ipv4-only" } }), "03");
});

test("an address is its own answer", async () => {
  const { answer, at } = await ask(RESOLVE, [1, 93, 184, 216, 34]);
  assertEquals([answer, at.network.lookups], ["00 00 01 5d b8 d8 22 00 00", []]);
  assertEquals((await ask(RESOLVE, name("93.184.216.34"))).answer, "00 00 01 5d b8 d8 22 00 00");
});

test("RESOLVE_PTR answers with the first name of an address", async () => {
  const { answer, events, at } = await ask(PTR, [1, 93, 184, 216, 34]);
  assertEquals(answer, "00 00 03 08 77 77 77 2e 74 65 73 74 00 00");
  assertEquals(events, ["opened", "requested socks5 resolve-ptr 93.184.216.34:0", "closed finished"]);
  assertEquals(at.network.lookups, ["93.184.216.34"]);
  const six = [4, 0x26, 6, 0x28, 0, ...new Array(11).fill(0), 1];
  assertEquals((await ask(PTR, six)).answer, "00 00 03 08 73 69 78 2e 74 65 73 74 00 00");
  assertEquals((await ask(PTR, name("93.184.216.34"))).answer, "00 00 03 08 77 77 77 2e 74 65 73 74 00 00");
});

test("a name that cannot be told is passed over: whoever owns the address chose it", async () => {
  const reverse = (names: readonly string[]) => ({ reverse: () => names });
  const six = [1, 93, 184, 216, 34];
  const wrong = ["", "a b", "a\u0000b", "x".repeat(256), "\u202e"];
  assertEquals((await ask(PTR, six, reverse([...wrong, "ok.test"]))).answer, "00 00 03 07 6f 6b 2e 74 65 73 74 00 00");
  assertEquals(await refusal(PTR, six, reverse(wrong)), REFUSED.HOST);
  assertEquals(await refusal(PTR, six, reverse([])), REFUSED.HOST);
});

test("RESOLVE_PTR wants an address: 08 for a name", async () => {
  assertEquals(await refusal(PTR, name("www.test")), REFUSED.TYPE);
});

test("what does not exist is 04", async () => {
  assertEquals(await refusal(RESOLVE, name("nobody.test")), REFUSED.HOST);
  assertEquals(await refusal(PTR, [1, 93, 184, 216, 99]), REFUSED.HOST);
});

test("clients on other machines are refused, unless the operator lets them", async () => {
  const from = FAR;
  for (const [command, address] of [[RESOLVE, name("www.test")], [PTR, [1, 93, 184, 216, 34]]] as const) {
    const { answer, at, reason } = await ask(command, address, {}, { from });
    assertEquals([answer.slice(0, 2), at.network.lookups], [REFUSED.COMMAND, []]);
    assertStringIncludes(reason!, "it is not enabled");
    assertEquals((await ask(command, address, { resolveCommands: true }, { from })).answer.slice(0, 2), "00");
    assertEquals(await refusal(command, address, { resolveCommands: false }), REFUSED.COMMAND);
  }
});

test("clients on other machines learn no private addresses, nor the names of such", async () => {
  const options = { resolveCommands: true };
  const from = FAR;
  assertEquals(await refusal(RESOLVE, name("home.test"), options, { from }), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(PTR, [1, 192, 168, 7, 9], options, { from }), REFUSED.NOT_ALLOWED);
  assertEquals((await ask(RESOLVE, name("mixed.test"), options, { from })).answer, "00 00 01 5d b8 d8 23 00 00");
  assertEquals((await ask(RESOLVE, name("home.test"))).answer, "00 00 01 c0 a8 07 09 00 00");
  const rules = [{ action: "allow", to: ["192.168.0.0/16"] }] as const;
  assertEquals((await ask(RESOLVE, name("home.test"), { ...options, rules }, { from })).answer.slice(0, 2), "00");
  assertEquals((await ask(PTR, [1, 192, 168, 7, 9], { ...options, rules }, { from })).answer.slice(0, 2), "00");
});

test("0.0.0.0 is nobody's address", async () => {
  assertEquals(await refusal(RESOLVE, name("zero.test")), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(RESOLVE, [1, 0, 0, 0, 0]), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(PTR, [1, 0, 0, 0, 0]), REFUSED.NOT_ALLOWED);
});

test("rules decide on both as on resolve: by name, by address, by command; a lookup has no port", async () => {
  const deny = (rule: object) => ({ rules: [{ action: "deny", ...rule }] as never });
  const only = (rule: object) => ({ rules: [{ action: "allow", ...rule }] as never, otherwise: "deny" as const });
  const www = name("www.test");
  const ip = [1, 93, 184, 216, 34];
  assertEquals(await refusal(RESOLVE, www, deny({ to: [".test"] })), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(RESOLVE, www, deny({ to: ["93.184.0.0/16"] })), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(RESOLVE, www, deny({ commands: ["resolve"] })), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(PTR, ip, deny({ commands: ["resolve"] })), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(PTR, ip, deny({ to: ["93.184.0.0/16"] })), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(RESOLVE, www, only({ commands: ["connect"] })), REFUSED.NOT_ALLOWED);
  assertEquals(await refusal(RESOLVE, www, only({ ports: [443] }), { port: 443 }), REFUSED.NOT_ALLOWED);
  assertEquals((await ask(RESOLVE, www, only({ commands: ["resolve"] }))).answer.slice(0, 2), "00");
  assertEquals((await ask(PTR, ip, only({ commands: ["resolve"] }))).answer.slice(0, 2), "00");
  assertEquals((await ask(RESOLVE, www, deny({ ports: [443] }), { port: 443 })).answer.slice(0, 2), "00");
});

test("a lookup counts as a session within the limits, and gives its place back at once", async () => {
  await using at = await house({ limits: [{ newSessions: { count: 2, per: 60_000 } }] }, network());
  const answers: string[] = [];
  for (let i = 0; i < 3; i++) {
    const client = at.client(NEAR);
    await client.send([5, 1, 0], [5, RESOLVE, 0, ...name("www.test"), 0, 0]);
    client.finish();
    answers.push((await client.restHex()).slice(9, 11));
  }
  assertEquals(answers, ["00", "00", REFUSED.NOT_ALLOWED]);
  await using one = await house({ limits: [{ sessions: 1 }] }, network());
  const lingering: Wire[] = [];
  for (let i = 0; i < 3; i++) {
    const client = one.client(NEAR); // and none of them leaves
    await client.send([5, 1, 0], [5, RESOLVE, 0, ...name("www.test"), 0, 0]);
    await client.expect("05 00 05 00 00 01 5d b8 d8 22 00 00");
    lingering.push(client);
  }
  for (const client of lingering) client.leave();
});

const FAR_WAY = { far: { proxy: "socks5h://192.0.2.99" } }, NEAR_WAY = { near: { proxy: "socks5://192.0.2.99" } };
const BOTH = [[RESOLVE, name("www.test")], [PTR, [1, 93, 184, 216, 34]]] as const;

/** A proxy that answers lookups, or anything, with these bytes after VER, and writes down what it is asked. */
function farProxy(network: Network, ...answer: readonly number[]): string[] {
  const told: string[] = [];
  network.answers.set("192.0.2.99:1080", async (end) => {
    await end.read();
    await end.write(Uint8Array.of(5, 0));
    told.push(hex((await end.read())!));
    await end.write(Uint8Array.of(5, ...answer));
    end.closeWrite();
  });
  return told;
}

test("a name that is left to a way out is not looked up here: the other end is asked", async () => {
  const upstreams = { ...FAR_WAY, ...NEAR_WAY, all: { group: ["far"] } };
  const rules = [{ action: "allow", to: [".test", "93.184.0.0/16"], via: "far" }] as const;
  for (const options of [{ upstreams, via: "far" }, { upstreams, rules }, { upstreams, via: "all" }]) {
    const all = { ...options, resolveCommands: true };
    const there = network();
    const told = farProxy(there, 0, 0, 1, 93, 184, 216, 77, 0, 0);
    const { answer, at } = await ask(RESOLVE, name("www.test"), all, { network: there });
    assertEquals([answer, told, at.network.lookups], [
      "00 00 01 5d b8 d8 4d 00 00",
      ["05 f0 00 03 08 77 77 77 2e 74 65 73 74 00 00"],
      [],
    ]);
    assertEquals(at.seen.sessions.at(-1)!.via, options.via ?? "far");
    const back = network();
    const asked = farProxy(back, 0, 0, 3, 5, ...new TextEncoder().encode("a.far"), 0, 0);
    const reverse = await ask(PTR, [1, 93, 184, 216, 34], all, { network: back });
    assertEquals([reverse.answer, asked, reverse.at.network.lookups], [
      "00 00 03 05 61 2e 66 61 72 00 00",
      ["05 f1 00 01 5d b8 d8 22 00 00"],
      [],
    ]);
  }
  for (const [command, address] of BOTH) {
    for (const via of ["near", "direct"]) {
      const { answer } = await ask(command, address, { upstreams, via, resolveCommands: true });
      assertEquals(answer.slice(0, 2), "00", via);
    }
    const options = { upstreams, via: "block", resolveCommands: true };
    assertEquals(await refusal(command, address, options), REFUSED.NOT_ALLOWED);
  }
});

test("what the other end answers is put to the rules, and what is no answer is none", async () => {
  const options = { upstreams: FAR_WAY, via: "far", resolveCommands: true };
  const told = async (from: typeof NEAR, ...bytes: readonly number[]) => {
    const there = network();
    farProxy(there, ...bytes);
    return (await ask(RESOLVE, name("www.test"), options, { from, network: there })).answer.slice(0, 2);
  };
  assertEquals(await told(FAR, 0, 0, 1, 192, 168, 7, 9, 0, 0), REFUSED.NOT_ALLOWED);
  assertEquals(await told(NEAR, 0, 0, 1, 192, 168, 7, 9, 0, 0), "00");
  assertEquals(await told(NEAR, 0, 0, 1, 0, 0, 0, 0, 0, 0), "01");
  assertEquals(await told(NEAR, 0, 0, 3, 1, 97, 0, 0), "01");
  assertEquals(await told(NEAR, 4, 0, 1, 0, 0, 0, 0, 0, 0), REFUSED.HOST);
  assertEquals(await told(NEAR, 7, 0, 1, 0, 0, 0, 0, 0, 0), REFUSED.COMMAND);
});

test("a way out that names are left to and that cannot be asked refuses: HTTP, and groups of such", async () => {
  const upstreams = { web: { proxy: "http://192.0.2.99:80" }, all: { group: ["web"] } };
  for (const via of ["web", "all"]) {
    for (const [command, address] of BOTH) {
      const { answer, at, reason } = await ask(command, address, { upstreams, via, resolveCommands: true });
      assertEquals([answer.slice(0, 2), at.network.lookups, at.network.attempts], [REFUSED.COMMAND, [], []]);
      assertStringIncludes(reason!, `names are left to "${via}", which cannot be asked`);
    }
  }
});

test("where any way out leaves names to others nobody is answered by itself: a client may connect by it", async () => {
  for (const [command, address] of BOTH) {
    const { answer, at, reason } = await ask(command, address, { upstreams: FAR_WAY });
    assertEquals([answer.slice(0, 2), at.network.lookups], [REFUSED.COMMAND, []]);
    assertStringIncludes(reason!, "it is not enabled");
    assertEquals((await ask(command, address, { upstreams: NEAR_WAY, via: "near" })).answer.slice(0, 2), "00");
  }
});

test("without a resolver there is nothing to be had, and one of one's own is not gone round", async () => {
  assertEquals(await refusal(RESOLVE, name("www.test"), { resolve: false }), REFUSED.COMMAND);
  const resolve = () => ["93.184.216.77"];
  assertEquals((await ask(RESOLVE, name("any.test"), { resolve })).answer, "00 00 01 5d b8 d8 4d 00 00");
  const { answer, at } = await ask(PTR, [1, 93, 184, 216, 34], { resolve });
  assertEquals([answer.slice(0, 2), at.network.lookups], [REFUSED.COMMAND, []]);
});

test("SOCKS4 and 4a know RESOLVE, and answer with IPv4 alone", async () => {
  const say = async (...bytes: readonly (readonly number[] | string)[]): Promise<string> => {
    await using at = await house({}, network());
    const client = at.client(NEAR);
    await client.send(...bytes);
    client.finish();
    return await client.restHex();
  };
  const socks4a = (name: string) => say([4, RESOLVE, 0, 0, 0, 0, 0, 1], "me", [0], name, [0]);
  assertEquals(await socks4a("www.test"), "00 5a 00 00 5d b8 d8 22");
  assertEquals(await socks4a("both.test"), "00 5a 00 00 5d b8 d8 22");
  assertEquals(await socks4a("six.test"), "00 5b 00 00 00 00 00 00");
  assertEquals(await socks4a("nobody.test"), "00 5b 00 00 00 00 00 00");
  assertEquals(await say([4, RESOLVE, 0, 0, 93, 184, 216, 34], [0]), "00 5a 00 00 5d b8 d8 22");
  assertEquals(await say([4, PTR, 0, 0, 93, 184, 216, 34], [0]), "00 5b 00 00 00 00 00 00");
});

test("a lookup that takes too long is 06, and a client that waits is told", async () => {
  const resolve = () => new Promise<never>(() => {});
  assertEquals(await refusal(RESOLVE, name("slow.test"), { resolve, timeouts: { lookup: 20 } }), "06");
  assertEquals(await refusal(PTR, [1, 93, 184, 216, 34], { reverse: resolve, timeouts: { lookup: 20 } }), "06");
});

test("a reload in the middle of a lookup asks the new rules", async () => {
  let answer = (_ips: readonly IpAddress[]): void => {};
  const resolve = () => new Promise<readonly IpAddress[]>((done) => answer = done);
  const at = await house({ resolve }, network());
  await using _at = at;
  const client = at.client(NEAR);
  await client.send([5, 1, 0], [5, RESOLVE, 0, ...name("www.test"), 0, 0]);
  await at.seen.event("requested");
  await settle();
  const rules = [{ action: "deny", to: ["www.test"] }] as const;
  await at.server.reload({ resolve, rules, observer: at.seen });
  answer(["93.184.216.34"]);
  await client.expect("05 00 05 02 00 01 00 00 00 00 00 00");
  client.leave();
  await soon(at.seen.summary());
});

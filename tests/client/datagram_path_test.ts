import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { DatagramPath } from "../../src/client/datagram_path.ts";
import { type Target, targetOf } from "../../src/protocol/address.ts";
import { encodeDatagram } from "../../src/protocol/udp.ts";
import { connectionPair, memory } from "../../src/runtime/memory.ts";
import { settle, soon } from "../server/_harness.ts";

const RELAY = { ip: "192.0.2.1", port: 9 };
const bytes = (text: string) => new TextEncoder().encode(text);

/** Data with headers, the outermost first. */
function wrapped(text: string, ...targets: readonly Target[]): Uint8Array {
  return targets.reduceRight<Uint8Array>((data, target) => encodeDatagram({ fragment: 0, target, data }), bytes(text));
}

/** A way through a first proxy that the test plays, and others behind it. */
async function open(further: readonly Target[]) {
  const runtime = memory();
  const got: string[] = [];
  const sources: Target[] = [];
  const sent: Uint8Array[] = [];
  let client = RELAY;
  const relay = await runtime.bindDatagram({
    address: RELAY,
    onDatagram: (bytes, ip, port) => {
      sent.push(bytes);
      client = { ip, port };
    },
  });
  const pairs = [connectionPair(), ...further.map(() => connectionPair())];
  const path = await DatagramPath.open({
    controls: pairs.map(([ours]) => ours),
    relay: RELAY,
    further,
    ip: "192.0.2.200",
    runtime,
    onDatagram: (data, source) => {
      got.push(`${new TextDecoder().decode(data)} of ${source.host}:${source.port}`);
      sources.push(source);
    },
  });
  path.send(bytes("first"), targetOf("198.51.100.7", 53));
  await settle();
  const answer = (datagram: Uint8Array) => relay.send(datagram, client.ip, client.port);
  return { path, got, sources, sent, answer, ends: pairs.map(([, theirs]) => theirs) };
}

const ONE = targetOf("192.0.2.2", 10), TWO = targetOf("two.test", 11), DNS = targetOf("198.51.100.7", 53);

test("what is sent has a header for each proxy, the nearest first", async () => {
  const { path, sent } = await open([ONE, TWO]);
  path.send(bytes("again"), DNS);
  path.send(bytes("by name"), targetOf("dns.test", 53));
  await settle();
  assertEquals(sent, [
    wrapped("first", ONE, TWO, DNS),
    wrapped("again", ONE, TWO, DNS),
    wrapped("by name", ONE, TWO, targetOf("dns.test", 53)),
  ]);
  path.close();
});

test("the data may be changed as soon as it is sent", async () => {
  const { path, sent } = await open([]);
  const data = bytes("mine");
  path.send(data, DNS);
  data.fill(0);
  await settle();
  assertEquals(sent[1], wrapped("mine", DNS));
  path.close();
});

test("what comes by all of the proxies has the last header's source", async () => {
  const { path, got, sources, answer } = await open([ONE, targetOf("192.0.2.3", 11)]);
  for (const text of ["a", "b", ""]) answer(wrapped(text, ONE, targetOf("192.0.2.3", 11), DNS));
  answer(wrapped("c", ONE, targetOf("192.0.2.3", 11), targetOf("2001:db8::7", 53)));
  await settle();
  assertEquals(got, ["a of 198.51.100.7:53", "b of 198.51.100.7:53", " of 198.51.100.7:53", "c of 2001:db8::7:53"]);
  assert(sources[0] === sources[2]);
  path.close();
});

test("what another sent to the proxy before is dropped, and so are fragments and what is cut short", async () => {
  const { path, got, answer } = await open([ONE]);
  answer(wrapped("another host", targetOf("192.0.2.3", 10), DNS));
  answer(wrapped("another port", targetOf("192.0.2.2", 11), DNS));
  answer(wrapped("no header within", ONE).subarray(0, 12));
  answer(encodeDatagram({ fragment: 1, target: ONE, data: wrapped("a fragment", DNS) }));
  answer(encodeDatagram({ fragment: 0, target: ONE, data: wrapped("x", DNS).fill(1, 2, 3) }));
  answer(wrapped("right", ONE, DNS));
  await settle();
  assertEquals(got, ["right of 198.51.100.7:53"]);
  path.close();
});

test("a relay that was named is known by its port, and by its address once it has sent something", async () => {
  const { path, got, answer } = await open([TWO]);
  answer(wrapped("another port", targetOf("192.0.2.3", 12), DNS));
  answer(wrapped("right", targetOf("192.0.2.3", 11), DNS));
  answer(wrapped("another host", targetOf("192.0.2.4", 11), DNS));
  await settle();
  assertEquals(got, ["right of 198.51.100.7:53"]);
  path.close();
});

for (const which of [0, 1, 2]) {
  test(`the end of control connection ${which} ends it, and all the others`, async () => {
    const { path, ends } = await open([ONE, TWO]);
    ends[which]!.close();
    await soon(path.closed);
    for (const end of ends) assertEquals(which === ends.indexOf(end) ? null : await soon(end.read()), null);
  });
}

test("a closed one sends nothing, and frees its address", async () => {
  const { path, sent, ends } = await open([]);
  path.close();
  path.close();
  path.send(bytes("late"), DNS);
  await settle();
  assertEquals(sent.length, 1);
  assertEquals(await soon(ends[0]!.read()), null);
  await soon(path.closed);
});

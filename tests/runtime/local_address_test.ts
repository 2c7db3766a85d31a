import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { accept, listen, nobody, until } from "./_support.ts";

const runtime = await currentRuntime();

/** Where a connection seems to come from. */
async function seenFrom(at: string, localIp: string): Promise<(string | undefined)[]> {
  const { listener, at: to } = await listen(runtime, at);
  try {
    const [client, server] = await Promise.all([runtime.connect(to, { localIp }), accept(listener)]);
    const seen = [client.local?.ip, server.remote?.ip];
    client.close();
    server.close();
    await Promise.all([client.closed, server.closed]);
    return seen;
  } finally {
    listener.close();
  }
}

test("a connection leaves from the address that it is told to", async () => {
  assertEquals(await seenFrom("127.0.0.1", "127.0.0.2"), ["127.0.0.2", "127.0.0.2"]);
  assertEquals(await seenFrom("127.0.0.1", "127.0.0.1"), ["127.0.0.1", "127.0.0.1"]);
  assertEquals(await seenFrom("::1", "::1"), ["::1", "::1"]);
});

test("a refusal is one, wherever the connection was to leave from", async () => {
  const to = await nobody(runtime);
  const error = await assertRejects(() => runtime.connect(to, { localIp: "127.0.0.2" }), NetError);
  assertEquals(error.code, "refused");
  assertEquals(error.message, `Cannot connect to "${to.ip}:${to.port}" from "127.0.0.2": connection refused`);
});

test("from an address that is not this machine's no network is in reach, and the error names it", async () => {
  const { listener, at } = await listen(runtime);
  try {
    const error = await assertRejects(() => runtime.connect(at, { localIp: "192.0.2.55" }), NetError);
    assertEquals(error.code, "unreachable-network");
    assertEquals(error.message, `Cannot connect to "127.0.0.1:${at.port}" from "192.0.2.55": network unreachable`);
  } finally {
    listener.close();
  }
});

test("from loopback nothing else is in reach", async () => {
  const { code } = await assertRejects(
    () => runtime.connect({ ip: "192.0.2.1", port: 9 }, { localIp: "127.0.0.2" }),
    NetError,
  );
  assertEquals(code, "unreachable-network");
});

test("datagrams leave from the address that their socket is bound to", async () => {
  const senders: string[] = [];
  const receiver = await runtime.bindDatagram({
    address: { ip: "127.0.0.1", port: 0 },
    onDatagram: (_bytes, ip) => senders.push(ip),
  });
  const sender = await runtime.bindDatagram({ address: { ip: "127.0.0.2", port: 0 }, onDatagram: () => {} });
  sender.send(new TextEncoder().encode("hello"), "127.0.0.1", receiver.address.port);
  await until(() => senders.length > 0, "a datagram");
  assertEquals(senders, ["127.0.0.2"]);
  sender.close();
  receiver.close();
});

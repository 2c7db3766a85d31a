/** UDP sockets. */

import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { DatagramSocket, Runtime } from "../../src/runtime/runtime.ts";
import { freePort } from "../_free_port.ts";
import { assertNetError, pattern, turns, until } from "./_support.ts";

interface Received {
  bytes: Uint8Array;
  ip: string;
  port: number;
}

export function datagramSuite(runtime: Runtime): void {
  async function bind(ip: string, port = 0): Promise<{ socket: DatagramSocket; received: Received[] }> {
    const received: Received[] = [];
    const onDatagram = (bytes: Uint8Array, from: string, fromPort: number): void => {
      received.push({ bytes, ip: from, port: fromPort });
    };
    return { socket: await runtime.bindDatagram({ address: { ip, port }, onDatagram }), received };
  }

  describe(`${runtime.name}: a UDP socket`, () => {
    for (const ip of ["127.0.0.1", "::1"]) {
      test(`sends and receives on ${ip}, short, empty and long datagrams`, async () => {
        const [here, there] = [await bind(ip), await bind(ip)];
        assertEquals(here.socket.address.ip, ip);
        const lengths = [5, 0, 1472, 65_000];
        for (const length of lengths) {
          const before = there.received.length;
          here.socket.send(pattern(length, length).slice(), ip, there.socket.address.port);
          await until(() => there.received.length > before, `a datagram of ${length} bytes`);
        }
        assertEquals(there.received.map(({ bytes }) => bytes.length), lengths);
        for (const { bytes, ip: from, port } of there.received) {
          assertEquals([from, port], [ip, here.socket.address.port]);
          assertEquals(bytes.slice(), pattern(bytes.length, bytes.length).slice());
        }
        there.socket.send(new Uint8Array([7]), ip, here.socket.address.port);
        await until(() => here.received.length > 0, "the answer");
        here.socket.close();
        there.socket.close();
      });
    }

    test("lets what it received be kept", async () => {
      const [here, there] = [await bind("127.0.0.1"), await bind("127.0.0.1")];
      for (let i = 0; i < 50; i++) {
        here.socket.send(new Uint8Array(100).fill(i), "127.0.0.1", there.socket.address.port);
        if (i % 10 === 9) await until(() => there.received.length === i + 1, "the datagrams");
      }
      assert(there.received.every(({ bytes }) => bytes.length === 100 && bytes.every((byte) => byte === bytes[0])));
      assertEquals(new Set(there.received.map(({ bytes }) => bytes[0])).size, 50);
      here.socket.close();
      there.socket.close();
    });

    test("survives what cannot be sent and peers that are gone", async () => {
      const [here, there, gone] = [await bind("127.0.0.1"), await bind("127.0.0.1"), await bind("127.0.0.1")];
      gone.socket.close();
      gone.socket.close();
      for (let i = 0; i < 3; i++) {
        here.socket.send(new Uint8Array(8), "127.0.0.1", gone.socket.address.port);
        here.socket.send(new Uint8Array(8), "127.0.0.1", 0);
        here.socket.send(new Uint8Array(8), "::1", there.socket.address.port);
        here.socket.send(new Uint8Array(70_000), "127.0.0.1", there.socket.address.port);
        await turns(3);
      }
      here.socket.send(new Uint8Array(3), "127.0.0.1", there.socket.address.port);
      await until(() => there.received.length > 0, "a datagram");
      assertEquals(there.received.map(({ bytes }) => bytes.length), [3]);
      here.socket.close();
      there.socket.close();
      here.socket.send(new Uint8Array(3), "127.0.0.1", there.socket.address.port);
      await turns(3);
    });

    test("on :: leaves IPv4 to others", async () => {
      const port = await freePort(); // a port that the system gives for [::] may be somebody's on 0.0.0.0
      const six = await bind("::", port);
      assertEquals(six.socket.address, { ip: "::", port });
      const four = await bind("0.0.0.0", port);
      const sender = await bind("127.0.0.1");
      sender.socket.send(new Uint8Array(4), "127.0.0.1", six.socket.address.port);
      await until(() => four.received.length > 0, "a datagram");
      const sender6 = await bind("::1");
      sender6.socket.send(new Uint8Array(6), "::1", six.socket.address.port);
      await until(() => six.received.length > 0, "a datagram");
      assertEquals([four.received[0]?.bytes.length, six.received[0]?.bytes.length], [4, 6]);
      assertEquals([four.received.length, six.received.length], [1, 1]);
      for (const { socket } of [six, four, sender, sender6]) socket.close();
    });

    test("says when its address is in use", async () => {
      const first = await bind("127.0.0.1");
      await assertNetError(bind("127.0.0.1", first.socket.address.port), "address-in-use");
      first.socket.close();
    });
  });
}

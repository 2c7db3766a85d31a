import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import {
  decodeDatagram,
  encodeDatagram,
  encodeDatagramHeader,
  LAST_FRAGMENT,
  MAX_DATAGRAM_HEADER,
} from "../../src/protocol/udp.ts";
import { almost, anyTarget, ascii, bytes, faultOf, join } from "./_codec.ts";

test("a datagram is RSV 0000, FRAG, ATYP, DST.ADDR, DST.PORT and DATA", () => {
  const message = join(bytes("00 00 00 01 c0 00 02 01 00 35"), ascii("query"));
  const datagram = {
    fragment: 0,
    target: { type: "ipv4", host: "192.0.2.1", port: 53 } as const,
    data: ascii("query"),
  };
  assertEquals(encodeDatagram(datagram), message);
  assertEquals(decodeDatagram(message), datagram);
});

test("a datagram to a name keeps the name", () => {
  const message = join(bytes("00 00 00 03 03"), ascii("dns"), bytes("00 35 ff"));
  assertEquals(decodeDatagram(message), {
    fragment: 0,
    target: { type: "name", host: "dns", port: 53 },
    data: bytes("ff"),
  });
});

test("an empty payload is a payload", () => {
  const { data } = decodeDatagram(bytes("00 00 00 01 01 02 03 04 00 35"));
  assertEquals(data.length, 0);
});

test("FRAG is handed on as it is", () => {
  for (const fragment of [0, 1, 127, LAST_FRAGMENT | 2, 255]) {
    const message = join([0, 0, fragment], bytes("01 01 02 03 04 00 35 07"));
    assertEquals(decodeDatagram(message).fragment, fragment);
  }
});

test("an RSV other than 0000 is refused", () => {
  assertEquals(faultOf(decodeDatagram, bytes("00 01 00 01 01 02 03 04 00 35")), "reserved");
  assertEquals(faultOf(decodeDatagram, bytes("01 00 00 01 01 02 03 04 00 35")), "reserved");
});

test("an ATYP of no RFC is refused", () => {
  assertEquals(faultOf(decodeDatagram, bytes("00 00 00 02 01 02 03 04 00 35")), "address-type");
});

test("a header that is cut short is refused, wherever it is cut", () => {
  fc.assert(fc.property(anyTarget, fc.integer({ min: 0, max: 255 }), (target, fragment) => {
    const header = encodeDatagramHeader(target, fragment);
    assert(header.length <= MAX_DATAGRAM_HEADER);
    for (let length = 0; length < header.length; length++) {
      assertEquals(faultOf(decodeDatagram, header.slice(0, length)), "address", `${length} bytes`);
    }
  }));
});

test("every datagram survives the wire", () => {
  const data = fc.uint8Array({ maxLength: 2000 });
  fc.assert(fc.property(anyTarget, fc.integer({ min: 0, max: 255 }), data, (target, fragment, data) => {
    const datagram = { fragment, target, data };
    assertEquals(decodeDatagram(encodeDatagram(datagram)), datagram);
  }));
});

test("garbage is a datagram or a ProtocolError", () => {
  fc.assert(fc.property(almost([[0, 0, 0, 1], [0, 0, 0, 3, 4], [0, 0, 0, 4]], 300), (garbage) => {
    const before = garbage.slice();
    try {
      const { data } = decodeDatagram(garbage);
      assert(data.length <= garbage.length - 8);
    } catch (error) {
      assertInstanceOf(error, ProtocolError);
    }
    assertEquals(garbage, before);
  }));
});

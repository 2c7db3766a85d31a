import { assertEquals } from "@std/assert";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { hmacMd5 } from "../../src/auth/hmac_md5.ts";

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

test("the codes are those of RFC 2202", async () => {
  assertEquals(
    hex(await hmacMd5(new Uint8Array(16).fill(0x0b), ascii("Hi There"))),
    "9294727a3638bb1c13f48ef8158bfc9d",
  );
  assertEquals(
    hex(await hmacMd5(ascii("Jefe"), ascii("what do ya want for nothing?"))),
    "750c783e6ab0b503eaa86e310a5db738",
  );
  const long = new Uint8Array(80).fill(0xaa);
  assertEquals(
    hex(await hmacMd5(long, ascii("Test Using Larger Than Block-Size Key - Hash Key First"))),
    "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd",
  );
});

test("codes that are computed at the same time do not disturb each other", async () => {
  const jobs = Array.from({ length: 200 }, (_, i) => ({
    key: new Uint8Array(i).fill(i),
    data: new Uint8Array(300 - i).fill(255 - i),
  }));
  const found = await Promise.all(jobs.map(({ key, data }) => hmacMd5(key, data)));
  const expected = jobs.map(({ key, data }) => createHmac("md5", key).update(data).digest("hex"));
  assertEquals(found.map(hex), expected);
});

import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { type Koffi, loadRoutines } from "../../src/auth/gssapi_routines.ts";
import { GssapiMemory } from "../../src/auth/gssapi_memory.ts";

test("a library that is not installed is named, with what to install", () => {
  const tried: (string | null)[] = [];
  const koffi: Koffi = {
    load(path) {
      tried.push(path);
      throw new Error("no such file");
    },
    address: () => 0n,
  };
  const error = assertThrows(() => loadRoutines(koffi), Error);
  assertEquals(
    error.message,
    'Cannot use GSSAPI: the library "libgssapi_krb5.so.2" is not there (on Debian: apt install libgssapi-krb5-2)',
  );
  assertEquals(tried[0], "libgssapi_krb5.so.2");
});

test("the first library that is there is taken, and every routine of it", () => {
  const loaded: string[] = [];
  const koffi: Koffi = {
    load: (path) => {
      if (path === "libgssapi_krb5.so.2") throw new Error("no such file");
      return { func: (name, result, types) => void loaded.push(`${path} ${result} ${name} ${types.length}`) };
    },
    address: () => 0n,
  };
  loadRoutines(koffi);
  assertEquals(loaded.length, 12);
  assertEquals(loaded[0], "libgssapi_krb5.so uint32_t gss_acquire_cred_from 9");
});

test("what the library reads lies where its layout says", () => {
  const memory = new GssapiMemory(() => 0x10000n);
  assertEquals([memory.at("minor"), memory.at("output")], [0x10000n, 0x10000n + 56n]);
  assertEquals(memory.setInput(Uint8Array.of(1, 2, 3)), memory.at("input"));
  const view = new DataView(memory.bytes.buffer);
  const input = Number(memory.at("input") - 0x10000n);
  assertEquals(view.getBigUint64(input, true), 3n);
  const at = Number(view.getBigUint64(input + 8, true) - 0x10000n);
  assertEquals([...memory.bytes.subarray(at, at + 3)], [1, 2, 3]);
  assertThrows(() => memory.setInput(new Uint8Array(65_536)), RangeError);
  assertThrows(() => memory.setStore("keytab", "x".repeat(70_000)), RangeError);
  memory.setPointer("context", 0x1234_5678_9abcn);
  assertEquals(memory.pointer("context"), 0x1234_5678_9abcn);
  const store = Number(memory.setStore("keytab", "/etc/k") - 0x10000n);
  assertEquals(view.getUint32(store, true), 1);
  const entry = Number(view.getBigUint64(store + 8, true) - 0x10000n);
  const text = (where: number): string => {
    const from = Number(view.getBigUint64(where, true) - 0x10000n);
    return new TextDecoder().decode(memory.bytes.subarray(from, memory.bytes.indexOf(0, from)));
  };
  assertEquals([text(entry), text(entry + 8)], ["keytab", "/etc/k"]);
});

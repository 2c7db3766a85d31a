import { assertEquals, assertRejects } from "@std/assert";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { read, write } from "../../src/policy/store_file.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "socks-store-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a file that is written can be read, by its owner alone", () =>
  inFolder(async (folder) => {
    const path = join(folder, "counts.json");
    assertEquals(await read(path), undefined);
    await write(path, "one");
    await write(path, "two, in the place of one");
    assertEquals(await read(path), "two, in the place of one");
    assertEquals(statSync(path).mode & 0o777, 0o600);
    assertEquals(readdirSync(folder), ["counts.json"]);
  }));

test("a file that others could read is so no longer", () =>
  inFolder(async (folder) => {
    const path = join(folder, "counts.json");
    writeFileSync(path, "old");
    chmodSync(path, 0o644);
    await write(path, "new");
    assertEquals(statSync(path).mode & 0o777, 0o600);
  }));

test("what a crash left behind is no obstacle, and a link there is not followed", () =>
  inFolder(async (folder) => {
    const path = join(folder, "counts.json"), victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    symlinkSync(victim, `${path}.new`);
    await write(path, "counts");
    assertEquals([readFileSync(victim, "utf8"), await read(path)], ["precious", "counts"]);
  }));

test("a folder that is not there is told", () =>
  inFolder(async (folder) => {
    await assertRejects(() => write(join(folder, "missing", "counts.json"), ""), Error, "ENOENT");
  }));

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { lstatSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { replaceFile } from "../../src/cli/replace_file.ts";

/** Where there are permissions and links. */
const isUnix = process.platform !== "win32";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "socks-replace-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a new file is for its owner alone", () =>
  inFolder(async (folder) => {
    const path = join(folder, "users.txt");
    assertEquals(await replaceFile(path, (text) => `${text}ada\n`), true);
    assertEquals(readFileSync(path, "utf8"), "ada\n");
    if (isUnix) assertEquals(modeOf(path), 0o600);
    assertEquals(readdirSync(folder), ["users.txt"]);
  }));

test("a file that is there keeps its permissions, and whoever has it open the old text", () =>
  inFolder(async (folder) => {
    const path = join(folder, "users.txt");
    writeFileSync(path, "ada\n");
    if (isUnix) chmodSync(path, 0o666);
    const { ino } = statSync(path);
    assertEquals(await replaceFile(path, (text) => `${text}alan\n`), false);
    assertEquals(readFileSync(path, "utf8"), "ada\nalan\n");
    if (isUnix) assertEquals([modeOf(path), statSync(path).ino !== ino], [0o666, true]);
    assertEquals(readdirSync(folder), ["users.txt"]);
  }));

/** Only root can make a file somebody else's. */
const isRoot = process.getuid?.() === 0;

test(
  "a file that is there stays its owner's and its group's, also where only the group is another",
  { skip: !isRoot },
  () =>
    inFolder(async (folder) => {
      const path = join(folder, "users.txt");
      for (const [uid, gid] of [[0, 12345], [54321, 12345]] as const) {
        writeFileSync(path, "ada\n");
        chownSync(path, uid, gid);
        await replaceFile(path, (text) => text);
        assertEquals([statSync(path).uid, statSync(path).gid], [uid, gid]);
      }
    }),
);

test("a link goes on to lead to the file", { skip: !isUnix }, () =>
  inFolder(async (folder) => {
    const [path, link] = [join(folder, "users.txt"), join(folder, "link")];
    writeFileSync(path, "ada\n");
    symlinkSync("users.txt", link);
    assertEquals(await replaceFile(link, (text) => text.toUpperCase()), false);
    assert(lstatSync(link).isSymbolicLink());
    assertEquals(readFileSync(path, "utf8"), "ADA\n");
  }));

test("what another program writes meanwhile is not lost", () =>
  inFolder(async (folder) => {
    const path = join(folder, "users.txt");
    let asked = 0;
    await replaceFile(path, (text) => {
      if (++asked === 1) writeFileSync(path, "alan\n");
      return `${text}ada\n`;
    });
    assertEquals(readFileSync(path, "utf8"), "alan\nada\n");
    assertEquals([asked, readdirSync(folder)], [2, ["users.txt"]]);
  }));

test("nothing changes and nothing is left behind if the change cannot be made", () =>
  inFolder(async (folder) => {
    const path = join(folder, "users.txt");
    writeFileSync(path, "ada\n");
    const change = () => {
      throw new Error("no");
    };
    await assertRejects(() => replaceFile(path, change), Error, "no");
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["ada\n", ["users.txt"]]);
    writeFileSync(path, Uint8Array.of(0xff));
    await assertRejects(() => replaceFile(path, (text) => text), RangeError, "not UTF-8");
    const { code } = await assertRejects(() => replaceFile(join(folder, "no", "x"), (text) => text)) as {
      code?: string;
    };
    assertEquals(code, "ENOENT");
  }));

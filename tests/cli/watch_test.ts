import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { FileWatch, signatureOf } from "../../src/cli/watch.ts";

/** A watch over files in a folder of its own; `next` waits for the next change that it tells. */
class Watched implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "socks-watch-"));
  changes = 0;
  #waiting: (() => void) | undefined;
  readonly #watch = new FileWatch({
    settle: 10,
    lookEvery: 30,
    complain: () => {},
    changed: () => {
      this.changes++;
      this.#waiting?.();
    },
  });

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Puts another file in the place of one: there is no moment in which it is half written. */
  replace(name: string, text: string): void {
    writeFileSync(this.path(`${name}~`), text);
    renameSync(this.path(`${name}~`), this.path(name));
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  async start(...names: string[]): Promise<void> {
    const files = new Map<string, string>();
    for (const name of names) files.set(this.path(name), await signatureOf(this.path(name)));
    this.#watch.set(files);
  }

  /** Does something and waits until the watch tells of it. */
  async after(change: () => void): Promise<void> {
    const told = new Promise<void>((resolve) => this.#waiting = resolve);
    change();
    await told;
  }

  [Symbol.dispose](): void {
    this.#watch.close();
    rmSync(this.folder, { recursive: true });
  }
}

test("a file that is written anew has changed", async () => {
  using watched = new Watched();
  watched.write("a", "1");
  await watched.start("a");
  await watched.after(() => watched.write("a", "22"));
  await watched.after(() => watched.write("a", "333"));
});

test("a file that another one is moved over has changed", async () => {
  using watched = new Watched();
  watched.write("a", "1");
  await watched.start("a");
  for (let round = 0; round < 3; round++) {
    await watched.after(() => watched.replace("a", "2"));
  }
});

test("a file that comes to be, or is gone, has changed", async () => {
  using watched = new Watched();
  await watched.start("a");
  await watched.after(() => watched.write("a", "1"));
  await watched.after(() => rmSync(watched.path("a")));
});

test("a link to a folder that is exchanged, as for mounted secrets, changes the file behind it", async () => {
  using watched = new Watched();
  for (const version of ["1", "2"]) {
    mkdirSync(watched.path(version));
    writeFileSync(join(watched.path(version), "a"), version.repeat(Number(version)));
  }
  symlinkSync("1", watched.path("data"));
  symlinkSync("data/a", watched.path("a"));
  await watched.start("a");
  await watched.after(() => {
    symlinkSync("2", watched.path("data~"));
    renameSync(watched.path("data~"), watched.path("data"));
  });
});

test("a folder that was removed and made again is watched again", async () => {
  using watched = new Watched();
  mkdirSync(watched.path("folder"));
  watched.write("folder/a", "1");
  await watched.start("folder/a");
  await watched.after(() => rmSync(watched.path("folder"), { recursive: true }));
  await watched.after(() => {
    mkdirSync(watched.path("folder"));
    watched.write("folder/a", "1");
  });
  await watched.after(() => watched.write("folder/a", "22"));
});

test("a link on the way to the folder that leads elsewhere now changes the file", async () => {
  using watched = new Watched();
  for (const [folder, text] of [["one", "1"], ["two", "22"]] as const) {
    mkdirSync(watched.path(folder));
    watched.write(`${folder}/a`, text);
  }
  symlinkSync("one", watched.path("current"));
  mkdirSync(watched.path("unseen"));
  await watched.start("current/a");
  await watched.after(() => {
    symlinkSync("two", watched.path("unseen/link"));
    renameSync(watched.path("unseen/link"), watched.path("current"));
  });
  await watched.after(() => watched.write("two/a", "333"));
});

test("a file that changed after it was read is told without a further event", async () => {
  using watched = new Watched();
  watched.write("a", "1");
  const before = await signatureOf(watched.path("a"));
  watched.write("a", "22");
  let told = (): void => {};
  const changed = new Promise<void>((resolve) => told = resolve);
  const watch = new FileWatch({ settle: 10, changed: told, complain: () => {} });
  watch.set(new Map([[watched.path("a"), before]]));
  await changed;
  watch.close();
});

test("other files in the folder are nothing to it", async () => {
  using watched = new Watched();
  watched.write("a", "1");
  await watched.start("a");
  for (let round = 0; round < 20; round++) watched.write("log", "x".repeat(round));
  await watched.after(() => watched.replace("a", "22"));
  assertEquals(watched.changes, 1);
});

test("a folder that is not there is complained of", async () => {
  let complain!: (problem: string) => void;
  const problem = new Promise<string>((resolve) => complain = resolve);
  const watch = new FileWatch({ changed: () => {}, complain });
  watch.set(new Map([["/missing folder/a", "missing"]]));
  assertMatch(await problem, /^Cannot watch "missing folder" for changes: /);
  watch.close();
});

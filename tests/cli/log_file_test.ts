import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { LogFile } from "../../src/cli/log_file.ts";

/** Runs with a path for a file in a folder of its own. */
function inFolder(body: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "socks-log-"));
  try {
    body(join(folder, "log"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("lines are appended, each there when it is written", () => {
  inFolder((path) => {
    const first = new LogFile(path, () => {});
    first.write("one é");
    assertEquals(readFileSync(path, "utf8"), "one é\n");
    const second = new LogFile(path, () => {});
    second.write("two");
    first.write("three");
    assertEquals(readFileSync(path, "utf8"), "one é\ntwo\nthree\n");
    assertEquals(statSync(path).mode & 0o027, 0);
    first.close();
    second.close();
  });
});

test("a file that was moved away is followed until it is opened anew", () => {
  inFolder((path) => {
    const log = new LogFile(path, () => {});
    log.write("one");
    renameSync(path, `${path}.1`);
    log.write("two");
    assert(!existsSync(path));
    log.reopen();
    log.write("three");
    assertEquals([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")], ["one\ntwo\n", "three\n"]);
    log.close();
  });
});

test("a file that cannot be opened throws, and lines go on where they went", () => {
  inFolder((path) => {
    assertThrows(() => new LogFile(join(path, "missing"), () => {}));
    const log = new LogFile(path, () => {});
    renameSync(path, `${path}.1`);
    mkdirSync(path);
    assertThrows(() => log.reopen());
    log.write("one");
    assertEquals(readFileSync(`${path}.1`, "utf8"), "one\n");
    log.close();
  });
});

test("a failure to write is complained of once, and harms nothing", { skip: !existsSync("/dev/full") }, () => {
  const problems: string[] = [];
  const log = new LogFile("/dev/full", (problem) => problems.push(problem));
  log.write("one");
  log.write("two");
  assertEquals(problems.length, 1);
  assert(problems[0]!.startsWith("Cannot write the log: "));
  log.close();
});

test("a link is followed only where it may be one, also when the file is opened anew", () => {
  inFolder((path) => {
    symlinkSync(`${path}.else`, path);
    assertThrows(() => new LogFile(path, () => {}, { mayBeLink: false }), Error, "ELOOP");
    assert(!existsSync(`${path}.else`));
    const followed = new LogFile(path, () => {});
    followed.write("one");
    followed.close();
    assertEquals(readFileSync(`${path}.else`, "utf8"), "one\n");
    rmSync(path);
    const log = new LogFile(path, () => {}, { mayBeLink: false });
    rmSync(path);
    symlinkSync(`${path}.else`, path);
    assertThrows(() => log.reopen(), Error, "ELOOP");
    log.close();
  });
});

test("a file that has other names is not given away", () => {
  inFolder((path) => {
    writeFileSync(`${path}.else`, "");
    linkSync(`${path}.else`, path);
    const log = new LogFile(path, () => {}, { mayBeLink: false });
    const { uid, gid } = statSync(path);
    assertThrows(() => log.giveTo(uid + 1, gid), Error, "it has other names");
    log.giveTo(uid, gid);
    log.close();
    assertEquals(statSync(path).uid, uid);
  });
});

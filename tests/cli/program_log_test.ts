import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatOf, ProgramLog } from "../../src/cli/program_log.ts";

/** A log, what reaches standard error, and a path for a file. */
function inFolder(body: (log: ProgramLog, lines: string[], path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "socks-log-"));
  const lines: string[] = [];
  const log = new ProgramLog({ err: (line) => lines.push(line), isLive: false });
  try {
    body(log, lines, join(folder, "log"));
    log.prepare({}).use(); // closes the file
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const messages = (text: string) =>
  text.trim().split("\n").map((line) => line.replace(/.*(?:INFO {2}|"message":")/, ""));

test("lines are text where a person reads them, and JSON elsewhere, unless the settings say", () => {
  assertEquals(formatOf({ logFormat: "auto" }, true), "text");
  assertEquals(formatOf({ logFormat: "auto" }, false), "json");
  assertEquals(formatOf({ logFormat: "text" }, false), "text");
  assertEquals(formatOf({ logFormat: "json" }, true), "json");
});

test("the log moves to a file and back, at once and with nothing lost", () => {
  inFolder((log, lines, path) => {
    log.prepare({ logFormat: "text" }).use();
    log.logger.info("one");
    const next = log.prepare({ logFormat: "json", logFile: path });
    log.logger.info("two");
    next.use();
    log.logger.info("three");
    log.prepare({ logFormat: "text", logFile: path }).use();
    log.logger.info("four");
    log.prepare({ logFormat: "text", logLevel: "error" }).use();
    log.logger.info("five");
    log.logger.error("six");
    assertEquals(lines.map((line) => line.slice(-3).trim()), ["one", "two", "six"]);
    assertEquals(messages(readFileSync(path, "utf8")), ['three"}', "four"]);
  });
});

test("a file that was moved away is left when the log is reopened", () => {
  inFolder((log, lines, path) => {
    log.prepare({ logFormat: "text", logFile: path }).use();
    log.logger.info("one");
    renameSync(path, `${path}.1`);
    log.logger.info("two");
    log.reopen();
    log.logger.info("three");
    assertEquals(messages(readFileSync(`${path}.1`, "utf8")), ["one", "two"]);
    assertEquals(messages(readFileSync(path, "utf8")), ["three"]);
    assertEquals(lines, []);
  });
});

test("a file that cannot be opened changes nothing", () => {
  inFolder((log, lines, path) => {
    log.prepare({ logFormat: "text" }).use();
    const error = assertThrows(() => log.prepare({ logFile: join(path, "x") }), Error);
    assertMatch(error.message, /^Cannot open the log file ".*": no such folder$/);
    log.prepare({ logFile: path }).discard();
    log.logger.info("one");
    assertEquals(lines.length, 1);
    assert(existsSync(path));
  });
});

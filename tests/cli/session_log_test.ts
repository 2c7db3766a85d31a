import { test } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import type { LogLevel } from "../../src/config/config.ts";
import { startLog } from "../../src/cli/log.ts";
import { sessionEntry } from "../../src/cli/session_entry.ts";
import { sessionObserver } from "../../src/cli/session_log.ts";
import type { CloseCause, Refusal } from "../../src/server/observer.ts";
import { sessionOf, silentSession, summaryOf } from "./_session.ts";

/** An observer at a level, and the lines it logs without their times. */
function observerAt(level: LogLevel) {
  const lines: string[] = [];
  const logger = startLog({ level, write: (line) => lines.push(line.replace(/^\S+ /, "")), dated: false });
  return { observer: sessionObserver(logger), lines };
}

const NAMES = ["opened", "authenticated", "requested", "refused", "connected", "closed"] as const;

test("an observer has only the functions whose lines are logged", () => {
  const expected: Record<LogLevel, string[]> = {
    debug: [...NAMES],
    info: ["refused", "closed"],
    warning: ["closed"],
    error: [],
  };
  for (const level of ["debug", "info", "warning", "error"] as const) {
    const { observer } = observerAt(level);
    assertEquals(NAMES.filter((name) => observer[name] !== undefined), expected[level], level);
  }
});

test("a line bears the time, the level and the session's account", () => {
  const lines: string[] = [];
  for (const dated of [false, true]) {
    const logger = startLog({ level: "info", write: (line) => lines.push(line), dated });
    sessionObserver(logger).closed?.(sessionOf(), summaryOf());
  }
  assertEquals(lines.length, 2);
  assertMatch(lines[0]!, /^\d\d:\d\d:\d\d INFO {2}#12 127\.0\.0\.1:52344 ada connect example\.com:443 .*, finished$/);
  assertMatch(lines[1]!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO {2}#12 .*, finished$/);
});

test("a session is one line at level info, logged at its end", () => {
  const { observer, lines } = observerAt("info");
  const session = sessionOf({ address: undefined });
  observer.refused?.(session, { cause: "rules", reason: "no" });
  assertEquals(lines, []);
  observer.closed?.(session, summaryOf({ sent: 0, received: 0, cause: "refused", reason: "no" }));
  assertEquals(lines, ["INFO  #12 127.0.0.1:52344 ada connect example.com:443, 3.1 s, refused by rules: no"]);
});

test("only those who asked for something, or were refused a login, have a line at level info", () => {
  const causes: CloseCause[] = ["health-check", "vanished", "not-socks", "timeout", "reset", "shutdown"];
  const ofSilent = observerAt("info");
  for (const cause of causes) ofSilent.observer.closed?.(silentSession(), summaryOf({ cause }));
  assertEquals(ofSilent.lines, []);

  const ofAsking = observerAt("info");
  for (const cause of [...causes, "finished"] as const) ofAsking.observer.closed?.(sessionOf(), summaryOf({ cause }));
  assertEquals(ofAsking.lines.map((line) => line.replace(/.*, /, "")), ["timeout", "reset", "shutdown", "finished"]);

  const ofRefused = observerAt("info");
  const refusals: Refusal["cause"][] = ["authentication", "protocol", "rules", "network"];
  for (const cause of refusals) {
    const session = silentSession();
    ofRefused.observer.refused?.(session, { cause, reason: "why" });
    ofRefused.observer.closed?.(session, summaryOf({ cause: "refused", reason: "why" }));
  }
  assertEquals(ofRefused.lines.map((line) => line.replace(/.*, /, "")), [
    "login refused: why",
    "refused by rules: why",
    "failed: why",
  ]);
});

test("faults of the server are warnings, and all that is left at that level", () => {
  const { observer, lines } = observerAt("warning");
  observer.closed?.(sessionOf(), summaryOf());
  observer.closed?.(sessionOf(), summaryOf({ cause: "error", reason: "boom" }));
  assertEquals(lines.map((line) => line.replace(/^(\w+) .*, /, "$1 ")), ["WARNING error: boom"]);
});

test("at level debug every step has a line", () => {
  const { observer, lines } = observerAt("debug");
  observer.opened?.(silentSession());
  observer.authenticated?.({ ...silentSession(), user: { name: "ada" } });
  observer.requested?.(sessionOf({ address: undefined }));
  observer.connected?.(sessionOf());
  observer.closed?.(silentSession(), summaryOf({ cause: "health-check", sent: 0, received: 0 }));
  assertEquals(lines, [
    "DEBUG #12 127.0.0.1:52344, opened",
    "DEBUG #12 127.0.0.1:52344 ada, logged in",
    "DEBUG #12 127.0.0.1:52344 ada connect example.com:443, requested",
    "DEBUG #12 127.0.0.1:52344 ada connect example.com:443 (93.184.216.34:443), connected",
    "DEBUG #12 127.0.0.1:52344, 3.1 s, health-check",
  ]);
});

test("braces in what a client sent are no placeholders", () => {
  const { observer, lines } = observerAt("debug");
  observer.opened?.({ ...silentSession(), user: { name: "{line}{{*}}%s" } });
  assertEquals(lines, ["DEBUG #12 127.0.0.1:52344 {line}{{*}}%s, opened"]);
});

test("a rule may want its sessions left out of the log, or those that were served", () => {
  const { observer, lines } = observerAt("debug");
  const refused = summaryOf({ cause: "refused", sent: 0, received: 0 });
  for (const log of ["none", "refused", "all"] as const) {
    for (const refusal of [undefined, { cause: "rules", reason: "no" }] as const) {
      const session = sessionOf({ log, rule: log, address: undefined });
      observer.requested?.(session);
      if (refusal === undefined) observer.connected?.(session);
      else observer.refused?.(session, refusal);
      observer.closed?.(session, refusal === undefined ? summaryOf() : refused);
    }
  }
  const seen = lines.map((line) => /by "(\w+)", .*?(\w+)(?:: no)?$/.exec(line)?.slice(1).join(" "));
  assertEquals(seen, [
    "refused rules",
    ...["all requested", "all connected", "all finished"],
    ...["all requested", "all rules"],
  ]);
});

test("a fault of ours is logged whatever the rule wants", () => {
  const { observer, lines } = observerAt("info");
  observer.closed?.(sessionOf({ log: "none" }), summaryOf({ cause: "error", reason: "boom" }));
  assertEquals(lines.length, 1);
});

test("in JSON the way out has a field, unless it is the direct one", () => {
  const fieldsOf = (via: string | undefined) => sessionEntry(sessionOf({ via }), summaryOf(), undefined).fields();
  assertEquals([fieldsOf("tor").via, fieldsOf(undefined).via], ["tor", undefined]);
});

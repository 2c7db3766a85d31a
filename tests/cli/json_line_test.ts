import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { jsonLine } from "../../src/cli/json_line.ts";
import { startLog } from "../../src/cli/log.ts";
import { sessionEntry, stepEntry } from "../../src/cli/session_entry.ts";
import { sessionOf, silentSession, summaryOf } from "./_session.ts";

/** The lines that a log in JSON writes at level debug. */
function jsonLog() {
  const lines: string[] = [];
  const logger = startLog({ level: "debug", write: (line) => lines.push(line), dated: false, format: "json" });
  return { logger, lines };
}

test("a session is one line of JSON with these keys, in this order", () => {
  const { logger, lines } = jsonLog();
  const session = sessionOf({ listenerName: "office", rule: "web" });
  logger.info("{line}", { line: sessionEntry(session, summaryOf({ cause: "timeout", reason: "idle" }), undefined) });
  assertEquals(
    lines[0]!.replace(/^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",/, "{"),
    '{"level":"info","event":"session","id":12,"end":"timeout","client":"127.0.0.1","clientPort":52344,' +
      '"listener":"127.0.0.1:1080","listenerName":"office","protocol":"socks5","user":"ada","command":"connect",' +
      '"target":"example.com","targetPort":443,"address":"93.184.216.34","addressPort":443,"rule":"web",' +
      '"sent":1229,"received":49152,"duration":3100,"reason":"idle"}',
  );
});

test("how a session was refused comes before anything that the client chose", () => {
  const entry = sessionEntry(silentSession(), summaryOf({ sent: 0, received: 0, cause: "refused", duration: 3.7 }), {
    cause: "authentication",
    reason: 'Cannot log in as "ada"',
  });
  assertEquals(
    jsonLine({ ...entry.fields() }),
    '{"id":12,"end":"refused","refusal":"authentication","client":"127.0.0.1","clientPort":52344,' +
      '"listener":"127.0.0.1:1080","sent":0,"received":0,"duration":4,"reason":"Cannot log in as \\"ada\\""}',
  );
});

test("a step of a session bears its name as event", () => {
  const { logger, lines } = jsonLog();
  logger.debug("{line}", { line: stepEntry("authenticated", "logged in", silentSession()) });
  const { event, id, client, end } = JSON.parse(lines[0]!);
  assertEquals({ event, id, client, end }, { event: "authenticated", id: 12, client: "127.0.0.1", end: undefined });
});

test("what has words alone is a message", () => {
  const { logger, lines } = jsonLog();
  logger.warning("{line}", { line: "{line} and 100% of it" });
  const { time, ...rest } = JSON.parse(lines[0]!);
  assertEquals(rest, { level: "warning", event: "log", message: "{line} and 100% of it" });
  assert(!Number.isNaN(Date.parse(time)));
});

test("what a terminal would act upon or nobody would see is escaped, and means the same", () => {
  assertEquals(
    jsonLine({ text: "a\u202eb\u009bc\u2028d\u{e0041}é\x1b\ud800" }),
    '{"text":"a\\u202eb\\u009bc\\u2028d\\udb40\\udc41é\\u001b\\ud800"}',
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = jsonLine({ text });
      assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(line));
      assertEquals(JSON.parse(line), { text });
    }),
  );
});

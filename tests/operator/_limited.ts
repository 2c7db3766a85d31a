/**
 * Servers with limits, and what tests of them ask.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Target, type To, type Wire } from "../conformance/_client.ts";
import {
  parseListening,
  type RunningServer,
  type RuntimeUnderTest,
  runToExit,
  type StartOptions,
  startServer,
} from "../conformance/_server.ts";
import { asked, CONNECT } from "../conformance/_socks.ts";

/** Who a client is. */
export interface Who {
  /** Its user and password. */
  readonly user?: readonly [name: string, password: string];
  /** The loopback address that it comes from. */
  readonly from?: string;
}

/** Writes settings to a file of their own. */
export function settingsFile(folder: string, settings: object): string {
  const path = join(folder, `${crypto.randomUUID().slice(0, 8)}.json`);
  writeFileSync(path, JSON.stringify(settings), { mode: 0o600 });
  return path;
}

/** Starts a server with settings; it listens on one free port of 127.0.0.1 if these do not say where. */
export function serveWith(
  runtime: RuntimeUnderTest,
  folder: string,
  settings: Readonly<Record<string, unknown>>,
  options: StartOptions = {},
): Promise<RunningServer> {
  const path = settingsFile(folder, { listen: ["127.0.0.1:0"], ...settings });
  return startServer(runtime, ["--config", path], { ...options, listen: false });
}

/** Has a server start with settings that must keep it from that. */
export function failToServe(
  runtime: RuntimeUnderTest,
  folder: string,
  settings: object,
): Promise<{ code: number; output: string }> {
  const path = settingsFile(folder, { listen: ["127.0.0.1:0"], ...settings });
  return runToExit(runtime, ["--config", path, "--log-format", "text"]);
}

/** Where a server listens, each of its so many places. */
export function placesOf(server: RunningServer, count: number): Promise<readonly To[]> {
  return eventually(`${count} listeners`, () => {
    const found = parseListening(server.output());
    return found.length >= count && found;
  });
}

/** Asks for a tunnel that is refused with REP 02, and gives the line of the log. */
export async function refusal(server: RunningServer, to: To, target: Target, who: Who = {}): Promise<string> {
  const since = server.output().length;
  const { wire, reply } = await asked(to, CONNECT, target.host, target.port, who);
  assertEquals(reply.code, 2, `the reply to a session too many; the log:\n${server.output()}`);
  // The client's port tells its line from those of others.
  const port = wire.localPort;
  wire.close();
  return await server.waitForOutput(new RegExp(`.*:${port} .*refused.*(?=\\n)`), { since });
}

/** Closes a session and waits until the server has taken note. */
export async function leave(server: RunningServer, wire: Wire): Promise<string> {
  const port = wire.localPort;
  wire.close();
  return await ended(server, port);
}

/** Waits for the line of a session that is over, by the port of its client. */
export function ended(server: RunningServer, port: number): Promise<string> {
  return server.waitForOutput(new RegExp(`#\\d+ [^ ]*:${port}\\b.*, [\\d.]+ (?:m?s|min \\d+ s), .*(?=\\n)`));
}

/** Checks that a tunnel to an echo carries bytes both ways. */
export async function assertCarries(wire: Wire, text = "still there"): Promise<void> {
  await wire.send(text);
  assertEquals(new TextDecoder().decode(await wire.read(text.length)), text);
}

/** Listens, sends as many bytes as it is asked for with a number on a line, and then the end. */
export function byteSource(): Promise<Target> {
  return Target.listen({
    handle: async (wire) => {
      let asked = "";
      while (!asked.endsWith("\n")) {
        const some = await wire.readSome(120_000);
        if (some.length === 0) return wire.close();
        asked += new TextDecoder().decode(some);
      }
      const block = new Uint8Array(65_536);
      for (let rest = Number(asked); rest > 0; rest -= block.length) {
        await wire.write(rest < block.length ? block.subarray(0, rest) : block, 120_000);
      }
      wire.finish();
    },
  });
}

/** A quota for a month that does not end in the middle of a test: it began some two weeks ago. */
export function monthly(bytes: string): { bytes: string; every: string; startDay: number; zone: string } {
  const day = new Date(Date.now() - 14 * 86_400_000).getUTCDate();
  return { bytes, every: "month", startDay: Math.min(day, 28), zone: "UTC" };
}

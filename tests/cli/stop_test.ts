import process from "node:process";
import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { DRAIN_TIME, untilStopped } from "../../src/cli/stop.ts";
import type { Server } from "../../src/server/server.ts";

/** A server with so many sessions, which end when it is closed or `finish` is called. */
class FakeServer implements Server {
  readonly addresses = [];
  readonly forwards = [];
  readonly closed: Promise<void>;
  readonly calls: string[] = [];
  finish: () => void = () => {};
  sessions: number;

  constructor(sessions: number) {
    this.sessions = sessions;
    this.closed = new Promise((resolve) => {
      this.finish = () => {
        this.sessions = 0;
        resolve();
      };
    });
  }

  reload(): Promise<void> {
    return Promise.reject(new Error("not here"));
  }

  close(): Promise<void> {
    this.calls.push("close");
    this.finish();
    return this.closed;
  }

  drain(deadline?: number): Promise<void> {
    this.calls.push(`drain ${deadline}`);
    if (this.sessions === 0) this.finish();
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Signals reach all listeners; these tests use those of `untilStopped` alone. */
function send(signal: "SIGINT" | "SIGTERM"): void {
  process.emit(signal, signal);
}

test("without sessions a signal ends the server at once, with nothing to say", async () => {
  const server = new FakeServer(0);
  const lines: string[] = [];
  const stopped = untilStopped(server, { out: (line) => lines.push(line) });
  send("SIGTERM");
  assertEquals(await stopped, 0);
  assertEquals([server.calls, lines], [[`drain ${DRAIN_TIME}`], []]);
  assertEquals(process.listenerCount("SIGTERM"), 0);
});

test("with sessions it says so, and waits for them", async () => {
  for (const [sessions, words] of [[1, "1 session"], [2, "2 sessions"]] as const) {
    const server = new FakeServer(sessions);
    const lines: string[] = [];
    let announce = (): void => {};
    const announced = new Promise<void>((resolve) => announce = resolve);
    const stopped = untilStopped(server, {
      out: (line) => {
        lines.push(line);
        announce();
      },
    });
    send("SIGINT");
    await announced;
    server.finish();
    assertEquals(await stopped, 0);
    assertEquals(lines, [`Draining ${words}, again to end at once`]);
    assertEquals(server.calls, [`drain ${DRAIN_TIME}`]);
  }
});

test("a second signal ends the sessions", async () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const server = new FakeServer(1);
    let line = (): void => {};
    const announced = new Promise<void>((resolve) => line = resolve);
    const stopped = untilStopped(server, { out: line });
    send("SIGTERM");
    await announced;
    send(signal);
    assertEquals(await stopped, code);
    assertEquals(server.calls, [`drain ${DRAIN_TIME}`, "close"]);
  }
});

test("after a second signal nothing that hangs is waited for", async () => {
  const server = new FakeServer(1);
  server.finish = () => {};
  let line = (): void => {};
  const announced = new Promise<void>((resolve) => line = resolve);
  const stopped = untilStopped(server, { out: line });
  send("SIGTERM");
  await announced;
  send("SIGINT");
  assertEquals(await stopped, 130);
});

test("two signals that come together, as from npx, are one", async () => {
  const server = new FakeServer(1);
  const stopped = untilStopped(server, { out: () => {} });
  send("SIGINT");
  send("SIGINT");
  assertEquals(server.calls, [`drain ${DRAIN_TIME}`]);
  server.finish();
  assertEquals(await stopped, 0);
});

test("a server that stops by itself is a failure", async () => {
  const server = new FakeServer(0);
  const stopped = untilStopped(server, { out: () => {} });
  server.finish();
  assertEquals(await stopped, 1);
});

test("how long sessions may take is asked when the signal comes", async () => {
  for (const [time, expected] of [[5_000, "5000"], [Infinity, "undefined"]] as const) {
    const server = new FakeServer(1);
    let drainTime = 1;
    const heard: number[] = [];
    const stopped = untilStopped(server, {
      out: () => {},
      drainTime: () => drainTime,
      stopping: (time) => heard.push(time),
    });
    drainTime = time;
    send("SIGTERM");
    server.finish();
    await stopped;
    assertEquals([server.calls, heard], [[`drain ${expected}`], [time]]);
  }
});

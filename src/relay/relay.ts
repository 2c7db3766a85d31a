/**
 * The two-way relay of bytes.
 *
 * @module
 */

import type { Connection, Duplex, Meter, Pace, RelayJob, Runtime } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";

/**
 * Relays until both directions have ended. The end of one is passed on as a half-close; an error of one resets the
 * other side. Both connections are closed when the meter is told of the end.
 *
 * @param job The two connections. The runtime's own fast path takes them if it made both.
 * @param runtime The runtime whose fast path may serve.
 */
export function relay(job: RelayJob, runtime: Runtime): void {
  if (runtime.relay?.(job) === true) return;
  const { meter } = job;
  relayDuplex(duplexOf(job.client), duplexOf(job.target), job).then(
    () => meter.relayed(),
    (error) => meter.relayed(error),
  );
}

/**
 * The reference relay: one read, one write, in each direction.
 *
 * @param client The client's end.
 * @param target The target's end.
 * @param job What the client sent already, the counts and the pace.
 * @throws {NetError} The first error of either end.
 */
export async function relayDuplex(
  client: Duplex,
  target: Duplex,
  job: Pick<RelayJob, "early" | "pace"> & { readonly meter: Meter },
): Promise<void> {
  const { early, meter, pace } = job;
  let open = 2;
  let failure: { readonly error: unknown } | undefined;
  const run = async (direction: Promise<void>): Promise<void> => {
    try {
      await direction;
      if (--open === 1) meter.halfClosed?.();
    } catch (error) {
      failure ??= { error };
      client.close(error);
      target.close(error);
    }
  };
  await Promise.all([run(sendUp(client, target, early, meter, pace)), run(sendDown(client, target, meter, pace))]);
  if (failure !== undefined) throw failure.error;
  client.close();
  target.close();
}

async function sendUp(
  client: Duplex,
  target: Duplex,
  early: Uint8Array,
  meter: Meter,
  pace: Pace | undefined,
): Promise<void> {
  for (let chunk: Uint8Array | null = early; chunk !== null; chunk = await client.read()) {
    for (let rest = chunk; rest.length > 0;) {
      const length = pace === undefined ? rest.length : pace.take(rest.length, true) || await leave(pace, rest, true);
      await target.write(length === rest.length ? rest : rest.subarray(0, length));
      meter.sent += length;
      rest = rest.subarray(length);
    }
  }
  target.closeWrite();
}

async function sendDown(client: Duplex, target: Duplex, meter: Meter, pace: Pace | undefined): Promise<void> {
  for (let chunk = await target.read(); chunk !== null; chunk = await target.read()) {
    for (let rest = chunk; rest.length > 0;) {
      const length = pace === undefined ? rest.length : pace.take(rest.length, false) || await leave(pace, rest, false);
      await client.write(length === rest.length ? rest : rest.subarray(0, length));
      meter.received += length;
      rest = rest.subarray(length);
    }
  }
  client.closeWrite();
}

/** Waits for the pace to let some of the bytes go, and says how many. */
export async function leave(pace: Pace, bytes: Uint8Array, up: boolean): Promise<number> {
  for (;;) {
    await new Promise<void>((resolve) => pace.wait(up, resolve));
    const length = pace.take(bytes.length, up);
    if (length > 0) return length;
  }
}

/**
 * A connection whose reads go another way, to hand on bytes that were read ahead. It takes the reference relay.
 *
 * @param connection The connection.
 * @param read Reads in its place.
 */
export function withRead(connection: Connection, read: Duplex["read"]): Connection & Duplex {
  const duplex = duplexOf(connection);
  return {
    get readable(): ReadableStream<Uint8Array> {
      return connection.readable;
    },
    get writable(): WritableStream<Uint8Array> {
      return connection.writable;
    },
    local: connection.local,
    remote: connection.remote,
    closed: connection.closed,
    read,
    write: (bytes) => duplex.write(bytes),
    closeWrite: () => duplex.closeWrite(),
    close: (reason) => duplex.close(reason),
  };
}

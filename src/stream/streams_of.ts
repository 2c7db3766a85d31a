import type { Duplex, StreamPair } from "../runtime/runtime.ts";

export type { StreamPair };

/**
 * Builds the web streams over a connection's calls. The readable is a byte stream that reads when it is asked and
 * keeps nothing in store; closing the writable half-closes, aborting it resets.
 *
 * @param duplex The calls; from now on the streams alone may use them.
 */
export function streamsOf(duplex: Duplex): StreamPair {
  let cancelled = false;
  let finished = false;

  const source: UnderlyingByteSource = {
    type: "bytes",
    async pull(controller: ReadableByteStreamController): Promise<void> {
      const bytes = await duplex.read();
      if (cancelled) return;
      const request = controller.byobRequest;
      if (bytes === null) {
        controller.close();
        request?.respond(0);
        return;
      }
      // The bytes are good until the next read only: every way out copies them.
      const view = request?.view;
      if (request === null || !view) return controller.enqueue(copyOf(bytes));
      const length = Math.min(view.byteLength, bytes.length);
      new Uint8Array(view.buffer, view.byteOffset, length).set(bytes.subarray(0, length));
      request.respond(length);
      if (length < bytes.length) controller.enqueue(copyOf(bytes.subarray(length)));
    },
    cancel(): void {
      cancelled = true;
      if (finished) duplex.close();
    },
  };

  const sink: UnderlyingSink<Uint8Array> = {
    write: (chunk) => chunk.length === 0 ? undefined : duplex.write(chunk),
    close(): void {
      finished = true;
      duplex.closeWrite();
      if (cancelled) duplex.close();
    },
    abort: (reason) => duplex.close(reason instanceof Error ? reason : new Error("Aborted", { cause: reason })),
  };

  return {
    readable: new ReadableStream(source, { highWaterMark: 0 }) as ReadableStream<Uint8Array>,
    writable: new WritableStream(sink),
  };
}

/** Copies even a Buffer of Node's, whose own `slice` does not. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

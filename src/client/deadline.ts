import { NetError } from "../net/errors.ts";

/** A time limit. */
export interface Deadline {
  /** Aborts when the time is over or the caller's signal aborts, with a {@linkcode NetError} as reason. */
  readonly signal: AbortSignal;
  /** Ends the waiting, and lets go of the caller's signal. */
  end(): void;
}

/**
 * Joins a caller's signal and a time limit, and leaves nothing behind on the signal.
 *
 * @param outer The caller's signal.
 * @param timeout In milliseconds; no limit if absent.
 */
export function deadline(outer: AbortSignal | undefined, timeout: number | undefined): Deadline {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(new NetError("aborted", "called off", { cause: outer!.reason }));
  };
  const late = (): void => controller.abort(new NetError("timeout", `no end of it within ${timeout} ms`));
  // A longer one would end at once.
  const timer = timeout === undefined || timeout >= 2 ** 31 ? undefined : setTimeout(late, timeout);
  if (outer?.aborted) abort();
  else outer?.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}

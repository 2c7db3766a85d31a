/**
 * The ways out that the datagrams of an association take.
 *
 * @module
 */

import { deadline } from "../client/deadline.ts";
import { NetError } from "../net/errors.ts";
import type { SocketAddress } from "../net/address.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Association } from "../relay/association.ts";
import { Outlet, type Passage } from "../relay/outlet.ts";
import { UnableError } from "../upstream/unable_error.ts";
import type { WayOut, WayTunnel } from "../upstream/way_out.ts";
import type { Session } from "./session.ts";

/** How many ways out one association may hold open. */
const MAX_OUTLETS = 16;

/** What {@linkcode Outlets} need of an association. */
export interface OutletsOptions {
  /** Whose traffic it is. */
  readonly session: Session;
  /** Takes answers. */
  readonly association: Pick<Association, "answer">;
  /** See `AssociationOptions`. */
  readonly mayAnswer: (sender: SocketAddress) => Promise<boolean>;
}

/** The ways out of one association: each is opened when a datagram takes it, and stays to the association's end. */
export class Outlets {
  readonly #options: OutletsOptions;
  #outlets: Map<WayOut, Outlet> | undefined;
  #failure: string | undefined;
  #isClosed = false;

  /** @param options What they need. */
  constructor(options: OutletsOptions) {
    this.#options = options;
  }

  /** Why one could not be used, the last time. Its datagrams were lost. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * The passage to a target.
   *
   * @param way The way out.
   * @param target The target, as the other end is to be told it.
   * @throws {NetError} `not-supported` if it cannot carry datagrams, or if there are too many already.
   */
  through(way: WayOut, target: Target): Passage {
    if (way.associate === undefined) throw this.#failed(new UnableError("send datagrams", way.name));
    const outlets = this.#outlets ??= new Map();
    let outlet = outlets.get(way);
    if (outlet === undefined) {
      if (this.#isClosed) throw new NetError("closed", "Cannot send datagrams: the association has ended");
      if (outlets.size >= MAX_OUTLETS) {
        const problem = `Cannot send datagrams: ${MAX_OUTLETS} ways out are in use already`;
        throw this.#failed(new NetError("unknown", problem));
      }
      outlets.set(way, outlet = this.#open(way));
    }
    return outlet.to(target);
  }

  /** Forgets who may answer, and ends what takes ways that are no more. */
  forget(): void {
    const { ways } = this.#options.session.service;
    for (const [way, outlet] of this.#outlets ?? []) {
      outlet.forget();
      if (ways.made(way.name)?.way === way) continue;
      outlet.close();
      this.#outlets!.delete(way);
    }
  }

  /** Ends all of them. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const outlet of this.#outlets?.values() ?? []) outlet.close();
    this.#outlets = undefined;
  }

  #failed(error: unknown): unknown {
    if (!this.#isClosed) this.#failure = error instanceof Error ? error.message : String(error);
    return error;
  }

  #open(way: WayOut): Outlet {
    const { session, association, mayAnswer } = this.#options;
    return new Outlet({
      open: async (onDatagram) => {
        try {
          return await associate(way, session, onDatagram);
        } catch (error) {
          throw this.#failed(error);
        }
      },
      answer: (header, data) => association.answer(header, data),
      mayAnswer: ({ host, port }) => mayAnswer({ ip: host, port }),
      maxSenders: session.service.bounds.destinations,
    });
  }
}

/** In the time that a connection has: nobody waits for it who would tell. */
async function associate(
  way: WayOut,
  session: Session,
  onDatagram: (data: Uint8Array, source: Target) => void,
): Promise<WayTunnel> {
  const { runtime, timeouts } = session.service;
  const limit = deadline(session.signal, timeouts.connect || undefined);
  try {
    return await way.associate!({
      request: session as RequestInfo,
      signal: limit.signal,
      runtime,
      keepsName: true, // what is sent to is named as it is to be
      addresses: () => Promise.reject(new NetError("name-not-found", "Cannot look up: datagrams have many targets")),
    }, onDatagram);
  } finally {
    limit.end();
  }
}

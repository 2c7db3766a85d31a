/**
 * A client of a forward: the session that it has, and the request that it does not make.
 *
 * @module
 */

import type { SocketAddress, UnixAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { Command } from "../protocol/constants.ts";
import type { Connection } from "../runtime/runtime.ts";
import { Exchange } from "./exchange.ts";
import type { ForwardPlan } from "./forward_plan.ts";
import type { Service } from "./service.ts";
import { Session } from "./session.ts";

/** A session whose target was fixed before its client came. */
export class ForwardSession extends Session {
  readonly #plan: ForwardPlan;

  constructor(
    service: Service,
    connection: Connection,
    listener: SocketAddress | UnixAddress,
    name: string | undefined,
    plan: ForwardPlan,
  ) {
    super(service, connection, listener, name);
    this.#plan = plan;
  }

  override get forward(): ForwardPlan {
    return this.#plan;
  }

  override get longestSilence(): number {
    return this.#plan.idle;
  }
}

const NOTHING = new Uint8Array(0);

/** What a client of a forward would have asked for. It is told nothing: what it gets is the target's. */
export class ForwardExchange extends Exchange {
  readonly #session: Session;

  constructor(session: Session, { protocol, target }: ForwardPlan) {
    const command = protocol === "udp" ? Command.UDP_ASSOCIATE : Command.CONNECT;
    super("forward", command, target, session.channel, () => NOTHING);
    this.#session = session;
  }

  /** A reset is the nearest to what its client would see if it had connected to the target itself. */
  override refuse(): undefined {
    this.replied = true;
    if (this.command !== "connect") return; // its datagrams are dropped until it has left
    this.#session.connection.close(new NetError("reset", "Cannot forward: refused"));
  }
}

/** Its request, which needs no handshake. */
export function readForward(session: Session): Promise<ForwardExchange> {
  return Promise.resolve(new ForwardExchange(session, session.forward!));
}

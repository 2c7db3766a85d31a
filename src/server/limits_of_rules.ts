/**
 * Limits of the rules that decide on where a session's traffic goes, once that is known.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import type { Grant } from "../policy/rules.ts";
import type { Session } from "./session.ts";

/**
 * Holds an association to the limits of the rule that allows its first destination, if the request alone did not decide
 * on one. A session has one rule's limits: destinations of a rule with others are out of its reach.
 */
export class LimitsOfRules {
  readonly #session: Session;
  #holding: Promise<void> = Promise.resolve();
  #isOver = false;

  /** @param session Whose traffic it is; it was admitted already. */
  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Waits until the session is held to the limits that come with a destination.
   *
   * @param grant What was decided on the destination.
   * @throws {NetError} `not-allowed`, if it cannot be; where its limits are exceeded that ends the session.
   */
  hold(grant: Grant | undefined): Promise<void> {
    const holding = this.#holding.then(() => this.#hold(grant));
    this.#holding = holding.catch(() => {});
    return holding;
  }

  /** The session is over. */
  end(): void {
    this.#isOver = true;
  }

  async #hold(grant: Grant | undefined): Promise<void> {
    const session = this.#session;
    const ruling = session.ruling as Grant | undefined;
    if (grant?.limits === undefined || grant.limits === ruling?.limits) return;
    if (ruling?.limits !== undefined || this.#isOver) {
      throw new NetError("not-allowed", "Cannot use it: the session is held to the limits of another rule");
    }
    session.leave();
    try {
      // What was granted to this destination is granted to no other.
      const { rule, log, limits } = grant;
      await session.admit({ allow: "safely", rule, log, ...ruling, limits });
    } catch (error) {
      session.stop(error as NetError, "limit");
      throw error;
    }
    if (this.#isOver) session.leave();
  }
}

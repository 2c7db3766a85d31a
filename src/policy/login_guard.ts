/**
 * What becomes of addresses that clients cannot log in from.
 *
 * @module
 */

import { AuthenticationError } from "../auth/method.ts";
import type { IpAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { counterKey } from "./counter_key.ts";
import type { Counters } from "./counters.ts";
import type { LoginLimit } from "./limit.ts";
import { sourceKey } from "./source_key.ts";

/**
 * Refuses addresses that too many logins failed from: IPv4 addresses, and blocks of 2^64 IPv6 addresses. Loopback is no
 * exception, for what comes from there may come through a tunnel. Clients without an address, as on UNIX sockets, are
 * never refused.
 */
export interface LoginGuard {
  /**
   * Asked before a login is looked at.
   *
   * @param ip The client's address, if it has one.
   * @returns Why not, for the log; `undefined` if it may.
   * @throws {AuthenticationError} If the counts cannot be reached and are not to be done without.
   */
  mayTry(ip: IpAddress | undefined): string | undefined | Promise<string | undefined>;
  /**
   * Told of a login that failed.
   *
   * @param ip The client's address, if it has one.
   * @param user The name that it gave.
   * @returns For how many milliseconds the address is refused because of this one; 0 if it is not.
   */
  failed(ip: IpAddress | undefined, user: string): number | Promise<number>;
  /**
   * Told of a login that did not: earlier failures with this name count no more, but an address that is refused remains so.
   * Those with other names do: who may log in could else guess what others' passwords are.
   *
   * @param ip The client's address, if it has one.
   * @param user The name that it gave.
   */
  succeeded(ip: IpAddress | undefined, user: string): void | Promise<void>;
}

/** How many characters tell a name from others. */
const MOST_OF_A_NAME = 64;

/**
 * Makes a guard. How much it remembers is bounded by the counters: in memory that is some 30,000 addresses, of which
 * those are forgotten first that were not heard of for the longest time.
 *
 * @param limit How many failures, and what follows.
 * @param counters Where it counts.
 * @param now The time, in milliseconds since the epoch.
 * @returns The guard.
 */
export function loginGuard(limit: LoginLimit, counters: Counters, now: () => number = Date.now): LoginGuard {
  const { attempts = 10, within = 600_000, refuseFor = 60_000, refuseAtMost = 86_400_000 } = limit;
  const key = (ip: IpAddress, what: string): string => counterKey("logins", sourceKey(ip), what);
  /** Kept apart and short: names must push no addresses out, nor fill the memory. */
  const keyOfUser = (ip: IpAddress, user: string): string =>
    counterKey("logins of users", sourceKey(ip), user.slice(0, MOST_OF_A_NAME));

  /** Takes failures back, as far as they count still. */
  const forgive = (ip: IpAddress, user: string, times: number): void | Promise<void> =>
    then(counters.delete(keyOfUser(ip, user)), () =>
      then(counters.get(key(ip, "failed")), (all) => {
        const forgiven = Math.min(times, all);
        return forgiven > 0 ? then(counters.add(key(ip, "failed"), -forgiven, now() + within), () => {}) : undefined;
      }));

  /** Refuses an address, for longer each time. The first to add to `refused` does it, if several processes would. */
  const refuse = (ip: IpAddress): number | Promise<number> =>
    then(counters.get(key(ip, "times")), (times) => {
      const lasts = Math.min(refuseFor * 2 ** times, refuseAtMost);
      return then(counters.add(key(ip, "refused"), 1, now() + lasts), (count) => {
        if (count !== 1) return 0;
        // Added anew, for it is to be forgotten that long after the latest time, not after the first.
        return then(counters.delete(key(ip, "times")), () =>
          then(counters.add(key(ip, "times"), times + 1, now() + lasts + refuseAtMost), () =>
            then(counters.delete(key(ip, "failed")), () =>
              lasts)));
      });
    });

  return {
    mayTry(ip) {
      if (ip === undefined) return undefined;
      const answer = (refused: number): string | undefined =>
        refused > 0 ? `too many failed logins from ${sourceKey(ip)}` : undefined;
      return attempt(() => then(counters.get(key(ip, "refused")), answer), (error) => {
        throw new AuthenticationError(error.message, { cause: error, isUnchecked: true });
      });
    },
    failed(ip, user) {
      if (ip === undefined) return 0;
      const rate = { count: attempts - 1, per: within };
      return attempt(
        () =>
          then(
            counters.add(keyOfUser(ip, user), 1, now() + within),
            () => then(counters.hit(key(ip, "failed"), rate), (isWithin) => isWithin ? 0 : refuse(ip)),
          ),
        () => 0,
      );
    },
    succeeded(ip, user) {
      if (ip === undefined) return;
      return attempt(
        () => then(counters.get(keyOfUser(ip, user)), (times) => times > 0 ? forgive(ip, user, times) : undefined),
        () => {},
      );
    },
  };
}

/** Goes on with a value, at once if it is there. */
function then<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Does without counts that cannot be reached: whoever keeps them has told so. */
function attempt<R>(ask: () => R | Promise<R>, instead: (error: NetError) => R): R | Promise<R> {
  const recover = (error: unknown): R => {
    if (error instanceof NetError) return instead(error);
    throw error;
  };
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(recover) : answer;
  } catch (error) {
    return recover(error);
  }
}

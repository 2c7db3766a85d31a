/**
 * Trials: what a proxy speaks, and to whom.
 *
 * @module
 */

import { Method } from "../protocol/constants.ts";
import { decodeMethodSelection, encodeGreeting } from "../protocol/socks5.ts";
import { decodeLoginStatus, encodeLogin } from "../protocol/username_password.ts";
import { Channel } from "../stream/channel.ts";
import type { CheckBench, Protocol } from "./check_bench.ts";
import { carries, sample } from "./check_carries.ts";
import { detailOf, NoGood } from "./check_finding.ts";
import type { Proxy } from "./proxy.ts";
import { ProxyError } from "./proxy_error.ts";

/** A trial: it says what it saw, or throws. */
export type Trial = (bench: CheckBench) => Promise<string>;

/** Whether a protocol leads to the target. */
export function speaks(protocol: Protocol): Trial {
  return async (bench) => {
    const { target, named, ours } = bench.place;
    const to = protocol === "socks4a" ? named ?? target : target;
    if (protocol === "socks4a" && to.type !== "name") throw new NoGood("skipped", NO_NAME);
    if (protocol === "socks4" && to.type === "ipv6") throw new NoGood("skipped", "the target has an IPv6 address");
    const end = await bench.dial(protocol, to);
    if (ours !== undefined) await carries(end, sample(), sample());
    bench.spoken.push(protocol);
    return "";
  };
}

const NO_NAME = "no name of the target is known: say one with --target";

/** Whether the proxy looks names up. */
export const resolves: Trial = async (bench) => {
  const { named, ours } = bench.place;
  const [protocol] = bench.spoken.filter((protocol) => protocol !== "socks4");
  if (protocol === undefined) throw new NoGood("skipped", "no protocol with names works");
  if (named === undefined) throw new NoGood("skipped", NO_NAME);
  const end = await bench.dial(protocol, named);
  if (ours !== undefined) await carries(end, sample(), sample());
  return named.host;
};

/** Whether it reaches an IPv6 address. */
export const reachesIpv6: Trial = async (bench) => {
  const { ours6 } = bench.place;
  const [protocol] = bench.spoken.filter((protocol) => protocol === "socks5" || protocol === "http");
  if (protocol === undefined) throw new NoGood("skipped", "no protocol with IPv6 works");
  if (ours6 === undefined) throw new NoGood("skipped", "no IPv6 address of this machine to lead to");
  await carries(await bench.dial(protocol, { type: "ipv6", host: ours6.ip, port: ours6.port }), sample(), sample());
  return "";
};

/** Whether nobody is served without a login. */
export const wantsLogin: Trial = async (bench) => {
  if (loginProtocol(bench) === "http") {
    if (await refuses(bench, { user: undefined, password: undefined })) return "";
    throw new NoGood("no", OPEN);
  }
  const channel = new Channel(await bench.raw());
  await channel.write(encodeGreeting([Method.NONE]));
  const chosen = await channel.read(decodeMethodSelection, 2);
  if (chosen === Method.NO_ACCEPTABLE) return "";
  if (chosen === Method.NONE) throw new NoGood("no", OPEN);
  throw new NoGood("no", `it chose method ${chosen}, which was not offered`);
};

const OPEN = "anybody who reaches it may use it";
const WRONG = "a wrong password";

/** What to log in by. Where nothing works it may be that the login is all that is wrong. */
function loginProtocol({ spoken, proxy }: CheckBench): "socks5" | "http" {
  if (spoken.length === 0) return proxy.scheme === "http" ? "http" : "socks5";
  if (spoken.includes("socks5")) return "socks5";
  if (spoken.includes("http")) return "http";
  throw new NoGood("skipped", "SOCKS4 has no logins");
}

/** Whether an HTTP proxy turns a login away. */
async function refuses(bench: CheckBench, login: Pick<Proxy, "user" | "password">): Promise<boolean> {
  try {
    await bench.dial("http", bench.place.target, { login });
    return false;
  } catch (error) {
    if (error instanceof ProxyError && error.status === 407) return true;
    throw error;
  }
}

/** Whether a wrong password is refused. Nothing but the login is offered: who needs none may let anybody in. */
export const refusesPassword: Trial = async (bench) => {
  const { user } = bench.proxy;
  if (user === undefined) throw new NoGood("skipped", "no login was given");
  if (loginProtocol(bench) === "http") {
    if (await refuses(bench, { user, password: WRONG })) return "";
    throw new NoGood("no", "any password will do");
  }
  const channel = new Channel(await bench.raw());
  await channel.write(encodeGreeting([Method.USERNAME_PASSWORD]));
  const chosen = await channel.read(decodeMethodSelection, 2);
  if (chosen === Method.NO_ACCEPTABLE) throw new NoGood("skipped", "it has no use for user and password");
  const encoder = new TextEncoder();
  const wrong = { username: encoder.encode(user), password: encoder.encode(WRONG) };
  await channel.write(encodeLogin(wrong));
  try {
    if (await channel.read(decodeLoginStatus, 2) !== 0) return "";
  } catch (error) {
    bench.signal.throwIfAborted();
    return detailOf(error); // no word, but no entrance either
  }
  throw new NoGood("no", "any password will do");
};

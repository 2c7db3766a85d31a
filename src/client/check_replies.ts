/**
 * Trials: what a proxy answers when it cannot.
 *
 * @module
 */

import { type Target, targetOf } from "../protocol/address.ts";
import { Command, Method, Reply } from "../protocol/constants.ts";
import { decodeMethodSelection, encodeGreeting, encodeRequest } from "../protocol/socks5.ts";
import { decodeLoginStatus, encodeLogin } from "../protocol/username_password.ts";
import { Channel } from "../stream/channel.ts";
import type { CheckBench } from "./check_bench.ts";
import { NoGood } from "./check_finding.ts";
import type { Trial } from "./check_protocols.ts";
import { ProxyError } from "./proxy_error.ts";

/** No name has a label of more than 63 bytes: resolvers say no by themselves, and nobody is asked. */
const UNKNOWN_NAME = `${"x".repeat(64)}.invalid`;

/** A broadcast address: no connection to it leaves a machine. */
const UNREACHABLE = "255.255.255.255";

/** Whether it says that a target refused. */
export const saysRefused: Trial = async (bench) => {
  const { ours, target } = bench.place;
  if (ours === undefined) throw new NoGood("skipped", "it takes the target that the check brings with it");
  const listener = await bench.runtime.listen({ address: { ip: ours.ip, port: 0 } });
  const { port } = listener.address as { port: number };
  listener.close();
  return await replyTo(bench, { ...target, port }, [Reply.CONNECTION_REFUSED]);
};

/** Whether it says that there is no such name. */
export const saysUnknownName: Trial = (bench) => {
  return replyTo(bench, targetOf(UNKNOWN_NAME, 80), [Reply.HOST_UNREACHABLE]);
};

/** Whether it says that an address cannot be reached, or may not be. */
export const saysUnreachable: Trial = (bench) => {
  const { NETWORK_UNREACHABLE, HOST_UNREACHABLE, NOT_ALLOWED } = Reply;
  return replyTo(bench, targetOf(UNREACHABLE, 80), [NETWORK_UNREACHABLE, HOST_UNREACHABLE, NOT_ALLOWED]);
};

async function replyTo(bench: CheckBench, to: Target, right: readonly number[]): Promise<string> {
  if (!bench.spoken.includes("socks5")) throw new NoGood("skipped", "SOCKS5 does not work");
  try {
    await bench.dial("socks5", to);
  } catch (error) {
    if (!(error instanceof ProxyError) || error.phase !== "reply") throw error;
    return judged(error.reply, right);
  }
  throw new NoGood("no", "it says that it is connected");
}

/** A general failure is true of everything. */
function judged(reply: number | undefined, right: readonly number[]): string {
  if (reply === undefined) throw new NoGood("no", "it closes the connection without a reply");
  if (right.includes(reply)) return `reply ${reply}`;
  throw new NoGood(reply === Reply.GENERAL_FAILURE ? "unclear" : "no", `reply ${reply} where ${right[0]} is right`);
}

/** A command of no RFC. */
const UNKNOWN_COMMAND = 0x70;
/** An address type of no RFC. */
const UNKNOWN_TYPE = 0x70;

/** Whether it says that it does not know a command. */
export const saysUnknownCommand: Trial = async (bench) => {
  const message = encodeRequest({ command: UNKNOWN_COMMAND, flag: 0, target: bench.place.target });
  return judged(await answerTo(bench, message), [Reply.COMMAND_NOT_SUPPORTED]);
};

/** Whether it says that it does not know a type of address. */
export const saysUnknownType: Trial = async (bench) => {
  const message = encodeRequest({ command: Command.CONNECT, flag: 0, target: targetOf("127.0.0.1", 80) });
  message[3] = UNKNOWN_TYPE;
  return judged(await answerTo(bench, message), [Reply.ADDRESS_TYPE_NOT_SUPPORTED]);
};

/** REP of the answer to a request that no client makes; `undefined` if there is none. */
async function answerTo(bench: CheckBench, message: Uint8Array): Promise<number | undefined> {
  if (!bench.spoken.includes("socks5")) throw new NoGood("skipped", "SOCKS5 does not work");
  const { user, password = "" } = bench.proxy;
  const channel = new Channel(await bench.raw());
  await channel.write(encodeGreeting(user === undefined ? [Method.NONE] : [Method.NONE, Method.USERNAME_PASSWORD]));
  const chosen = await channel.read(decodeMethodSelection, 2);
  if (chosen === Method.USERNAME_PASSWORD && user !== undefined) {
    const encoder = new TextEncoder();
    await channel.write(encodeLogin({ username: encoder.encode(user), password: encoder.encode(password) }));
    await channel.read(decodeLoginStatus, 2);
  } else if (chosen !== Method.NONE) {
    throw new NoGood("skipped", "it wants another login than user and password");
  }
  await channel.write(message);
  try {
    const { reply } = await channel.read<{ readonly reply: number }>((bytes) => {
      // Some say no more than the code.
      return bytes.length > 1 ? { value: { reply: bytes[1]! }, length: 2 } : undefined;
    }, 512);
    return reply;
  } catch {
    bench.signal.throwIfAborted();
    return undefined;
  }
}

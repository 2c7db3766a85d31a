/**
 * METHOD 01: GSSAPI (RFC 1961), on the client's side.
 *
 * @module
 */

import { LibraryContext } from "../auth/gssapi_context.ts";
import { gssapiDatagrams } from "../auth/gssapi_datagrams.ts";
import { GssapiDuplex, type GssapiProtection } from "../auth/gssapi_duplex.ts";
import { type GssapiLibrary, loadGssapi } from "../auth/gssapi_library.ts";
import { gssapiQueue } from "../auth/gssapi_queue.ts";
import type { GssapiStep } from "../auth/gssapi_step.ts";
import type { Encapsulation, MethodChannel } from "../auth/method.ts";
import { NetError } from "../net/errors.ts";
import {
  decodeGssapiFrame,
  encodeGssapiFrame,
  gssapiFrameFor,
  GssapiLevel,
  GssapiMessage,
  MAX_GSSAPI_FRAME,
} from "../protocol/gssapi.ts";
import type { Abortable } from "../runtime/runtime.ts";
import type { ClientMethodContext } from "./client_method.ts";
import type { Proxy } from "./proxy.ts";

/** How many tokens it may take. Kerberos needs one. */
const MOST_TOKENS = 8;
/** Mutual authentication, no replays, in order, confidentiality, integrity (RFC 2744). Nothing is delegated. */
const FLAGS = 2 | 4 | 8 | 16 | 32;

/**
 * Logs in with the credentials that the system has: those of `kinit`, as `KRB5CCNAME` says.
 *
 * @param channel The proxy.
 * @param context Which proxy that is, and whether it is to end.
 * @throws {NetError} `permission-denied` if the proxy will not have it, `not-supported` if it protects less than was asked
 * for; what the library says.
 */
export async function negotiateGssapi(
  channel: MethodChannel,
  { proxy, signal }: ClientMethodContext,
): Promise<Encapsulation> {
  const library = await loadGssapi();
  const context = await establish(channel, proxy, library, signal);
  try {
    const wanted = proxy.gssapi?.level === "integrity" ? GssapiLevel.INTEGRITY : GssapiLevel.CONFIDENTIALITY;
    await channel.write(context.wrap(Uint8Array.of(wanted), false, levelFrame));
    const [level, ...more] = context.unwrap(await tokenOf(channel, GssapiMessage.LEVEL)).data;
    if (more.length > 0 || level === undefined || level < wanted || level > GssapiLevel.CONFIDENTIALITY) {
      throw new NetError("not-supported", `the proxy wants level ${level}, expected ${wanted}`);
    }
    const confidential = level === GssapiLevel.CONFIDENTIALITY;
    const protection: GssapiProtection = { context, confidential, hasDatagrams: false };
    return { duplex: new GssapiDuplex(channel.stream(), protection), datagrams: gssapiDatagrams(protection) };
  } catch (error) {
    context.release();
    throw error;
  }
}

function levelFrame(length: number): Uint8Array {
  return gssapiFrameFor(GssapiMessage.LEVEL, length);
}

async function establish(
  channel: MethodChannel,
  { host, gssapi }: Proxy,
  library: GssapiLibrary,
  signal: Abortable | undefined,
): Promise<LibraryContext> {
  const { service = "rcmd" } = gssapi ?? {};
  const target = library.importName(/[@/]/.test(service) ? service : `${service}@${host}`);
  let context = 0n;
  const late = ({ context }: GssapiStep): void => {
    if (context !== 0n) library.deleteContext(context);
  };
  let isOver = false;
  let isBusy = false;
  const release = (): void => {
    if (isOver && !isBusy) library.releaseName(target);
  };
  try {
    let answer: Uint8Array | undefined;
    for (let count = 0; count < MOST_TOKENS; count++) {
      const before = context;
      context = 0n; // the library's, until it answers
      let isBegun = false;
      const step = await gssapiQueue.run(
        async () => {
          isBegun = isBusy = true;
          try {
            return await library.initiate(target, before, FLAGS, answer);
          } finally {
            isBusy = false;
            release();
          }
        },
        late,
        signal,
      ).catch((error) => {
        if (!isBegun) context = before;
        throw error;
      });
      context = step.context;
      if (step.token.length > 0) await channel.write(encodeGssapiFrame(GssapiMessage.TOKEN, step.token));
      // A server that has nothing to say sends an empty token.
      if (!step.complete || answer === undefined) answer = (await tokenOf(channel, GssapiMessage.TOKEN)).slice();
      if (!step.complete) continue;
      if ((step.flags & FLAGS) !== FLAGS) {
        throw new NetError("not-supported", "the context has not what it takes to protect what follows");
      }
      const made = new LibraryContext(library, context);
      context = 0n;
      return made;
    }
    throw new NetError("not-supported", `no end of GSSAPI's tokens within ${MOST_TOKENS}`);
  } catch (error) {
    if (context !== 0n) library.deleteContext(context);
    throw error;
  } finally {
    isOver = true;
    release();
  }
}

/** Reads a message that must be of a type. */
async function tokenOf(channel: MethodChannel, type: number): Promise<Uint8Array> {
  const frame = await channel.read(decodeGssapiFrame, MAX_GSSAPI_FRAME);
  if (frame.type === type) return frame.token;
  if (frame.type === GssapiMessage.ABORT) {
    throw new NetError("permission-denied", "the proxy refuses the login by GSSAPI");
  }
  throw new NetError("not-supported", `the proxy sends a message of type ${frame.type}, expected ${type}`);
}

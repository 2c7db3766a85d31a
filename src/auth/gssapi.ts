/**
 * METHOD 01: GSSAPI (RFC 1961), on the server's side.
 *
 * @module
 */

import { netErrorCode } from "../net/errors.ts";
import { Method } from "../protocol/constants.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import {
  decodeGssapiFrame,
  encodeGssapiAbort,
  encodeGssapiFrame,
  gssapiFrameFor,
  GssapiLevel,
  GssapiMessage,
  MAX_GSSAPI_FRAME,
} from "../protocol/gssapi.ts";
import type { Abortable } from "../runtime/runtime.ts";
import { LibraryContext } from "./gssapi_context.ts";
import { gssapiDatagrams } from "./gssapi_datagrams.ts";
import { GssapiDuplex, type GssapiProtection } from "./gssapi_duplex.ts";
import { agreedLevel, levelsOf } from "./gssapi_level.ts";
import { type GssapiLibrary, loadGssapi } from "./gssapi_library.ts";
import type { GssapiOptions } from "./gssapi_options.ts";
import { gssapiQueue } from "./gssapi_queue.ts";
import type { GssapiStep } from "./gssapi_step.ts";
import { gssapiUsers } from "./gssapi_users.ts";
import { AuthenticationError, type AuthMethod, type MethodChannel, type Negotiated } from "./method.ts";

/** How many tokens a client may need. Kerberos needs one. */
const MOST_TOKENS = 8;
/** Flags of a context (RFC 2744). */
const REPLAY = 4;
const SEQUENCE = 8;
const CONFIDENTIALITY = 16;
const INTEGRITY = 32;

/** What was read of keytabs. It is kept over reloads; a keytab that changes is read again by the library. */
const credentials = new Map<string, bigint>();

/**
 * Makes the method ready: loads what it needs and reads the keytab.
 *
 * @param options How it is configured.
 * @throws {RangeError} If an option makes no sense.
 * @throws {Error} If something is missing; the message says what.
 */
export async function gssapi(options: GssapiOptions): Promise<AuthMethod> {
  const levels = levelsOf(options);
  const userOf = gssapiUsers(options.users);
  const library = await loadGssapi();
  const key = `${options.keytab}\0${options.service ?? ""}`;
  let credential = credentials.get(key);
  try {
    if (credential === undefined) credentials.set(key, credential = library.acceptor(options.keytab, options.service));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot use the keytab "${options.keytab}" (auth.gssapi.keytab): ${reason}`, { cause: error });
  }

  return {
    code: Method.GSSAPI,
    name: "gssapi",
    async negotiate(channel, client): Promise<Negotiated> {
      const { context, flags, principal, token } = await establish(channel, client.signal, library, credential!);
      const user = userOf(principal);
      let level: number;
      try {
        if (user === undefined) throw new AuthenticationError(`Cannot log in as "${principal}": no such user`);
        const possible = levels.filter((level) => canProtect(flags, level));
        if (possible.length === 0) {
          throw new AuthenticationError(`Cannot protect what "${principal}" sends: its context has not what it takes`);
        }
        await channel.write(encodeGssapiFrame(GssapiMessage.TOKEN, token));
        level = await agree(channel, context, possible, options.nec === true);
      } catch (error) {
        context.release();
        await refuse(channel, error);
        throw error;
      }
      if (level === GssapiLevel.NONE) {
        context.release();
        return { user };
      }
      const confidential = level === GssapiLevel.CONFIDENTIALITY;
      const protection: GssapiProtection = { context, confidential, hasDatagrams: false };
      return {
        user,
        duplex: new GssapiDuplex(channel.stream(), protection),
        datagrams: gssapiDatagrams(protection),
      };
    },
    again: ({ principal }) => principal === undefined ? undefined : userOf(principal),
  };
}

/** Whether a context with these flags can do for a level. */
function canProtect(flags: number, level: number): boolean {
  if (level === GssapiLevel.NONE) return true;
  if ((flags & INTEGRITY) === 0 || (flags & (REPLAY | SEQUENCE)) === 0) return false;
  return level !== GssapiLevel.CONFIDENTIALITY || (flags & CONFIDENTIALITY) !== 0;
}

/** An established context and who is at its other end. */
interface Established {
  readonly context: LibraryContext;
  readonly flags: number;
  readonly principal: string;
  /** What is still to be sent. */
  readonly token: Uint8Array;
}

async function establish(
  channel: MethodChannel,
  signal: Abortable,
  library: GssapiLibrary,
  credential: bigint,
): Promise<Established> {
  let context = 0n;
  try {
    for (let count = 0; count < MOST_TOKENS; count++) {
      const { type, token } = await channel.read(decodeGssapiFrame, MAX_GSSAPI_FRAME);
      if (type !== GssapiMessage.TOKEN) throw refused(`found a message of type ${type}, expected a token`);
      const before = context;
      context = 0n; // the library's, until it answers
      const copy = token.slice(); // the wait outlives what was read
      let isBegun = false;
      const accept = (): Promise<GssapiStep> => {
        isBegun = true;
        return library.accept(credential, before, copy);
      };
      const late = ({ context }: GssapiStep): void => {
        if (context !== 0n) library.deleteContext(context);
      };
      const step = await gssapiQueue.run(accept, late, signal).catch((error) => {
        if (!isBegun) context = before;
        // What the library does not like is unknown; all else is what happens in the queue before it.
        const isUnchecked = netErrorCode(error) !== "unknown";
        throw refused(error instanceof Error ? error.message : String(error), error, isUnchecked);
      });
      context = step.context;
      if (step.complete) {
        const principal = step.name;
        if (principal === undefined) throw refused("the context names nobody");
        const made = new LibraryContext(library, context);
        context = 0n;
        return { context: made, flags: step.flags, principal, token: step.token };
      }
      await channel.write(encodeGssapiFrame(GssapiMessage.TOKEN, step.token));
    }
    throw refused(`no end within ${MOST_TOKENS} tokens`);
  } catch (error) {
    if (context !== 0n) library.deleteContext(context);
    await refuse(channel, error);
    throw error;
  }
}

/** Reads the level that the client wants, and tells it which one it is to be. */
async function agree(
  channel: MethodChannel,
  context: LibraryContext,
  levels: readonly number[],
  nec: boolean,
): Promise<number> {
  const { type, token } = await channel.read(decodeGssapiFrame, MAX_GSSAPI_FRAME);
  if (type !== GssapiMessage.LEVEL) throw refused(`found a message of type ${type}, expected the level`);
  const isBare = nec && token.length === 1;
  const data = isBare ? token : levelIn(context, token);
  if (data.length !== 1 || data[0]! > GssapiLevel.SELECTIVE) throw refused("found no level, expected one");
  const level = agreedLevel(data[0]!, levels);
  const answer = Uint8Array.of(level);
  const frame = (length: number): Uint8Array => gssapiFrameFor(GssapiMessage.LEVEL, length);
  await channel.write(isBare ? encodeGssapiFrame(GssapiMessage.LEVEL, answer) : context.wrap(answer, false, frame));
  return level;
}

function levelIn(context: LibraryContext, token: Uint8Array): Uint8Array {
  try {
    return context.unwrap(token).data;
  } catch (error) {
    throw refused(`the level cannot be read: ${(error as Error).message}`, error);
  }
}

/** Tells the client, if it is there to be told. */
async function refuse(channel: MethodChannel, error: unknown): Promise<void> {
  const isTold = error instanceof AuthenticationError || error instanceof ProtocolError;
  if (isTold) await Promise.resolve(channel.write(encodeGssapiAbort())).catch(() => {});
}

function refused(reason: string, cause?: unknown, isUnchecked?: boolean): AuthenticationError {
  return new AuthenticationError(`Cannot log in by GSSAPI: ${reason}`, { cause, isUnchecked });
}

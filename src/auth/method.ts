/**
 * Authentication methods of SOCKS5 behind one interface.
 *
 * @module
 */

import type { Decoder } from "../protocol/decoded.ts";
import type { Duplex } from "../runtime/runtime.ts";
import type { ClientInfo, User } from "./client_info.ts";

/** Messages to and from the other end, whatever the chunks they arrive in. */
export interface MethodChannel {
  /**
   * Reads one message.
   *
   * @param decode Its decoder: `undefined` asks for more bytes.
   * @param limit The most bytes it can have.
   * @throws {NetError} `closed` if the other end leaves in the middle; what the decoder throws.
   */
  read<T>(decode: Decoder<T>, limit: number): Promise<T>;
  /** Writes all of a message; `undefined` says that it is done. */
  write(message: Uint8Array): Promise<void> | undefined;
  /** The bytes from here on, for a method that puts others around them. No message is read after that. */
  stream(): Duplex;
}

/** What a method does to the datagrams of an association. */
export interface DatagramCodec {
  /** Makes of a datagram what is sent. */
  wrap(datagram: Uint8Array): Uint8Array;
  /** Makes a datagram of what came; `undefined` drops it. */
  unwrap(bytes: Uint8Array): Uint8Array | undefined;
}

/** What a method puts around all that follows: the request, the replies, what is relayed, and datagrams. */
export interface Encapsulation {
  /**
   * The bytes within, in place of the stream, which it closes with itself.
   *
   * @default The stream as it is, which a runtime can relay at no cost.
   */
  readonly duplex?: Duplex | undefined;
  /**
   * What becomes of datagrams.
   *
   * @default They go as they are.
   */
  readonly datagrams?: DatagramCodec | undefined;
}

/** What a method came to. */
export interface Negotiated extends Encapsulation {
  /** The user; only with an {@linkcode AuthMethod.anonymous} method may it be nobody. */
  readonly user?: User | undefined;
}

/**
 * A METHOD of RFC 1928 section 3, on the server's side. One of your own has a code of 80 to FE.
 *
 * @example A method that hides bytes from a glance, at both ends
 * ```ts
 * import { type AuthMethod, type ClientMethod, connect, type Duplex, memory, serve } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const hide = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x55);
 * const hidden = (stream: Duplex): Duplex => ({
 *   read: async () => (await stream.read())?.map((byte) => byte ^ 0x55) ?? null,
 *   write: (bytes) => stream.write(hide(bytes)),
 *   closeWrite: () => stream.closeWrite(),
 *   close: (reason) => stream.close(reason),
 * });
 * const code = 0x80;
 * const ours: AuthMethod = {
 *   code,
 *   name: "hidden",
 *   anonymous: true,
 *   negotiate: (channel) => Promise.resolve({ duplex: hidden(channel.stream()) }),
 * };
 * const theirs: ClientMethod = { ...ours, negotiate: (channel) => Promise.resolve({ duplex: hidden(channel.stream()) }) };
 *
 * const runtime = memory();
 * await using server = await serve({ methods: [ours], rules: { request: () => undefined }, runtime });
 * const echo = await runtime.listen({ address: { ip: "127.0.0.1", port: 7 } });
 * const echoing = echo[Symbol.asyncIterator]().next().then(({ value }) => value!.readable.pipeTo(value!.writable));
 *
 * const connection = await connect("127.0.0.1:7", { proxy: "socks5://127.0.0.1", methods: [theirs], runtime });
 * await connection.write(new TextEncoder().encode("hello"));
 * connection.closeWrite();
 * assertEquals(await new Response(connection.readable).text(), "hello");
 * await echoing;
 * echo.close();
 * ```
 */
export interface AuthMethod {
  /** Its number, 00 to FE. */
  readonly code: number;
  /** What logs and messages call it. */
  readonly name: string;
  /**
   * Whether its clients may be nobody. A server that offers such a one is open to whoever knows how to speak it.
   *
   * @default {false}
   */
  readonly anonymous?: boolean | undefined;
  /**
   * Runs the subnegotiation, after the method has been chosen.
   *
   * @param channel The client.
   * @param client Who it is.
   * @throws {AuthenticationError} If the client has not proven to be anyone; it has been told.
   */
  negotiate(channel: MethodChannel, client: ClientInfo): Promise<Negotiated>;
  /**
   * Asks again about a user that a method of this name let in, when the options of the server have changed.
   *
   * @returns The user as it is now, or `undefined` if it would not be let in any more.
   * @default Whoever was let in stays.
   */
  again?(user: User): User | undefined;
}

/** A client that could not prove who it is. */
export class AuthenticationError extends Error {
  /** Always `AuthenticationError`. */
  override readonly name = "AuthenticationError";
  /** Whether the check itself failed: the client may well be who it says it is, and is not one that guesses. */
  readonly isUnchecked: boolean;

  /**
   * Makes an error.
   *
   * @param message Why, for the log.
   * @param options What is behind it.
   */
  constructor(message: string, { cause, isUnchecked = false }: AuthenticationErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.isUnchecked = isUnchecked;
  }
}

/** What is behind an {@linkcode AuthenticationError}. */
export interface AuthenticationErrorOptions {
  /** The error that led to it. */
  readonly cause?: unknown;
  /**
   * Whether the check itself failed.
   *
   * @default {false}
   */
  readonly isUnchecked?: boolean | undefined;
}

/**
 * Makes the error for a login that a check did not say yes to.
 *
 * @param who Who tried: `as "ada"`.
 * @param wrong Why, if the check just said no.
 * @param cause What the check threw, if it did. Of what is no {@linkcode AuthenticationError} nothing is told: secrets may
 * be in it.
 */
export function refusedLogin(who: string, wrong: string, cause: unknown): AuthenticationError {
  const isRefusal = cause instanceof AuthenticationError;
  const reason = cause === undefined ? wrong : isRefusal ? cause.message : "the check failed";
  const isUnchecked = cause !== undefined && (!isRefusal || cause.isUnchecked);
  return new AuthenticationError(`Cannot log in ${who}: ${reason}`, { cause, isUnchecked });
}

/**
 * Chooses a method.
 *
 * @param accepted What the server accepts, in its order of preference.
 * @param offered What the client offers.
 * @returns The first accepted one that is offered.
 */
export function chooseMethod(accepted: readonly AuthMethod[], offered: readonly number[]): AuthMethod | undefined {
  return accepted.find(({ code }) => offered.includes(code));
}

/**
 * METHOD 03: CHAP with HMAC-MD5 (draft-ietf-aft-socks-chap-01).
 *
 * @module
 */

import {
  CHAP_RESPONSE_LENGTH,
  ChapAlgorithm,
  ChapAttribute,
  type ChapValue,
  decodeChap,
  encodeChap,
  encodeChapStatus,
  isChapSuccess,
  MAX_CHAP,
} from "../protocol/chap.ts";
import { Method } from "../protocol/constants.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import type { Authenticate, ChapCredentials } from "./authenticate.ts";
import { type ClientInfo, isUser, type User } from "./client_info.ts";
import { hmacMd5 } from "./hmac_md5.ts";
import { AuthenticationError, type AuthMethod, type MethodChannel, refusedLogin } from "./method.ts";
import { sameBytes } from "./password_cache.ts";

/** The length of our challenges: longer than what they are answered with. */
const CHALLENGE_LENGTH = 32;

/** The most messages that a client may take to say who it is: two, or three where it says one thing after the other. */
const MOST_MESSAGES = 8;

const FAILURE = 0xff;

/**
 * METHOD 03, with the check of the credentials passed in. Each challenge is new, and answered once.
 *
 * Who listens learns no secret, but can try guesses at home: secrets that can be guessed need TLS around all this. Whoever
 * sits in between is not noticed, either.
 *
 * @param authenticate The check. It is asked with credentials of the method `chap` alone.
 */
export function chap(authenticate: Authenticate): AuthMethod {
  return {
    code: Method.CHAP,
    name: "chap",
    async negotiate(channel, client) {
      try {
        return { user: await converse(channel, client, authenticate) };
      } catch (error) {
        if (error instanceof AuthenticationError || error instanceof ProtocolError) await tellNo(channel);
        throw error;
      }
    },
  };
}

/** A client that has left without waiting for its answer has been refused all the same. */
async function tellNo(channel: MethodChannel): Promise<void> {
  try {
    await channel.write(encodeChapStatus(FAILURE));
  } catch {
    // See above.
  }
}

async function converse(channel: MethodChannel, client: ClientInfo, authenticate: Authenticate): Promise<User> {
  const said = new Said();
  let challenge: Uint8Array | undefined;
  for (let messages = 0; said.response === undefined; messages++) {
    if (messages === MOST_MESSAGES) throw refused(said, "it does not come to an answer");
    said.hear(await channel.read(decodeChap, MAX_CHAP), challenge !== undefined);
    if (said.algorithms === undefined || challenge !== undefined) continue;
    if (!said.algorithms.includes(ChapAlgorithm.HMAC_MD5)) throw refused(said, "it does not offer HMAC-MD5");
    challenge = crypto.getRandomValues(new Uint8Array(CHALLENGE_LENGTH));
    await channel.write(encodeChap([
      { type: ChapAttribute.ALGORITHMS, value: Uint8Array.of(ChapAlgorithm.HMAC_MD5) },
      { type: ChapAttribute.CHALLENGE, value: challenge },
    ]));
  }
  const proof = new Proof(challenge!, said.response, said.challenge);
  const user = await userOf(said, proof, client, authenticate);
  if (said.challenge === undefined) {
    await channel.write(encodeChapStatus(0));
    return user;
  }
  await channel.write(encodeChapStatus(0, { type: ChapAttribute.RESPONSE, value: proof.answer! }));
  said.isContent = false; // of what it has not seen
  said.hear(await channel.read(decodeChap, MAX_CHAP), true);
  if (!said.isContent) throw refused(said, "it does not say whether it trusts this server");
  return user;
}

async function userOf(said: Said, proof: Proof, client: ClientInfo, authenticate: Authenticate): Promise<User> {
  if (said.identity === undefined) throw refused(said, "it does not say who it is");
  const credentials: ChapCredentials = {
    method: "chap",
    username: said.username,
    bytes: { username: said.identity },
    matches: (secret) => proof.matches(secret),
  };
  let cause: unknown;
  try {
    const answer = await authenticate(credentials, client);
    if (isUser(answer) && proof.holds) return answer;
  } catch (error) {
    cause = error;
  }
  throw refusedLogin(`as ${JSON.stringify(said.username)}`, "unknown user or wrong secret", cause);
}

/** An answer to our challenge, and ours to the client's, if there is one. */
class Proof {
  /** Whether the client knows the secret that was asked for last. */
  holds = false;
  /** What proves to the client that this server knows it, too. */
  answer: Uint8Array | undefined;
  readonly #challenge: Uint8Array;
  readonly #response: Uint8Array;
  readonly #returned: Uint8Array | undefined;

  constructor(challenge: Uint8Array, response: Uint8Array, returned: Uint8Array | undefined) {
    this.#challenge = challenge;
    this.#response = response;
    this.#returned = returned;
  }

  /** See {@linkcode ChapCredentials.matches}. */
  async matches(secret: string | Uint8Array): Promise<boolean> {
    const key = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
    const expected = await hmacMd5(key, this.#challenge);
    const answer = this.#returned && await hmacMd5(key, this.#returned);
    this.holds = this.#response.length === CHAP_RESPONSE_LENGTH && sameBytes(expected, this.#response);
    this.answer = this.holds ? answer : undefined; // nobody else is told
    return this.holds;
  }
}

/** What a client has said so far, in whatever order it said it. */
class Said {
  algorithms: Uint8Array | undefined;
  identity: Uint8Array | undefined;
  challenge: Uint8Array | undefined;
  response: Uint8Array | undefined;
  /** Whether it has said that it trusts this server. */
  isContent = false;

  /** The name, for the log and the check. */
  get username(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.identity);
  }

  /**
   * Takes a message in. What is said twice is a mistake: one could be checked and the other used.
   *
   * @param attributes The message.
   * @param isChallenged Whether there is something to respond to.
   */
  hear(attributes: readonly ChapValue[], isChallenged: boolean): void {
    for (const { type, value } of attributes) {
      switch (type) {
        case ChapAttribute.ALGORITHMS:
          if (isChallenged) throw refused(this, "it offers algorithms when one has been chosen");
          this.algorithms = this.#once(this.algorithms, value, "its algorithms");
          break;
        case ChapAttribute.USER_IDENTITY:
          this.identity = this.#once(this.identity, value, "who it is");
          break;
        case ChapAttribute.CHALLENGE:
          this.challenge = this.#once(this.challenge, value, "a challenge");
          break;
        case ChapAttribute.RESPONSE:
          if (!isChallenged) throw refused(this, "it responds to nothing");
          this.response = this.#once(this.response, value, "a response");
          break;
        case ChapAttribute.STATUS:
          if (!isChapSuccess(value)) throw refused(this, "it gave up");
          this.isContent = true;
          break;
        default: // texts for people, and what the draft does not know
      }
    }
  }

  #once(former: Uint8Array | undefined, value: Uint8Array, what: string): Uint8Array {
    if (former !== undefined) throw refused(this, `it says ${what} twice`);
    return value;
  }
}

function refused(said: Said, reason: string): AuthenticationError {
  const who = said.identity === undefined ? "by CHAP" : `as ${JSON.stringify(said.username)}`;
  return new AuthenticationError(`Cannot log in ${who}: ${reason}`);
}

/**
 * CHAP with HMAC-MD5 as a client (METHOD 03, draft-ietf-aft-socks-chap-01).
 *
 * @module
 */

import { hmacMd5 } from "../auth/hmac_md5.ts";
import type { MethodChannel } from "../auth/method.ts";
import { sameBytes } from "../auth/password_cache.ts";
import { NetError } from "../net/errors.ts";
import {
  ChapAlgorithm,
  ChapAttribute,
  decodeChap,
  encodeChap,
  encodeChapStatus,
  isChapSuccess,
  MAX_CHAP,
} from "../protocol/chap.ts";
import { Method } from "../protocol/constants.ts";
import type { ClientMethod } from "./client_method.ts";

/** The most messages that a proxy may take to come to an end. */
const MOST_MESSAGES = 8;

const FAILURE = 0xff;

/**
 * The end of each challenge of ours. One that ends so is not answered: a proxy that does not know the secret could
 * otherwise hand our own challenge back, in another talk, and have us answer it.
 */
const OURS = new TextEncoder().encode("asked by clients");

/** METHOD 03: proves to know the proxy's password, and has the proxy prove it if that is asked for. */
export const chapMethod: ClientMethod = {
  code: Method.CHAP,
  name: "chap",
  async negotiate(channel, { proxy: { user = "", password = "", chap } }) {
    const encoder = new TextEncoder();
    await channel.write(encodeChap([
      { type: ChapAttribute.ALGORITHMS, value: Uint8Array.of(ChapAlgorithm.HMAC_MD5) },
      { type: ChapAttribute.USER_IDENTITY, value: encoder.encode(user) },
    ]));
    const key = encoder.encode(password);
    const challenge = await challengeFrom(channel);
    const response = { type: ChapAttribute.RESPONSE, value: await hmacMd5(key, challenge) };
    if (chap !== "mutual") {
      await channel.write(encodeChap([response]));
      await verdictFrom(channel);
      return {};
    }
    const own = newChallenge();
    await channel.write(encodeChap([response, { type: ChapAttribute.CHALLENGE, value: own }]));
    const proof = await verdictFrom(channel);
    if (proof !== undefined && sameBytes(await hmacMd5(key, own), proof)) {
      await channel.write(encodeChapStatus(0));
      return {};
    }
    await channel.write(encodeChapStatus(FAILURE));
    throw new NetError("permission-denied", "it does not prove that it knows the password");
  },
};

function newChallenge(): Uint8Array {
  const challenge = new Uint8Array(16 + OURS.length);
  crypto.getRandomValues(challenge.subarray(0, 16));
  challenge.set(OURS, 16);
  return challenge;
}

/** Waits for a challenge. The algorithm is the one that was offered, said or not: there is no other. */
async function challengeFrom(channel: MethodChannel): Promise<Uint8Array> {
  for (let messages = 0; messages < MOST_MESSAGES; messages++) {
    let challenge: Uint8Array | undefined;
    for (const { type, value } of await channel.read(decodeChap, MAX_CHAP)) {
      if (type === ChapAttribute.STATUS) checkStatus(value);
      else if (type === ChapAttribute.CHALLENGE) challenge = value;
      else if (type === ChapAttribute.ALGORITHMS && !(value.length === 1 && value[0] === ChapAlgorithm.HMAC_MD5)) {
        throw new NetError("not-supported", "it chose an algorithm that was not offered");
      }
    }
    if (challenge === undefined) continue;
    if (challenge.length === 0) throw new NetError("not-supported", "its challenge is empty");
    if (!sameBytes(challenge.subarray(-OURS.length), OURS)) return challenge;
    throw new NetError("permission-denied", "its challenge is one that a client made");
  }
  throw new NetError("not-supported", "it does not come to a challenge");
}

/** Waits for a yes, and gives the answer to our challenge, if there is one. */
async function verdictFrom(channel: MethodChannel): Promise<Uint8Array | undefined> {
  let proof: Uint8Array | undefined;
  for (let messages = 0; messages < MOST_MESSAGES; messages++) {
    let isYes = false;
    for (const { type, value } of await channel.read(decodeChap, MAX_CHAP)) {
      if (type === ChapAttribute.RESPONSE) proof = value;
      else if (type === ChapAttribute.STATUS) {
        checkStatus(value);
        isYes = true;
      }
    }
    if (isYes) return proof;
  }
  throw new NetError("not-supported", "it does not come to an answer");
}

function checkStatus(value: Uint8Array): void {
  if (!isChapSuccess(value)) throw new NetError("permission-denied", "wrong user or password");
}

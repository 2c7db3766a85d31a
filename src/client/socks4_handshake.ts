/**
 * The client's side of SOCKS4 and 4a.
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import { Command, Socks4Reply } from "../protocol/constants.ts";
import { decodeSocks4Reply, encodeSocks4Request } from "../protocol/socks4.ts";
import type { Dialogue, ProxyRequest } from "./dialogue.ts";

/**
 * Asks and reads the reply.
 *
 * @param dialogue The talk, at its beginning.
 * @param request What to ask for: not UDP, and no IPv6 address.
 * @param optimistic Whether the payload goes with it.
 * @returns DSTIP and DSTPORT of the reply.
 */
export async function socks4Handshake(dialogue: Dialogue, request: ProxyRequest, optimistic: boolean): Promise<Target> {
  dialogue.phase = "request";
  const { command, target, payload } = request;
  if (command === Command.UDP_ASSOCIATE) throw dialogue.fault("not-supported", "SOCKS4 has no UDP");
  if (command === Command.RESOLVE_PTR) throw dialogue.fault("not-supported", "SOCKS4 does not have RESOLVE_PTR");
  if (target.type === "ipv6") throw dialogue.fault("not-supported", `SOCKS4 cannot say "${target.host}": it is IPv6`);
  const isSocks4a = target.type === "name";
  const userId = new TextEncoder().encode(dialogue.proxy.user ?? "");
  const message = encodeSocks4Request({ command, target, userId, isSocks4a });
  if (optimistic && payload !== undefined) await dialogue.write(message, payload);
  else await dialogue.write(message);
  return await readSocks4Reply(dialogue);
}

/** Reads a reply that must be a yes. */
export async function readSocks4Reply(dialogue: Dialogue): Promise<Target> {
  if (dialogue.phase !== "peer") dialogue.phase = "reply";
  const { reply, bound } = await dialogue.read(decodeSocks4Reply, 8);
  if (reply !== Socks4Reply.GRANTED) throw dialogue.refusal(reply);
  return bound;
}

/**
 * What sessions go through.
 *
 * @module
 */

/** What a session is doing. Each phase has its own deadline. */
export type Phase =
  | "handshake"
  | "authentication"
  | "lookup"
  | "connect"
  | "bind"
  | "idle"
  | "halfClosed"
  | "closing";

/** What is said of a session that is out of time. */
export const OUT_OF_TIME: Record<Phase, string> = {
  handshake: "No complete handshake",
  authentication: "No complete authentication",
  lookup: "No answer to the lookup",
  connect: "No connection",
  bind: "No peer connected",
  idle: "Idle, no byte in either direction",
  halfClosed: "Half-closed, no byte in the other direction",
  closing: "The refused client did not leave",
};

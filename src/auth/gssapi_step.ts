/**
 * What the library answers while a context is made.
 *
 * @module
 */

/** What a step towards a context came to. */
export interface GssapiStep {
  /** The context, which goes on until it is deleted; 0 if there is none. */
  readonly context: bigint;
  /** What to send to the other end; it may be empty. */
  readonly token: Uint8Array;
  /** Whether the context is established. */
  readonly complete: boolean;
  /** The services of the context: flags of RFC 2744. */
  readonly flags: number;
  /** Who is at the other end, once it is known. */
  readonly name: string | undefined;
}

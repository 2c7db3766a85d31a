/**
 * Where a server can be told to listen.
 *
 * @module
 */

import type { UnixAddress } from "../net/address.ts";
import type { HostPort } from "../net/endpoint.ts";
import type { InheritedSocket } from "../runtime/runtime.ts";

/** A place to listen. Its name is what rules and limits call it. */
export type ListenAddress =
  | string
  | (
    & (HostPort | UnixAddress | InheritedSocket | {
      /** As text: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`. */
      readonly address: string;
    })
    & { readonly name?: string | undefined }
  );

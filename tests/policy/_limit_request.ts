/** Requests for tests of limits. */

import type { RequestInfo } from "../../src/policy/rules.ts";

/** What a test says of a client. */
export interface Who {
  readonly ip?: string;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly listener?: string;
}

/** A request of a client. */
export function requestOf({ ip, user, groups, listener }: Who = {}): RequestInfo {
  const request: Partial<RequestInfo> = {
    client: ip === undefined ? undefined : { ip, port: 1024 },
    user: user === undefined ? undefined : { name: user, groups },
    listener: undefined,
    listenerName: listener,
    isLocal: false,
    command: "connect",
  };
  return request as RequestInfo;
}

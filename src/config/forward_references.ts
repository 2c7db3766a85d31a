/**
 * What settings say of forwards.
 *
 * @module
 */

import { parseIp } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { exposureProblem } from "../policy/exposure.ts";
import type { Config } from "./config.ts";
import type { Finding } from "./finding.ts";
import { describeFound } from "./found.ts";

/**
 * Looks for forwards that other machines could use though nobody said so, and for those in the place of a listener.
 *
 * @param config The settings.
 */
export function checkForwards({ forwards = [], listen = [], open }: Config): readonly Finding[] {
  return forwards.flatMap((forward, index): Finding[] => {
    const { address } = forward.listen;
    const wrong = (message: string): Finding[] => [{
      path: ["forwards", index, "listen"],
      message: `found ${describeFound(address)}, ${message}`,
      isWarning: false,
    }];
    if (open !== true && forward.open !== true && isForOthers(address)) {
      return wrong(
        'where other machines could use it and nobody can log in, expected "open": true beside it, --open for all, or loopback',
      );
    }
    const isTaken = forward.protocol !== "udp" && !address.endsWith(":0") &&
      listen.some((other) => other.address === address);
    return isTaken ? wrong("where the server itself listens, expected another port") : [];
  });
}

/** Names are left to the server, which resolves them. */
function isForOthers(address: string): boolean {
  const endpoint = parseEndpoint(address);
  if ("path" in endpoint) return false;
  const ip = parseIp(endpoint.host);
  return ip !== undefined && exposureProblem([{ ip, port: endpoint.port }], false) !== undefined;
}

/**
 * The rules for forwards.
 *
 * @module
 */

import { z } from "zod";
import { parseEndpoint } from "../net/endpoint.ts";
import type { ForwardEntry } from "./config.ts";
import { describeFound } from "./found.ts";
import { endpoint } from "./listen_schema.ts";
import { duration, expected, flag, oneOf, text } from "./schema_parts.ts";
import { hostPort, wayName } from "./upstream_schema.ts";

const forward = z.strictObject({
  listen: endpoint.describe("Where to listen: HOST:PORT, [IPv6]:PORT or unix:PATH."),
  to: hostPort.describe("Where it leads: HOST:PORT."),
  protocol: oneOf(["tcp", "udp"]).describe("What it carries. Default: tcp.").optional(),
  name: text.describe("What rules, limits and the log call it.").optional(),
  via: wayName.describe("The way out that it takes unless a rule says another.").optional(),
  open: flag.describe("Whether it serves other machines though nobody can log in to it.").optional(),
  idle: duration.describe("The time that a session may go without a byte. Default for UDP: 5m, to port 53: 30s.")
    .optional(),
}, { error: expected('an object such as { "listen": "127.0.0.1:8080", "to": "intranet.example:80" }') })
  .superRefine(({ listen, protocol }, context) => {
    if (protocol !== "udp" || !("path" in parseEndpoint(listen))) return;
    const message = `found ${describeFound(listen)} beside "protocol": "udp", expected HOST:PORT or [IPv6]:PORT`;
    context.addIssue({ code: "custom", path: ["listen"], message });
  }).transform(({ listen, name, ...forward }): ForwardEntry => ({
    listen: { address: listen, ...name !== undefined && { name } },
    ...forward,
  }));

/** Forwards. */
export const forwards: z.ZodType<readonly ForwardEntry[]> = z.array(forward, {
  error: expected('a list such as [{ "listen": "127.0.0.1:8080", "to": "intranet.example:80" }]'),
}).superRefine((list, context) => {
  const places = list.map((entry: Partial<ForwardEntry> | undefined): unknown =>
    entry?.listen?.address === undefined ? undefined : `${entry.protocol ?? "tcp"} ${entry.listen.address}`
  );
  places.forEach((place, index) => {
    if (typeof place !== "string" || places.indexOf(place) === index || place.endsWith(":0")) return;
    const message = `found ${describeFound(list[index]!.listen.address)} a second time, expected each address once`;
    context.addIssue({ code: "custom", path: [index, "listen"], message });
  });
}, { when: ({ value }) => Array.isArray(value) });

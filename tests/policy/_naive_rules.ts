import ipaddr from "ipaddr.js";
import { type Destination, destinationOfRequest } from "../../src/policy/question.ts";
import type { Rule } from "../../src/policy/rule.ts";
import type { AddressInfo, RequestInfo } from "../../src/policy/rules.ts";

type Match = "yes" | "no" | "maybe";
type Otherwise = "safe" | "allow" | "deny";

const SETS: Record<string, readonly string[]> = {
  "loopback": ["127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"],
  "private": [
    ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"],
    "64:ff9b:1::/48",
  ],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  "metadata": ["169.254.169.254/32", "fd00:ec2::254/128"],
  "multicast": ["224.0.0.0/4", "ff00::/8"],
  "any": ["0.0.0.0/0", "::/0"],
};

/** Whether an address is in a block, a set, or is the address that is listed. */
export function isIn(ip: string, item: string): boolean {
  const blocks = SETS[item] ?? [item.includes("/") ? item : `${item}/${item.includes(":") ? 128 : 32}`];
  const address = ipaddr.parse(ip);
  return blocks.some((block) => {
    const [network, bits] = ipaddr.parseCIDR(block);
    return network.kind() === address.kind() && address.match([network, bits] as never);
  });
}

function isAddress(item: string): boolean {
  return item in SETS || !item.startsWith("/") && /[:/]|\.\d+$/.test(item);
}

/** Whether a name is what an item says, by way of a regular expression. */
function isNamed(name: string, item: string): boolean {
  const plain = name.toLowerCase().replace(/\.$/, "");
  if (item.startsWith("/")) return new RegExp(item.slice(1, -1), "i").test(plain);
  const escape = (text: string) => text.replaceAll(/[.\-]/g, "\\$&");
  if (item.startsWith(".")) return new RegExp(`(^|\\.)${escape(item.slice(1))}$`).test(plain);
  return new RegExp(`^${item.split("*").map(escape).join(".*")}$`, "s").test(plain);
}

function inPorts(port: number, item: number | string): boolean {
  const [from, to = from] = String(item).split("-").map(Number) as [number, number?];
  return port >= from && port <= to;
}

/** One condition after the other, as the documentation of `Rule` says. */
function matches(rule: Rule, request: RequestInfo, { name, mayHaveName, ip, dialled, port }: Destination): Match {
  const { from, users, groups, commands, listeners, to, ports } = rule;
  const client = request.client?.ip;
  const no: boolean[] = [
    from !== undefined &&
    !from.some((item) =>
      client !== undefined ? isIn(client, item) : item === "any" || item === "loopback" && request.isLocal
    ),
    users !== undefined && !users.some((user) => request.user !== undefined && ["*", request.user.name].includes(user)),
    groups !== undefined && !groups.some((group) => request.user?.groups?.includes(group)),
    commands !== undefined && !(commands as readonly string[]).includes(request.command),
    listeners !== undefined && !listeners.some((listener) => listener === request.listenerName),
    ports !== undefined && port !== undefined && !ports.some((item) => inPorts(port, item)),
  ];
  if (no.includes(true)) return "no";
  let depends = ports !== undefined && port === undefined && !ports.includes("0-65535");
  if (to !== undefined) {
    const addresses = to.filter(isAddress);
    const names = to.filter((item) => !isAddress(item));
    const isAll = ["::/0", "0.0.0.0/0"].every((all) => addresses.includes(all));
    const isYes = isAll || addresses.includes("any") || name !== undefined && names.some((item) =>
          isNamed(name, item)
        ) ||
      ip !== undefined && addresses.some((item) => isIn(ip, item) || isIn(dialled ?? ip, item));
    const isMaybe = ip === undefined && addresses.length > 0 ||
      name === undefined && mayHaveName === true && names.length > 0;
    if (!isYes && !isMaybe) return "no";
    depends ||= !isYes;
  }
  return depends ? "maybe" : "yes";
}

/** Whether an allow overrides the safe defaults. */
function isFull({ to, allowPrivate }: Rule, { ip }: Destination): boolean {
  if (allowPrivate === true) return true;
  const narrow = (item: string) => isAddress(item) && item !== "any" && !item.endsWith("/0");
  return ip !== undefined && to?.some((item) => narrow(item) && isIn(ip, item)) === true;
}

/** What rules decide when they are read one by one: `allow always rule 3`, `deny rule 1`, or nothing. */
export function naive(
  rules: readonly Rule[],
  otherwise: Otherwise,
  request: RequestInfo,
  destination: Destination,
): string | undefined {
  const open = new Set<string>();
  for (const [at, rule] of rules.entries()) {
    const match = matches(rule, request, destination);
    if (match === "maybe") open.add(rule.action);
    if (match !== "yes") continue;
    const sure = [...open].every((action) => action === "deny" && rule.action === "deny");
    if (!sure) return undefined;
    return rule.action === "deny"
      ? `deny rule ${at + 1}`
      : `allow ${isFull(rule, destination) ? "always" : "safely"} rule ${at + 1}`;
  }
  if (otherwise === "safe" || open.has("allow") || open.has("deny") && otherwise === "allow") return undefined;
  return otherwise === "deny" ? "deny otherwise" : "allow always otherwise";
}

/** The destination that `Rules.address` is asked about. */
export function known({ name, ip, port, address }: AddressInfo): Destination {
  return { name, ip, port, dialled: address.ip };
}

export { destinationOfRequest };

/**
 * What a network namespace is filled with, run inside it: a web server on each of some ports, of all addresses, and name
 * servers. Its argument is JSON, a {@linkcode Site}. Says "ready" when all listen.
 *
 * A page says who asked for what: `GET / at 203.0.113.80:443 from 203.0.113.20`. `/hold` has no end.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import process from "node:process";

/** What there is. */
export interface Site {
  /** The ports of the web servers. */
  readonly ports: readonly number[];
  /** The addresses of the name servers. */
  readonly nameServers: readonly string[];
  /** The IPv4 address of each name that they know. */
  readonly names: Readonly<Record<string, string>>;
}

const A = 1;

async function serveHttp(port: number): Promise<void> {
  const server = createServer((request, response) => {
    const { localAddress, localPort, remoteAddress } = request.socket;
    const [at, from] = [localAddress, remoteAddress].map((address) => address?.replace(/^::ffff:/, ""));
    response.write(`${request.method} ${request.url} at ${at}:${localPort} from ${from}\n`);
    if (request.url !== "/hold") response.end();
  });
  await new Promise<void>((resolve) => server.listen(port, "::", resolve));
}

async function serveNames(address: string, names: Site["names"]): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const labels: string[] = [];
    let at = 12;
    while (query[at]) {
      labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + query[at]!)));
      at += 1 + query[at]!;
    }
    const type = query[at + 1]! << 8 | query[at + 2]!;
    const question = query.subarray(12, at + 5);
    const found = names[labels.join(".").toLowerCase()];
    const data = found !== undefined && type === A ? found.split(".").map(Number) : undefined;
    const record = data === undefined ? [] : [0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4, ...data];
    const head = [query[0]!, query[1]!, 0x84 | query[2]! & 1, 0x80 | (found === undefined ? 3 : 0)];
    const counts = [0, 1, 0, data === undefined ? 0 : 1, 0, 0, 0, 0];
    socket.send(new Uint8Array([...head, ...counts, ...question, ...record]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(53, address, resolve));
}

if (process.argv[2] !== undefined) {
  const site: Site = JSON.parse(process.argv[2]);
  await Promise.all([
    ...site.ports.map(serveHttp),
    ...site.nameServers.map((address) => serveNames(address, site.names)),
  ]);
  console.log("ready");
  process.stdin.on("end", () => process.exit());
  process.stdin.resume();
}

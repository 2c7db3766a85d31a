/**
 * A name server for a network namespace: run inside it, listens on 127.0.0.1:53, and on the TCP port of its argument, which
 * nobody from elsewhere may reach. Says "ready" when both listen, then each name it is asked for.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import process from "node:process";

const A = 1, AAAA = 28;

/** Answers by name and type; a list of lists is given out in turn. */
const RECORDS: Record<string, { a?: string[] | string[][]; aaaa?: string[] }> = {
  "public.test": { a: ["8.8.8.2"] },
  "loopback.test": { a: ["127.0.0.1"] },
  "private.test": { a: ["10.0.0.1"] },
  "mixed.test": { a: ["127.0.0.1", "8.8.8.2", "10.0.0.1"] },
  "rebinding.test": { a: [["8.8.8.2"], ["127.0.0.1"]] },
  "mapped.test": { aaaa: ["00000000000000000000ffff7f000001"] },
  "nat64.test": { aaaa: ["0064ff9b00000000000000007f000001"] },
  "6to4.test": { aaaa: ["20027f00000100000000000000000001"] },
  "loopback6.test": { aaaa: ["00000000000000000000000000000001"] },
  "zero.test": { a: ["0.0.0.0"] },
  "empty.test": {},
};

const turns = new Map<string, number>();

function answers(name: string, type: number): Uint8Array[] | undefined {
  const records = RECORDS[name.toLowerCase()];
  if (records === undefined) return undefined;
  if (type === AAAA) return (records.aaaa ?? []).map((address) => Uint8Array.from(address.match(/../g)!, fromHex));
  if (type !== A) return [];
  let list = records.a ?? [];
  if (Array.isArray(list[0])) {
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    list = list[turn % list.length] as string[];
  }
  return (list as string[]).map((address) => Uint8Array.from(address.split("."), Number));
}

function fromHex(text: string): number {
  return parseInt(text, 16);
}

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
  const found = answers(labels.join("."), type);
  console.log(labels.join("."));
  const head = [query[0]!, query[1]!, 0x84 | query[2]! & 1, 0x80 | (found === undefined ? 3 : 0)];
  const records = (found ?? []).flatMap((data) => [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data]);
  const counts = [0, 1, 0, found?.length ?? 0, 0, 0, 0, 0];
  socket.send(new Uint8Array([...head, ...counts, ...question, ...records]), from.port, from.address);
});
const forbidden = createServer((connection) => connection.on("error", () => {}).destroy());
socket.bind(53, "127.0.0.1", () => forbidden.listen(Number(process.argv[2]), "::", () => console.log("ready")));
process.stdin.on("end", () => process.exit());
process.stdin.resume();

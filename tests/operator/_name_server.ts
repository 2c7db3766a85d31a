/**
 * A name server whose answers the test decides, question by question.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";

/** Types of records. */
export const A = 1, AAAA = 28;

/** The IPv4 or IPv6 addresses of a name, as often as it is asked for; `undefined` if there is no such name. */
export type Answer = (name: string, type: number) => readonly string[] | undefined | Promise<readonly string[]>;

/** Serves until it is disposed. */
export class NameServer implements Disposable {
  readonly #socket: Socket;
  /** What was asked for: `name A`, in order. */
  readonly questions: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(answer: Answer): Promise<NameServer> {
    const socket = createSocket("udp4");
    const server = new NameServer(socket);
    socket.on("message", async (query, from) => {
      const { name, type, end } = question(query);
      server.questions.push(`${name} ${type === A ? "A" : type === AAAA ? "AAAA" : type}`);
      const found = await answer(name, type);
      const data = (found ?? []).map(addressBytes).filter(({ length }) => length === (type === A ? 4 : 16));
      const records = data.flatMap((bytes) => [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]);
      const head = [query[0]!, query[1]!, 0x84 | query[2]! & 1, found === undefined ? 0x83 : 0x80];
      const counts = [0, 1, 0, data.length, 0, 0, 0, 0];
      const reply = new Uint8Array([...head, ...counts, ...query.subarray(12, end), ...records]);
      socket.send(reply, from.port, from.address, () => {});
    });
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return server;
  }

  /** Its address, as settings name it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function question(query: Uint8Array): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  while (query[at]) {
    labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + query[at]!)));
    at += 1 + query[at]!;
  }
  return { name: labels.join(".").toLowerCase(), type: query[at + 1]! << 8 | query[at + 2]!, end: at + 5 };
}

/** The bytes of an IPv4 address, or of `::1` and other IPv6 addresses with one `::` at most. */
function addressBytes(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  const [head = [], tail = []] = address.split("::").map((part) => part === "" ? [] : part.split(":"));
  const groups = [...head, ...new Array(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
}

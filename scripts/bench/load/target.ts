/**
 * What tunnels lead to, a process of its own: prints its ports as one line of JSON and ends with its standard input.
 *
 * @module
 */
import { closeQuietly, readFull, writeAll } from "./bytes.ts";
import { MESSAGE_SIZE, QUIT, type TargetPorts } from "./job.ts";

const CHUNK = new Uint8Array(256 * 1024);

async function source(conn: Deno.Conn): Promise<void> {
  for (;;) await conn.write(CHUNK);
}

async function echo(conn: Deno.Conn): Promise<void> {
  // Small: thousands of idle tunnels end here.
  const buffer = new Uint8Array(4 * MESSAGE_SIZE);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null || buffer[0] === QUIT) return;
    await writeAll(conn, buffer.subarray(0, count));
  }
}

async function once(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(MESSAGE_SIZE);
  await readFull(conn, buffer, MESSAGE_SIZE);
  await writeAll(conn, buffer);
}

/** Serves on a free port, which is returned. A connection that fails concerns nobody else. */
function listen(serve: (conn: Deno.Conn) => Promise<void>): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = async () => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      serve(conn).catch(() => {}).finally(() => closeQuietly(conn));
    }
  };
  accept();
  return listener.addr.port;
}

function listenUdp(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const buffer = new Uint8Array(2048);
  const serve = async () => {
    for (;;) {
      const [packet, from] = await socket.receive(buffer);
      await socket.send(packet, from);
    }
  };
  serve();
  return (socket.addr as Deno.NetAddr).port;
}

if (import.meta.main) {
  const ports: TargetPorts = { source: listen(source), echo: listen(echo), once: listen(once), udp: listenUdp() };
  console.log(JSON.stringify(ports));
  for await (const _input of Deno.stdin.readable);
  Deno.exit(0);
}

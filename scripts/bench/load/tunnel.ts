import { closeQuietly, readFull, writeAll } from "./bytes.ts";
import type { Job } from "./job.ts";

const GREETING = Uint8Array.of(5, 1, 0);
const CONNECT = 1;
const ASSOCIATE = 3;

/** Connects to a port of the target: through the job's SOCKS5 server, or without one. */
export async function openTunnel({ proxy }: Job, port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxy ?? port });
  try {
    conn.setNoDelay(true);
    if (proxy !== undefined) await handshake(conn, CONNECT, port);
    return conn;
  } catch (error) {
    closeQuietly(conn);
    throw error;
  }
}

/** Opens a UDP association, which lasts as long as the connection; returns the port of the server's relay. */
export async function openAssociation(proxy: number): Promise<{ conn: Deno.TcpConn; relay: number }> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxy });
  return { conn, relay: await handshake(conn, ASSOCIATE, 0) };
}

/** Asks for a command on 127.0.0.1; returns the port in the reply. */
async function handshake(conn: Deno.Conn, command: number, port: number): Promise<number> {
  const buffer = new Uint8Array(10);
  await writeAll(conn, GREETING);
  await readFull(conn, buffer, 2);
  if (buffer[0] !== 5 || buffer[1] !== 0) throw new Error(`Cannot log in: method ${buffer[1]}`);
  const host = command === ASSOCIATE ? [0, 0, 0, 0] : [127, 0, 0, 1];
  await writeAll(conn, Uint8Array.of(5, command, 0, 1, ...host, port >> 8, port & 0xff));
  await readFull(conn, buffer, 10);
  if (buffer[1] !== 0 || buffer[3] !== 1) throw new Error(`Cannot open a tunnel: reply ${buffer[1]}`);
  return buffer[8]! << 8 | buffer[9]!;
}

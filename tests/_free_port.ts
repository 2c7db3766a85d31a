/**
 * Ports for programs that must be told where to listen, and ports on which nobody shall listen.
 *
 * @module
 */
import { createServer } from "node:net";

/** Below those that systems give to whoever asks for any: no connection and no listener comes there by chance. */
const FIRST = 10_000, COUNT = 20_000;

/** Where a process of tests holds the ports that it took, so that others of the same machine take other ones. */
const HOLDER = "127.100.100.100";

/** Listens, and leaves the process free to end. */
function listen(host: string, port: number): Promise<{ close(): Promise<void> } | string> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => {
      server.unref();
      resolve({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    });
  });
}

/**
 * A port that is free on an address of loopback, and stays so: until this process ends, no other test is given the port,
 * on whatever address.
 */
export async function freePort(host: string = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const held = await listen(HOLDER, port);
    // Where there is but one address of loopback, a port that is free has to do.
    if (typeof held === "string" && held !== "EADDRNOTAVAIL") continue;
    const found = await listen(host, port);
    if (typeof found !== "string") {
      await found.close();
      return port;
    }
    if (typeof held !== "string") await held.close();
    if (found !== "EADDRINUSE") throw new Error(`Cannot find a free port on "${host}": ${found}`);
  }
  throw new Error(`Cannot find a free port on "${host}"`);
}

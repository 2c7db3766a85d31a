/** Below the ports which the system gives to outgoing connections: those would take a port between look and use. */
const FIRST = 20_000;
const COUNT = 10_000;
const TRIES = 1000;

let next = Math.floor(Math.random() * COUNT);

/** A port of 127.0.0.1 where nobody listens, another one each time. */
export function freePort(): number {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + next++ % COUNT;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`Cannot find a free port: tried ${TRIES} from ${FIRST} on`);
}

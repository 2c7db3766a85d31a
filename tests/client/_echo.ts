import type { Listener, Runtime } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import type { Resources } from "./_servers.ts";

/** A target on loopback that sends everything back. Its port. */
export async function echo(resources: Resources, runtime: Runtime): Promise<number> {
  const listener = await runtime.listen({ address: { ip: "127.0.0.1", port: 0 } });
  resources.defer(() => listener.close());
  sendBack(listener);
  return (listener.address as { port: number }).port;
}

async function sendBack(listener: Listener): Promise<void> {
  for await (const connection of listener) {
    const end = duplexOf(connection);
    const pump = async () => {
      for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) await end.write(chunk.slice());
      end.closeWrite();
    };
    pump().catch(() => end.close());
  }
}

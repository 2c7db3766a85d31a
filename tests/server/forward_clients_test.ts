import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { type ForwardClient, ForwardClients } from "../../src/server/forward_clients.ts";

function client(ip: string, port: number): ForwardClient {
  return { ip, port, isFresh: true, nextClient: undefined, position: -1 };
}

test("clients come, leave and are found by their address, as with a map", () => {
  const address = fc.record({ ip: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1"), port: fc.nat(600) });
  const step = fc.record({ leaves: fc.boolean(), address });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000, size: "max" }), (steps) => {
      const clients = new ForwardClients<ForwardClient>();
      const model = new Map<string, ForwardClient>();
      for (const { leaves, address: { ip, port } } of steps) {
        const key = `${ip} ${port}`;
        const found = model.get(key);
        if (clients.get(ip, port) !== found) return false;
        if (leaves && found !== undefined) {
          clients.delete(found);
          clients.delete(found);
          model.delete(key);
        } else if (!leaves && found === undefined) {
          const fresh = client(ip, port);
          clients.add(fresh);
          model.set(key, fresh);
        }
        if (clients.size !== model.size) return false;
      }
      for (const one of model.values()) if (clients.get(one.ip, one.port) !== one) return false;
      return true;
    }),
    { numRuns: 30 },
  );
});

test("who was silent since its last turn makes room; where nobody was, the first in turn", () => {
  const clients = new ForwardClients<ForwardClient>();
  assertEquals(clients.quietest(), undefined);
  const [a, b, c] = [1, 2, 3].map((port) => client("192.0.2.1", port));
  for (const one of [a!, b!, c!]) clients.add(one);
  assertEquals(clients.quietest(), a);
  c!.isFresh = true;
  assertEquals(clients.quietest(), b);
  a!.isFresh = true;
  assertEquals(clients.quietest(), b); // c and a had been heard
});

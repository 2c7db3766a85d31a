import { assertEquals } from "@std/assert";
import { Target, Udp } from "../conformance/_client.ts";
import { asked, ASSOCIATE, socks5Address, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { Operated, type Who } from "./_operated.ts";

const POOL = ["127.0.0.31", "127.0.0.32", "127.0.0.33"];
const USERS = ["ada", "bob", "eve", "joe", "mia", "sue"].map((name) => ({ name, password: `${name}'s` }));

/** Where a target sees a client come from. */
async function seenFrom(operated: Operated, target: Target, who: Who = {}): Promise<string> {
  using _wire = await tunnel(operated.place, target.host, target.port, who);
  using seen = await target.accept();
  return seen.remoteAddress;
}

suite("addresses to leave from", ({ bare }) => {
  bare("one after the other", async (of) => {
    using target = await Target.listen();
    await using operated = await Operated.start(of, { outgoing: { addresses: POOL } });
    const seen = [];
    for (let i = 0; i < 7; i++) seen.push(await seenFrom(operated, target));
    assertEquals(seen, [...POOL, ...POOL, POOL[0]]);
  });

  bare("any of them", async (of) => {
    using target = await Target.listen();
    await using operated = await Operated.start(of, { outgoing: { addresses: POOL, choose: "random" } });
    const seen = new Set<string>();
    // That one of three is not among so many has a chance of 1 in 10^10.
    for (let i = 0; i < 60; i++) seen.add(await seenFrom(operated, target));
    assertEquals([...seen].sort(), POOL);
  });

  bare("always the same for a user, and over a reload and a restart", async (of) => {
    using target = await Target.listen();
    const settings = { users: USERS, outgoing: { addresses: POOL, choose: "user" } };
    const all = async (operated: Operated) => {
      const seen = [];
      for (const { name, password } of USERS) {
        const from = await seenFrom(operated, target, { user: [name, password] });
        assertEquals(await seenFrom(operated, target, { user: [name, password], from: "127.0.0.9" }), from);
        seen.push(from);
      }
      return seen;
    };
    let before: string[];
    {
      await using operated = await Operated.start(of, settings);
      before = await all(operated);
      assertEquals(before.every((address) => POOL.includes(address)), true);
      await operated.reload({ ...settings, idleTimeout: "1h" });
      assertEquals(await all(operated), before);
    }
    await using operated = await Operated.start(of, settings);
    assertEquals(await all(operated), before);
  });

  bare("always the same for a client's address where nobody logs in", async (of) => {
    using target = await Target.listen();
    await using operated = await Operated.start(of, { outgoing: { addresses: POOL, choose: "user" } });
    for (const from of ["127.0.0.7", "127.0.0.8", "127.0.0.9"]) {
      const seen = [];
      for (let i = 0; i < 4; i++) seen.push(await seenFrom(operated, target, { from }));
      assertEquals(new Set(seen).size, 1);
    }
  });

  bare("of the target's own version of IP, or none at all: REP 03", async (of) => {
    using four = await Target.listen();
    using six = await Target.listen({ host: "::1" });
    await using operated = await Operated.start(of, { outgoing: { addresses: ["127.0.0.31"] } });
    assertEquals(await seenFrom(operated, four), "127.0.0.31");
    assertEquals((await operated.ask("::1", six.port)).rep, 3);
    await operated.reload({ outgoing: { addresses: ["127.0.0.31", "::1"] } });
    assertEquals(await seenFrom(operated, six), "::1");
    assertEquals(await seenFrom(operated, four), "127.0.0.31");
  });

  bare("an address that is not this machine's fails, and says so", async (of) => {
    using target = await Target.listen();
    await using operated = await Operated.start(of, { outgoing: { addresses: ["192.0.2.77"] } });
    const { rep, refusal, reason } = await operated.ask(target.host, target.port);
    assertEquals([rep === 0, refusal], [false, "network"]);
    assertEquals(reason?.includes("192.0.2.77"), true, reason);
  });

  bare("datagrams leave from them, too", async (of) => {
    using target = await Udp.bind();
    await using operated = await Operated.start(of, { outgoing: { addresses: POOL } });
    for (const from of POOL) {
      const { wire, reply } = await asked(operated.place, ASSOCIATE, "0.0.0.0", 0);
      using _control = wire;
      using client = await Udp.bind();
      await client.send(reply, new Uint8Array([0, 0, 0, ...socks5Address(target.host, target.port), 7]));
      assertEquals((await target.receive()).host, from);
    }
  });
});

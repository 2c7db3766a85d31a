import { assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../_free_port.ts";
import { eventually, Target, Udp } from "../conformance/_client.ts";
import { asked, ASSOCIATE, name5, socks5Address } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { A, AAAA, NameServer } from "./_name_server.ts";
import { Operated } from "./_operated.ts";

/** What a client sends to its relay: a header with an address or a name, and a payload. */
function datagram(host: string, port: number, text: string): Uint8Array {
  const address = /^[\d.]+$/.test(host) ? socks5Address(host, port) : name5(host, port);
  return new Uint8Array([0, 0, 0, ...address, ...new TextEncoder().encode(text)]);
}

suite("names and their addresses", ({ bare }) => {
  bare("a name that changes its mind leads to the address that was checked, or nowhere", async (of) => {
    const reached: string[] = [];
    using echo = await Target.listen({
      host: "0.0.0.0",
      handle: async (wire) => {
        reached.push(wire.localAddress.replace("::ffff:", ""));
        await wire.readToEnd();
        wire.finish();
      },
    });
    let turn = 0;
    // Allowed for one question, denied for the next, and so on; a second look would find the other.
    using names = await NameServer.listen((_, type) => type === A ? [`127.0.0.${11 + turn++ % 2}`] : []);
    await using operated = await Operated.start(of, {
      resolver: { servers: [names.address], timeout: "60s", cache: false },
      rules: [{ name: "only", action: "allow", to: ["127.0.0.11"] }],
      otherwise: "deny",
    });
    for (let i = 0; i < 10; i++) {
      const { rep, address, rule, reason } = await operated.ask("rebinding.test", echo.port);
      if (i % 2 === 0) {
        assertEquals([rep, address, rule], [0, "127.0.0.11", "only"]);
      } else {
        assertEquals([rep, rule], [2, "otherwise"]);
        assertMatch(reason!, /rebinding\.test: 127\.0\.0\.12: /);
      }
    }
    assertEquals(reached, new Array(5).fill("127.0.0.11"));
    assertEquals(names.questions.filter((question) => question === "rebinding.test A").length, 10);
  });

  bare("each destination of a datagram is asked for, by address and by name", async (of) => {
    using open = await Udp.echo("127.0.0.11");
    using closed = await Udp.bind("127.0.0.12");
    using names = await NameServer.listen((name, type) =>
      type === A ? [name.startsWith("open") ? "127.0.0.11" : "127.0.0.12"] : []
    );
    await using operated = await Operated.start(of, {
      resolver: {
        servers: [names.address],
        timeout: "60s",
        hosts: { "known.test": "127.0.0.12", "shown.test": "127.0.0.11" },
      },
      rules: [
        { action: "deny", to: ["127.0.0.12", "open-but-not-by-name.test"] },
        { action: "deny", commands: ["udp-associate"], ports: [9] },
      ],
    });
    const { wire, reply } = await asked(operated.place, ASSOCIATE, "0.0.0.0", 0);
    using _control = wire;
    using client = await Udp.bind();
    const answer = async () => new TextDecoder().decode((await client.receive()).data.subarray(10));
    for (const host of ["127.0.0.12", "closed.test", "known.test", "open-but-not-by-name.test"]) {
      const port = host.startsWith("open") ? open.port : closed.port;
      for (const text of ["no", "no again"]) await client.send(reply, datagram(host, port, `${text} ${host}`));
      // Others are not kept from theirs.
      for (const allowed of ["127.0.0.11", "open.test", "shown.test"]) {
        await client.send(reply, datagram(allowed, open.port, `yes ${allowed}`));
        assertEquals(await answer(), `yes ${allowed}`);
      }
    }
    assertEquals([closed.waiting, client.waiting], [0, 0]);
    await eventually("its lookup", () => names.questions.includes("closed.test A"));
    // Whoever the client has not written to needs leave as well.
    const { port } = { port: (await open.receive()).port };
    await closed.send({ host: "127.0.0.11", port }, new Uint8Array([1]));
    await client.send(reply, datagram("127.0.0.11", open.port, "last"));
    assertEquals(await answer(), "last");
    assertEquals(client.waiting, 0);
  });

  bare("hosts: names of the operator's come before any other, hide names, and have their order", async (of) => {
    using echo = await Target.echo({ host: "0.0.0.0" });
    using names = await NameServer.listen((_, type) => type === A ? ["127.0.0.99"] : []);
    await using operated = await Operated.start(of, {
      resolver: {
        servers: [names.address],
        timeout: "60s",
        hosts: {
          "nas.home": "127.0.0.20",
          "*.home": "127.0.0.21",
          "hidden.test": [],
          "two.test": ["127.0.0.22", "127.0.0.23"],
        },
      },
    });
    const outcome = async (name: string) => {
      const { rep, address } = await operated.ask(name, echo.port);
      return [rep, address];
    };
    assertEquals(await outcome("nas.home"), [0, "127.0.0.20"]);
    assertEquals(await outcome("NAS.Home."), [0, "127.0.0.20"]);
    assertEquals(await outcome("other.home"), [0, "127.0.0.21"]);
    assertEquals(await outcome("deep.other.home"), [0, "127.0.0.21"]);
    assertEquals(await outcome("two.test"), [0, "127.0.0.22"]);
    assertEquals(await outcome("hidden.test"), [4, undefined]);
    assertEquals(names.questions, []);
    assertEquals(await outcome("elsewhere.test"), [0, "127.0.0.99"]);
  });

  bare("an answer is remembered for as long as it may be, and not at all without a cache", async (of) => {
    using echo = await Target.echo({ host: "0.0.0.0" });
    using names = await NameServer.listen((name, type) =>
      name === "gone.test" ? undefined : type === A ? ["127.0.0.11"] : []
    );
    for (const cache of [{ maxTtl: "1h" }, false]) {
      names.questions.length = 0;
      await using operated = await Operated.start(of, {
        resolver: { servers: [names.address], timeout: "60s", cache },
      });
      for (let i = 0; i < 3; i++) {
        assertEquals((await operated.ask("kept.test", echo.port)).rep, 0);
        assertEquals((await operated.ask("gone.test", echo.port)).rep, 4);
      }
      for (const name of ["kept.test", "gone.test"]) {
        const count = names.questions.filter((question) => question === `${name} A`).length;
        assertEquals(count, cache === false ? 3 : 1, `questions for ${name}`);
      }
    }
  });

  bare("prefer: which version of IP comes first, and which is used at all", async (of) => {
    // A port that is free for both.
    const port = await freePort();
    using four = await Target.echo({ port });
    using _six = await Target.echo({ host: "::1", port });
    using names = await NameServer.listen((_, type) => type === A ? ["127.0.0.1"] : type === AAAA ? ["::1"] : []);
    const resolver = {
      servers: [names.address],
      timeout: "60s",
      hosts: { "only4.test": "127.0.0.1", "only6.test": "::1" },
    };
    const expected = {
      "ipv4": ["127.0.0.1", "127.0.0.1", "::1"],
      "ipv6": ["::1", "127.0.0.1", "::1"],
      "ipv4-only": ["127.0.0.1", "127.0.0.1", 3],
      "ipv6-only": ["::1", 3, "::1"],
    };
    await using operated = await Operated.start(of, { resolver });
    for (const [prefer, addresses] of Object.entries(expected)) {
      await operated.reload({ resolver, outgoing: { prefer } });
      const found = [];
      for (const name of ["both.test", "only4.test", "only6.test"]) {
        const { rep, address } = await operated.ask(name, four.port);
        found.push(rep === 0 ? address : rep);
      }
      assertEquals(found, addresses, prefer);
      const byAddress = await operated.ask("::1", four.port);
      assertEquals(byAddress.rep, prefer === "ipv4-only" ? 3 : 0);
    }
  });
});

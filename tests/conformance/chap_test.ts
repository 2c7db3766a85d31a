import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/client/connect.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { resolve, resolvePtr } from "../../src/client/resolve.ts";
import { bytes, hex, Target, type To, Wire } from "./_client.ts";
import { runToExit, startServer } from "./_server.ts";
import { assertEnds, CONNECT, readReply, request5 } from "./_socks.ts";
import { type BareCase, suite } from "./_suite.ts";

const SECRET = "love lace";
const OFFER = bytes(0x11, 1, 0x85);
const ADA = bytes(2, 3, "ada");

/** Settings in a file. */
function settings({ folder }: Pick<BareCase, "folder">, more: object = {}): string[] {
  const path = join(folder, `${crypto.randomUUID()}.json`);
  const users = [{ name: "ada", chapSecret: SECRET, groups: ["staff"] }, { name: "alan", password: "turing" }];
  writeFileSync(path, JSON.stringify({ users, logins: false, ...more }), { mode: 0o600 });
  return ["--config", path];
}

function hmac(challenge: Uint8Array, secret = SECRET): Uint8Array {
  return new Uint8Array(createHmac("md5", secret).update(challenge).digest());
}

function message(...attributes: readonly Uint8Array[]): Uint8Array {
  return bytes(1, attributes.length, ...attributes);
}

function response(value: Uint8Array): Uint8Array {
  return bytes(4, value.length, value);
}

/** Offers CHAP alone, and gives the challenge. */
async function challenged(
  to: To,
  ...attributes: readonly Uint8Array[]
): Promise<{ wire: Wire; challenge: Uint8Array }> {
  const wire = await Wire.connect(to);
  await wire.send(5, 1, 3, message(...attributes));
  assertEquals(hex(await wire.read(2)), "05 03");
  assertEquals(hex(await wire.read(7)), "01 02 11 01 85 03 20");
  return { wire, challenge: await wire.read(32) };
}

async function assertRefused(wire: Wire): Promise<void> {
  assertEquals(hex(await wire.read(4)), "01 01 00 01");
  assert((await wire.read(1))[0] !== 0, "a refusal has a status that is not zero");
  await assertEnds(wire);
}

suite("CHAP", ({ bare }) => {
  bare("lets in who knows the secret, whatever the segments, with what follows in one of them", async (of) => {
    await using server = await startServer(of.runtime, settings(of));
    using target = await Target.echo();
    const request = request5(CONNECT, "127.0.0.1", target.port);
    for (const how of ["whole", "byte by byte"]) {
      const { wire, challenge } = await challenged(server, OFFER, ADA);
      using _wire = wire;
      const rest = bytes(message(response(hmac(challenge))), request, "early");
      if (how === "whole") await wire.write(rest);
      else await wire.sendEach(Array.from(rest, (byte) => Uint8Array.of(byte)));
      assertEquals(hex(await wire.read(5)), "01 01 00 01 00");
      assertEquals((await readReply(wire)).code, 0);
      assertEquals(new TextDecoder().decode(await wire.read(5)), "early");
    }
    await server.waitForOutput(/ ada connect 127\.0\.0\.1/);
  });

  bare("proves to a client that it knows the secret, and to no other", async (of) => {
    await using server = await startServer(of.runtime, settings(of));
    using target = await Target.echo();
    const own = crypto.getRandomValues(new Uint8Array(40));
    {
      const { wire, challenge } = await challenged(server, OFFER, ADA);
      using _wire = wire;
      await wire.write(message(response(hmac(challenge)), bytes(3, own.length, own)));
      assertEquals(hex(await wire.read(7)), "01 02 00 01 00 04 10");
      assertEquals(hex(await wire.read(16)), hex(hmac(own)));
      await wire.send(1, 1, 0, 1, 0, request5(CONNECT, "127.0.0.1", target.port));
      assertEquals((await readReply(wire)).code, 0);
    }
    const { wire, challenge } = await challenged(server, OFFER, ADA);
    using _wire = wire;
    await wire.write(message(response(hmac(challenge, "babbage")), bytes(3, own.length, own)));
    await assertRefused(wire);
  });

  bare("refuses wrong secrets, users without one, and answers to another challenge", async (of) => {
    await using server = await startServer(of.runtime, settings(of));
    const first = await challenged(server, OFFER, ADA);
    using _first = first.wire;
    const old = response(hmac(first.challenge));
    const answers: ((challenge: Uint8Array) => readonly Uint8Array[])[] = [
      () => [old],
      (challenge) => [response(hmac(challenge, "babbage"))],
      (challenge) => [response(hmac(challenge).subarray(0, 15))],
      (challenge) => [response(bytes(hmac(challenge), 0))],
      () => [response(new Uint8Array(0))],
    ];
    for (const answer of answers) {
      const { wire, challenge } = await challenged(server, OFFER, ADA);
      using _wire = wire;
      await wire.write(message(...answer(challenge)));
      await assertRefused(wire);
    }
    for (const [name, secret] of [["alan", "turing"], ["eve", SECRET], ["", ""]]) {
      const { wire, challenge } = await challenged(server, OFFER, bytes(2, name!.length, name!));
      using _wire = wire;
      await wire.write(message(response(hmac(challenge, secret!))));
      await assertRefused(wire);
    }
    assert(!server.output().includes(SECRET), "no secret is logged");
  });

  bare("refuses other algorithms, what is out of turn, too many attributes and another version", async (of) => {
    await using server = await startServer(of.runtime, settings(of));
    const wrong = [
      message(bytes(0x11, 1, 5), ADA),
      message(bytes(0x11, 0), ADA),
      message(OFFER, ADA, response(new Uint8Array(16))),
      message(ADA, ADA),
      bytes(1, 17),
      bytes(1, 255, new Array(255 * 4).fill(0)),
      bytes(5, 1),
    ];
    for (const sent of wrong) {
      using wire = await Wire.connect(server);
      await wire.send(5, 1, 3);
      assertEquals(hex(await wire.read(2)), "05 03");
      await wire.write(sent);
      await assertRefused(wire);
    }
  });

  bare("goes on after clients that leave in the middle", async (of) => {
    await using server = await startServer(of.runtime, settings(of));
    for (const sent of [bytes(1), bytes(1, 2, 0x11), message(OFFER), message(OFFER, ADA)]) {
      using wire = await Wire.connect(server);
      await wire.send(5, 1, 3, sent);
      assertEquals(hex(await wire.read(2)), "05 03");
    }
    const { wire } = await challenged(server, OFFER, ADA);
    wire.close();
  });

  bare("is spoken by our client, both ways", async (of) => {
    await using server = await startServer(of.runtime, settings(of));
    using target = await Target.echo();
    const to = `127.0.0.1:${target.port}`;
    const login = `ada:${encodeURIComponent(SECRET)}`;
    for (const scheme of ["socks5+chap", "socks5h+chap+mutual"]) {
      const connection = await connect(to, { proxy: `${scheme}://${login}@127.0.0.1:${server.port}` });
      await connection.write(new TextEncoder().encode("hello"));
      connection.closeWrite();
      assertEquals(await new Response(connection.readable).text(), "hello");
      const wrong = connect(to, { proxy: `${scheme}://ada:babbage@127.0.0.1:${server.port}` });
      await assertRejects(() => wrong, ProxyError, "wrong user or password");
    }
    const proxy = `socks5h+chap+mutual://${login}@127.0.0.1:${server.port}`;
    assert(/^(?:127\.0\.0\.1|::1)$/.test(await resolve("localhost", { proxy })));
    assert((await resolvePtr("127.0.0.1", { proxy })).length > 0);
  });

  bare("is not to be had where nobody has a secret for it: one line, exit code 2", async (of) => {
    const users = [{ name: "ada", password: "lovelace" }];
    const { code, output } = await runToExit(of.runtime, settings(of, { users, auth: { chap: true } }));
    assertEquals(code, 2);
    assert(/auth\.chap: found no user with a chapSecret, expected one at least/.test(output), output);
  });
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { askIdent } from "../../src/auth/ident.ts";
import { NetError } from "../../src/net/errors.ts";
import { eventually, soon } from "../server/_harness.ts";
import { Network } from "../server/_network.ts";
import type { PipeEnd } from "../server/_pipe.ts";

const QUESTION = { client: { ip: "203.0.113.9", port: 6193 }, server: { ip: "192.0.2.1", port: 1080 } };
const encode = (text: string) => new TextEncoder().encode(text);

/** Asks an identd that does this. */
async function ask(identd: (end: PipeEnd) => unknown, signal: AbortSignal = new AbortController().signal) {
  const network = new Network();
  let end: PipeEnd | undefined;
  network.answers.set("203.0.113.9:113", async (outside) => {
    end = outside;
    try {
      await identd(outside);
    } catch {
      // Whoever asked has heard enough.
    }
  });
  const user = await soon(askIdent(network, { ...QUESTION, signal }));
  return { user, network, end: end! };
}

test("identd on the client's host is asked from the address that the client reached", async () => {
  let query = "";
  const { user, network } = await ask(async (end) => {
    query = new TextDecoder().decode((await end.read())!);
    await end.write(encode("6193 , 1080 : USERID : UNIX : ada\r\n"));
  });
  assertEquals([user, query], ["ada", "6193 , 1080\r\n"]);
  assertEquals(network.attempts, ["203.0.113.9:113"]);
  assertEquals(network.made[0]!.local?.ip, "192.0.2.1");
  assertEquals(network.made[0]!.isClosed, true);
});

test("an answer may come in pieces, and may end without a line's end", async () => {
  const pieces = async (end: PipeEnd, text: string) => {
    for (const byte of encode(text)) await end.write(Uint8Array.of(byte));
  };
  assertEquals((await ask((end) => pieces(end, "6193,1080:USERID:UNIX:ada\r\nmore"))).user, "ada");
  const { user } = await ask(async (end) => {
    await pieces(end, "6193,1080:USERID:UNIX:ada");
    end.closeWrite();
  });
  assertEquals(user, "ada");
});

test("any other answer is nobody", async () => {
  for (const answer of ["6193,1080:ERROR:NO-USER\r\n", "1,2:USERID:UNIX:root\r\n", "hello\r\n", "\r\n", ""]) {
    const { user } = await ask(async (end) => {
      await end.write(encode(answer));
      end.closeWrite();
    });
    assertEquals(user, undefined, JSON.stringify(answer));
  }
});

test("an answer without an end is read no further than the RFC allows", async () => {
  const { user, network, end } = await ask(async (end) => {
    for (let i = 0; i < 100; i++) await end.write(encode("x".repeat(100)));
  });
  assertEquals(user, undefined);
  assert(network.made[0]!.isClosed && end !== undefined);
});

test("no identd is an error", async () => {
  const network = new Network();
  const { signal } = new AbortController();
  assertEquals((await assertRejects(() => askIdent(network, { ...QUESTION, signal }), NetError)).code, "refused");
});

test("an identd that says nothing is given up with the signal, and let go", async () => {
  const controller = new AbortController();
  const network = new Network();
  let connected = false;
  network.answers.set("203.0.113.9:113", () => void (connected = true));
  const asking = askIdent(network, { ...QUESTION, signal: controller.signal });
  asking.catch(() => {});
  await eventually(() => connected, "the connection");
  controller.abort(new NetError("timeout", "enough"));
  await assertRejects(() => soon(asking), NetError);
  assertEquals(network.made[0]!.isClosed, true);
});

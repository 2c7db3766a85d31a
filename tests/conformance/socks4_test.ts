import { assert, assertEquals } from "@std/assert";
import { bytes, closedPort, eventually, hex, portBytes, Target, type To, Wire, writeUntilEnd } from "./_client.ts";
import { assertEnds, BIND, CONNECT, NO_NAME, readReply4, type Reply4, request4 } from "./_socks.ts";
import { suite } from "./_suite.ts";

/** Sends a request and gives the reply. */
async function ask(to: To, request: Uint8Array, from?: string): Promise<{ wire: Wire; reply: Reply4 }> {
  const wire = await Wire.connect(to, from === undefined ? {} : { from });
  await wire.write(request);
  return { wire, reply: await readReply4(wire) };
}

async function assertCode(to: To, request: Uint8Array, code: number, from?: string): Promise<void> {
  const { wire, reply } = await ask(to, request, from);
  using _wire = wire;
  assertEquals(reply.code, code, hex(request));
  if (code !== 90) await assertEnds(wire);
}

async function assertEchoes(wire: Wire): Promise<void> {
  await wire.send("hello");
  assertEquals(hex(await wire.read(5)), hex(bytes("hello")));
}

/** What a fake identd on port 113 of 127.0.0.9 answers, given what it was asked. */
function identd(answer: (question: string) => string | undefined): Promise<Target> {
  // The one before it may still be closing.
  return eventually("port 113 to be free", () => listenAsIdentd(answer).catch(() => undefined));
}

function listenAsIdentd(answer: (question: string) => string | undefined): Promise<Target> {
  return Target.listen({
    host: "127.0.0.9",
    port: 113,
    handle: async (wire) => {
      let question = "";
      while (!question.endsWith("\n")) {
        const data = await wire.readSome();
        if (data.length === 0) return wire.close();
        question += new TextDecoder().decode(data);
      }
      const text = answer(question.trimEnd());
      if (text === undefined) return;
      await wire.send(text);
      wire.finish();
    },
  });
}

/** Why port 113 cannot be used here, if it cannot. */
async function noIdentd(): Promise<string | undefined> {
  try {
    (await listenAsIdentd(() => "")).close();
    return undefined;
  } catch (error) {
    return `port 113 of 127.0.0.9 cannot be bound: ${(error as Error).message}`;
  }
}
const skipIdent = await noIdentd();

suite("SOCKS4", ({ test }) => {
  test("CONNECT is granted with 90 and eight bytes that begin with 00", async ({ server }) => {
    using echo = await Target.echo();
    for (const user of ["", "alice", "x".repeat(200)]) {
      const { wire, reply } = await ask(server, request4(CONNECT, "127.0.0.1", echo.port, user));
      using _wire = wire;
      assertEquals(reply.code, 90);
      await assertEchoes(wire);
    }
  });

  test("4a CONNECT takes a name, and a literal in it", async ({ server }) => {
    using echo = await Target.echo();
    for (const marker of ["0.0.0.1", "0.0.0.255"]) {
      for (const name of ["localhost", "127.0.0.1"]) {
        const { wire, reply } = await ask(server, request4(CONNECT, marker, echo.port, "me", name));
        using _wire = wire;
        assertEquals(reply.code, 90);
        await assertEchoes(wire);
      }
    }
  });

  test("success carries the local address of the outgoing socket", async ({ server }) => {
    using target = await Target.listen();
    const { wire, reply } = await ask(server, request4(CONNECT, "127.0.0.1", target.port));
    using _wire = wire;
    using peer = await target.accept();
    assertEquals([reply.host, reply.port], [peer.remoteAddress, peer.remotePort]);
  });

  test("a 4a CONNECT that ends at an IPv6 address is granted with zeros", async ({ server }) => {
    using echo = await Target.echo({ host: "::1" });
    const { wire, reply } = await ask(server, request4(CONNECT, "0.0.0.7", echo.port, "", "::1"));
    using _wire = wire;
    assertEquals([reply.code, reply.host, reply.port], [90, "0.0.0.0", 0]);
    await assertEchoes(wire);
  });

  test("a refused port, an unresolvable name and the own listener are 91 and a close", async ({ server }) => {
    await assertCode(server, request4(CONNECT, "127.0.0.1", await closedPort()), 91);
    await assertCode(server, request4(CONNECT, "0.0.0.1", 80, "", NO_NAME), 91);
    await assertCode(server, request4(CONNECT, "127.0.0.1", server.port), 91);
    await assertCode(server, request4(CONNECT, "0.0.0.1", server.port, "", "127.0.0.1"), 91);
  });

  test("0.0.0.0 is not 4a: no name is awaited, and CONNECT to it is 91", async ({ server }) => {
    using target = await Target.listen();
    await assertCode(server, request4(CONNECT, "0.0.0.0", target.port), 91);
    assertEquals(target.accepted, 0);
  });

  test("0.0.0.0 in a 4a name, an empty name and control characters are 91", async ({ server }) => {
    using target = await Target.listen();
    for (const name of ["0.0.0.0", "::", "", "local\nhost", "\x01"]) {
      await assertCode(server, request4(CONNECT, "0.0.0.1", target.port, "", name), 91);
    }
    assertEquals(target.accepted, 0);
  });

  test("port 0 is 91", async ({ server }) => {
    await assertCode(server, request4(CONNECT, "127.0.0.1", 0), 91);
  });

  test("an unknown command is 91 and a close", async ({ server }) => {
    for (const command of [0, 3, 0x7f, 0xff]) await assertCode(server, request4(command, "127.0.0.1", 80), 91);
  });

  test("a 4a name that follows later is waited for", async ({ server }) => {
    using echo = await Target.echo();
    using wire = await Wire.connect(server);
    await wire.sendEach([request4(CONNECT, "0.0.0.1", echo.port, "user"), bytes("local"), bytes("host", 0)]);
    assertEquals((await readReply4(wire)).code, 90);
  });

  test("an endless user id is cut off and never grows memory", async ({ server }) => {
    const before = server.rssKiB();
    using wire = await Wire.connect(server);
    await wire.send(4, CONNECT, portBytes(80), 127, 0, 0, 1);
    assertCutOff(await writeUntilEnd(wire, new Uint8Array(1 << 16).fill(0x61)));
    assert(server.rssKiB() - before < 64 * 1024, "memory grew with the user id");
  });

  test("an endless 4a name is cut off and never grows memory", async ({ server }) => {
    const before = server.rssKiB();
    using wire = await Wire.connect(server);
    await wire.send(4, CONNECT, portBytes(80), 0, 0, 0, 1, "user", 0);
    assertCutOff(await writeUntilEnd(wire, new Uint8Array(1 << 16).fill(0x61)));
    assert(server.rssKiB() - before < 64 * 1024, "memory grew with the name");
  });

  test("IDENT: the same name is granted, and the question has the client's port first", async ({ server }) => {
    using echo = await Target.echo();
    const questions: string[] = [];
    using _identd = await identd((question) => {
      questions.push(question);
      return `${question} : USERID : UNIX : alice\r\n`;
    });
    const { wire, reply } = await ask(server, request4(CONNECT, "127.0.0.1", echo.port, "alice"), "127.0.0.9");
    using _wire = wire;
    assertEquals(reply.code, 90);
    assertEquals(questions.map((question) => question.replaceAll(" ", "")), [`${wire.localPort},${server.port}`]);
  }, { args: ["--ident"], skip: skipIdent });

  test("IDENT: another name is 93", async ({ server }) => {
    using _identd = await identd((question) => `${question} : USERID : UNIX : bob\r\n`);
    await assertCode(server, request4(CONNECT, "127.0.0.1", 9, "alice"), 93, "127.0.0.9");
  }, { args: ["--ident"], skip: skipIdent });

  test("IDENT: no identd is 92", async ({ server }) => {
    await assertCode(server, request4(CONNECT, "127.0.0.1", 9, "alice"), 92, "127.0.0.10");
  }, { args: ["--ident"] });

  test("IDENT: an identd that answers with an error or nonsense lets nobody in", async ({ server }) => {
    using target = await Target.listen();
    const answers = [
      (question: string) => `${question} : ERROR : NO-USER\r\n`,
      () => "nonsense\r\n",
      () => "",
      () => "x".repeat(100_000),
      () => `1 , 2 : USERID : UNIX : alice\r\n`,
    ];
    for (const answer of answers) {
      using _identd = await identd(answer);
      const { wire, reply } = await ask(server, request4(CONNECT, "127.0.0.1", target.port, "alice"), "127.0.0.9");
      using _wire = wire;
      assert(reply.code === 92 || reply.code === 93, `code ${reply.code}`);
      await assertEnds(wire);
    }
    assertEquals(target.accepted, 0);
  }, { args: ["--ident"], skip: skipIdent });

  test("IDENT: BIND is checked as well", async ({ server }) => {
    using _identd = await identd((question) => `${question} : USERID : UNIX : bob\r\n`);
    await assertCode(server, request4(BIND, "0.0.0.0", 0, "alice"), 93, "127.0.0.9");
  }, { args: ["--ident"], skip: skipIdent });

  test("without --ident nobody is asked", async ({ server }) => {
    using echo = await Target.echo();
    using asked = await identd(() => undefined);
    await assertCode(server, request4(CONNECT, "127.0.0.1", echo.port, "alice"), 90, "127.0.0.9");
    assertEquals(asked.accepted, 0);
  }, { skip: skipIdent });
});

/** Checks the last word of a server that hung up: a reply 91, or nothing. */
function assertCutOff({ data }: { data: Uint8Array }): void {
  assert(data.length === 0 || (data.length === 8 && data[1] === 91), hex(data));
}

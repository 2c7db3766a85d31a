import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { clients, sessionLine } from "./_case.ts";
import { SSH_NEEDS, startSshd, throughProxy } from "./_sshd.ts";
import { payload, REFUSED_PORT, sha256 } from "./_targets.ts";

const MIB = 1024 * 1024;

const { username } = userInfo();

clients("ssh through nc", SSH_NEEDS, (it) => {
  for (const version of [4, 5] as const) {
    it(`runs a command over SOCKS${version}`, async (bench) => {
      const [server, sshd] = [await bench.server(), await startSshd(bench)];
      const { port, options } = sshd;
      const command = ["-p", `${port}`, `${username}@127.0.0.1`, "echo from the other side; cat; exit 7"];
      const { code, stdout } = await bench.run(["ssh", ...options, ...throughProxy(server.port, version), ...command], {
        input: "what was typed\n",
      });
      assertEquals([code, stdout], [7, "from the other side\nwhat was typed\n"]);
      await sessionLine(server, `127.0.0.1:${port}`);
    });
  }

  it("runs a command on a host that the proxy looks up", async (bench) => {
    const [server, sshd] = [await bench.server(), await startSshd(bench)];
    const { port, options } = sshd;
    const command = ["-p", `${port}`, `${username}@localhost`, "echo looked up"];
    const { code, stdout } = await bench.run(["ssh", ...options, ...throughProxy(server.port), ...command]);
    assertEquals([code, stdout], [0, "looked up\n"]);
    await sessionLine(server, `localhost:${port}`);
  });

  it("copies 8 MiB there and back unharmed", async (bench) => {
    const [server, sshd] = [await bench.server(), await startSshd(bench)];
    const { port, options } = sshd;
    const folder = await bench.folder();
    const [sent, stored, fetched] = ["sent", "stored", "fetched"].map((name) => join(folder, name));
    await writeFile(sent!, payload(8 * MIB));
    const remote = `${username}@127.0.0.1:${stored}`;
    const scp = ["scp", "-q", ...options, ...throughProxy(server.port), "-P", `${port}`];
    assertEquals((await bench.run([...scp, sent!, remote])).code, 0);
    assertEquals((await bench.run([...scp, remote, fetched!])).code, 0);
    assertEquals(sha256(await readFile(stored!)), sha256(payload(8 * MIB)));
    assertEquals(sha256(await readFile(fetched!)), sha256(payload(8 * MIB)));
    await sessionLine(server, `127.0.0.1:${port}`);
  });

  it("streams 8 MiB into a remote command and reads its answer after the end", async (bench) => {
    const [server, sshd] = [await bench.server(), await startSshd(bench)];
    const { port, options } = sshd;
    const command = ["-p", `${port}`, `${username}@127.0.0.1`, "sha256sum"];
    const { code, stdout } = await bench.run(["ssh", ...options, ...throughProxy(server.port), ...command], {
      input: payload(8 * MIB),
    });
    assertEquals([code, stdout], [0, `${sha256(payload(8 * MIB))}  -\n`]);
  });

  it("says why it cannot connect when the port refused", async (bench) => {
    const server = await bench.server();
    const command = ["-F", "none", "-o", "BatchMode=yes", "-p", `${REFUSED_PORT}`, "nobody@127.0.0.1", "true"];
    const { code, stderr } = await bench.run(["ssh", ...throughProxy(server.port), ...command]);
    assertEquals(code, 255);
    assertStringIncludes(stderr, "SOCKSv5 error: Connection refused");
    assertMatch(stderr, /Connection closed by UNKNOWN|kex_exchange_identification/);
  });
});

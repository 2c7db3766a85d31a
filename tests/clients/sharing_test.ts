import { assertEquals } from "@std/assert";
import { userInfo } from "node:os";
import { clients, loggedSessions, program, sessionLine } from "./_case.ts";
import { SSH_NEEDS, startSshd, throughProxy } from "./_sshd.ts";
import { GREETING, payload, sha256 } from "./_targets.ts";

const MIB = 1024 * 1024;

const { username } = userInfo();

clients("several clients at once", [...SSH_NEEDS, program("curl")], (it) => {
  it("ssh and curl share a server, and neither harms the other", async (bench) => {
    const [server, sshd] = [await bench.server(), await startSshd(bench)];
    const http = await bench.http();
    const ssh = ["ssh", ...sshd.options, ...throughProxy(server.port), "-p", `${sshd.port}`, `${username}@127.0.0.1`];
    const curl = ["curl", "--disable", "--silent", "--show-error", "--socks5-hostname", `127.0.0.1:${server.port}`];
    // The session of ssh stays open until its input ends, which is after the first page.
    const [upload, page, ...downloads] = await Promise.all([
      bench.run([...ssh, "sha256sum"], { input: payload(8 * MIB) }),
      bench.run([...curl, `${http.origin}/hello`]),
      ...[1, 2, 3].map((index) => bench.run([...curl, `${http.origin}/bytes/${8 * MIB + index}`])),
    ]);
    assertEquals([upload.code, upload.stdout], [0, `${sha256(payload(8 * MIB))}  -\n`]);
    assertEquals([page.code, page.stdout], [0, GREETING]);
    for (const [index, { code, bytes }] of downloads.entries()) {
      assertEquals([code, sha256(bytes)], [0, sha256(payload(8 * MIB + index + 1))]);
    }
    assertEquals(http.connections, 4);
    await sessionLine(server, `127.0.0.1:${sshd.port}`);
    await loggedSessions(server, http);
  }, { deadlineMs: 300_000 });

  it("one ssh session outlives a crowd of curls", async (bench) => {
    const [server, sshd] = [await bench.server(), await startSshd(bench)];
    const http = await bench.http();
    const curl = ["curl", "--disable", "--silent", "--show-error", "--socks5", `127.0.0.1:${server.port}`];
    const crowd = async () => {
      const pages = await Promise.all(Array.from({ length: 20 }, () => bench.run([...curl, `${http.origin}/hello`])));
      assertEquals(pages.map(({ stdout }) => stdout), Array(20).fill(GREETING));
    };
    const command = ["-p", `${sshd.port}`, `${username}@127.0.0.1`, "echo open; cat"];
    const ssh = bench.start(["ssh", ...sshd.options, ...throughProxy(server.port), ...command]);
    await ssh.waitForOutput(/open\n/);
    await crowd();
    assertEquals(await ssh.end("still here\n"), { code: 0, output: "open\nstill here\n" });
  }, { deadlineMs: 300_000 });
});

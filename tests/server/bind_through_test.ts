import { assertMatch } from "@std/assert";
import { test } from "node:test";
import { house, target } from "./_harness.ts";

test("a proxy that does not answer a BIND in time: the client is told what it is of CONNECT, and the log how far it came", async () => {
  await using running = await house({
    upstreams: { out: { proxy: "socks5h://192.0.2.8:1080" } },
    via: "out",
    timeouts: { connect: 40 },
  });
  for (const [answer, rep, phase] of [[undefined, "01", "greeting"], [[5, 0], "06", "reply"]] as const) {
    const refused = running.seen.refusals.length;
    void target(running.network, "192.0.2.8:1080").then((proxy) => answer && proxy.send(answer));
    const client = running.client();
    await client.send([5, 1, 0], [5, 2, 0, 1, 203, 0, 113, 1, 0, 80]);
    await client.expect(`05 00 05 ${rep} 00 01 00 00 00 00 00 00`);
    await running.seen.summary(refused);
    assertMatch(running.seen.refusals[refused]!.reason, new RegExp(`proxy 1, .*\\(${phase}\\): No connection within`));
  }
});

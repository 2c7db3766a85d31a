import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FAIL2BAN_FILTER } from "../../src/cli/fail2ban_filter.ts";
import { Wire } from "../conformance/_client.ts";
import { succeeds } from "../conformance/_server.ts";
import { password } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { noRedis, startRedis } from "../policy/_redis.ts";
import { Operated } from "./_operated.ts";

const noFail2ban = succeeds("fail2ban-regex", "--version") ? undefined : "fail2ban-regex is not installed";

suite("logins while counts cannot be reached", ({ bare }) => {
  bare("are refused, and are no guesses to fail2ban", async (of) => {
    await using redis = await startRedis();
    const users = [{ name: "ada", password: "lovelace" }];
    const settings = { users, store: { redis: redis.url, fail: "closed" } };
    await using operated = await Operated.start(of, settings);
    const tryTo = async (word: string): Promise<void> => {
      using wire = await Wire.connect(operated.place);
      await wire.send(5, 1, 2, password("ada", word));
      assertEquals((await wire.readToEnd()).data.length, 4);
    };
    await tryTo("wrong");
    await redis.kill();
    await operated.entry("the store's state", ({ event, message }) => event === "store" && / is away/.test(message!));
    await tryTo("lovelace");
    const { refusal, reason } = await operated.entry("the refusal", ({ refusal }) => refusal === "network");
    assertEquals(
      [refusal, reason?.replace(/redis:\S+/, "REDIS")],
      ["network", 'Cannot log in as "ada": Cannot count: the store REDIS cannot be reached'],
    );
    const [log, filter] = ["away.log", "socks-server.conf"].map((name) => join(of.folder, name)) as [string, string];
    writeFileSync(log, operated.server.output());
    writeFileSync(filter, FAIL2BAN_FILTER);
    const { stdout } = spawnSync("fail2ban-regex", ["--out", "ip", log, filter], { encoding: "utf8" });
    assertEquals(stdout.trim().split("\n"), ["127.0.0.1"], operated.server.output());
  }, { skip: noRedis ?? noFail2ban });
});

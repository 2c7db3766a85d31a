import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { programCommand } from "../../src/cli/program_command.ts";
import { serviceCommand } from "../../src/cli/service_command.ts";
import { serviceUnit, socketUnit } from "../../src/cli/systemd_unit.ts";
import { runWords } from "./_run.ts";

/** What the command prints. */
async function printed(...args: string[]): Promise<string> {
  const texts: string[] = [];
  await serviceCommand((text) => texts.push(text)).parseAsync(args, { from: "user" });
  return texts.join("\n");
}

test("the program is run as it runs now, on each runtime and compiled", () => {
  const facts = { execPath: "/bin/x", argv: ["/bin/x", "/lib/socks.js", "--open"], execArgv: [] };
  assertEquals(programCommand(facts), ["/bin/x", "/lib/socks.js"]);
  assertEquals(programCommand({ ...facts, execArgv: ["--max-old-space-size=64"] })[1], "--max-old-space-size=64");
  assertEquals(programCommand({ ...facts, argv: ["/bin/x", "/$bunfs/root/socks"] }), ["/bin/x"]);
  const mainModule = "file:///lib/my%20socks/mod.ts";
  assertEquals(
    programCommand({ ...facts, deno: { mainModule, isStandalone: false } }),
    ["/bin/x", "run", "-A", "--unstable-net", "/lib/my socks/mod.ts"],
  );
  const remote = "https://jsr.io/@x/socks/1.0.0/mod.ts";
  assertEquals(programCommand({ ...facts, deno: { mainModule: remote, isStandalone: false } }).at(-1), remote);
  assertEquals(programCommand({ ...facts, deno: { mainModule, isStandalone: true } }), ["/bin/x"]);
});

test("a unit runs the program with its settings, words escaped for systemd", () => {
  const unit = serviceUnit({ command: ["/bin/x", '/my "100%" $lib/a.js'], config: "/etc/my socks.yaml" });
  assertMatch(unit, /^ExecStart=\/bin\/x "\/my \\"100%%\\" \$\$lib\/a\.js" --config "\/etc\/my socks\.yaml"$/m);
  assertMatch(serviceUnit({ command: ["/bin/x"] }), /^ExecStart=\/bin\/x --config %E\/socks-server\/config\.yaml$/m);
});

test("a unit gives no right that is not needed", () => {
  const unit = serviceUnit({ command: ["/bin/x"] });
  for (
    const line of [
      "DynamicUser=yes",
      "CapabilityBoundingSet=",
      "ProtectSystem=strict",
      "NoNewPrivileges=yes",
      "Type=notify",
    ]
  ) assertMatch(unit, new RegExp(`^${line}$`, "m"));
  const low = serviceUnit({ command: ["/bin/x"], lowPorts: true });
  assertMatch(low, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  assert(!low.includes("PrivateUsers=yes"), "the right to low ports would be one in a namespace");
});

test("a unit says how its user can read files that are not for everybody", () => {
  // systemd takes no group that is called as the user that it makes up, and that is called as the unit.
  assertMatch(serviceUnit({ command: ["/bin/x"] }), /^#SupplementaryGroups=(?!socks-server$).+$/m);
  assert(!serviceUnit({ command: ["/bin/x"], user: true }).includes("SupplementaryGroups="));
});

test("a program in a home directory is told apart: its user may not read it", () => {
  assertMatch(serviceUnit({ command: ["/home/ada/bun", "/x.js"] }), /^ProtectHome=read-only$/m);
  assertMatch(serviceUnit({ command: ["/home/ada/bun"] }), /^# The program lies in a home directory/m);
});

test("a user's unit asks for nothing that only root can give", () => {
  const unit = serviceUnit({ command: ["/bin/x"], user: true });
  assert(!/^(?:DynamicUser|Protect|Capability|Ambient|Private)/m.test(unit), unit);
  assertMatch(unit, /^WantedBy=default\.target$/m);
});

test("a socket unit listens where it is told", () => {
  const unit = socketUnit(["0.0.0.0:1080", "/run/100%"]);
  assertStringIncludes(unit, "ListenStream=0.0.0.0:1080\nListenStream=/run/100%%\n");
});

test("the command prints units and the filter", async () => {
  assertMatch(await printed("systemd"), /^\[Service\]$/m);
  // The service runs in another folder.
  assertMatch(await printed("systemd", "--user", "--config", "a.yaml"), /--config \/\S*\/a\.yaml$/m);
  const socket = await printed("systemd", "--socket", "--listen", "[::]:1", "--listen", "[::]:2");
  assertStringIncludes(socket, "ListenStream=[::]:1\nListenStream=[::]:2\n");
  assertStringIncludes(await printed("systemd", "--socket", "--listen", "unix:/run/a b"), "ListenStream=/run/a b\n");
  assertMatch(await printed("fail2ban"), /^failregex = /m);
});

test("a socket unit is not made for a place that systemd cannot listen at", async () => {
  for (const place of ["0.0.0.0:99999", "127.0.0.1:0", "localhost:1080", "1080", "unix:run/a", "unix:/run/a\nb"]) {
    const { code, stdout, stderr } = await runWords(`service systemd --socket --listen ${place}`);
    assertEquals([code, stdout], [2, [""]], place);
    assertMatch(stderr[0]!, /^--listen: found .*, expected an address such as 0\.0\.0\.0:1080, .* or unix:\/PATH$/);
  }
});

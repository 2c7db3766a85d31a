import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { Config } from "../../src/config/config.ts";
import { FLAGS } from "../../src/config/flags.ts";
import { run } from "../../src/cli/run.ts";
import { VERSION } from "../../src/cli/version.ts";
import { FakeTerminal } from "./_terminal.ts";

const HINT = "Flags and examples: socks-server --help";

/** Runs with a server that only keeps its settings. */
async function runWith(args: readonly string[], terminal = new FakeTerminal()) {
  let config: Config | undefined;
  const code = await run(args, terminal, {
    serve(start) {
      config = start.config;
      return Promise.resolve(0);
    },
  });
  return { code, config, stdout: terminal.stdout.join("\n"), stderr: terminal.stderr };
}

test("without arguments it serves", async () => {
  assertEquals(await runWith([]), { code: 0, config: {}, stdout: "", stderr: [] });
});

test("every flag sets its setting", async () => {
  const args = [
    "--listen=127.0.0.1:0 --listen [::1]:0 --user ada:b:c --user bob: --handshake-timeout 3 --connect-timeout 2m",
    "--bind-timeout 1h --idle-timeout=500ms --advertise 192.0.2.1 --udp-ports 4000-4001 --mixed --ident --allow-private",
    "--open --log-level error --otherwise deny --outgoing-address 192.0.2.7 --prefer ipv4 --resolver 192.0.2.53",
    "--drain-timeout 0 --max-sessions 100 --log-format json --log-file /var/log/socks.log --reload recheck --watch",
    "--run-as nobody:nogroup --trust-user-ids --resolve-commands --upstream tor=socks5h://127.0.0.1:9050 --via tor",
    "--forward 127.0.0.1:8080=example.com:80",
  ].join(" ").split(" ");
  const config: Config = {
    listen: [{ address: "127.0.0.1:0" }, { address: "[::1]:0" }],
    users: [{ name: "ada", password: "b:c" }, { name: "bob", password: "" }],
    otherwise: "deny",
    outgoing: { addresses: ["192.0.2.7"], prefer: "ipv4" },
    resolver: { servers: ["192.0.2.53"] },
    handshakeTimeout: 3_000,
    connectTimeout: 120_000,
    bindTimeout: 3_600_000,
    idleTimeout: 500,
    drainTimeout: 0,
    bounds: { sessions: 100 },
    advertise: "192.0.2.1",
    udpPorts: { from: 4000, to: 4001 },
    mixed: true,
    ident: true,
    trustUserIds: true,
    resolveCommands: true,
    upstreams: [{ name: "tor", proxy: ["socks5h://127.0.0.1:9050"] }],
    via: ["tor"],
    forwards: [{ listen: { address: "127.0.0.1:8080" }, to: "example.com:80" }],
    allowPrivate: true,
    open: true,
    logLevel: "error",
    logFormat: "json",
    logFile: "/var/log/socks.log",
    reload: "recheck",
    watch: true,
    runAs: "nobody:nogroup",
  };
  assertEquals((await runWith(args)).config, config);
  assertEquals((await runWith(["serve", ...args])).config, config);
  for (const flag of FLAGS.filter(({ name }) => name !== "users-file")) {
    assert(args.some((arg) => arg.split("=")[0] === `--${flag.name}`), flag.name);
  }
});

test("--no-mixed turns off what --mixed turns on, and so does --no-resolve-commands", async () => {
  assertEquals((await runWith(["--no-mixed", "--no-resolve-commands"])).config, {
    mixed: false,
    resolveCommands: false,
  });
});

test("a users file is read where its flag says", async () => {
  const terminal = new FakeTerminal({ "users": "ada:plain:lovelace\n" });
  const { config } = await runWith(["--users-file", "users"], terminal);
  assertEquals(config, { usersFile: "users", users: [{ name: "ada", password: "lovelace" }] });
});

test("a file is read where --config says, and flags win", async () => {
  const terminal = new FakeTerminal({ "a.json": '{ "idleTimeout": 1, "open": true }' });
  assertEquals((await runWith(["--config", "a.json", "--idle-timeout", "2"], terminal)).config, {
    idleTimeout: 2_000,
    open: true,
  });
  const missing = await runWith(["--config", "b.json"]);
  assertEquals(missing, {
    code: 2,
    config: undefined,
    stdout: "",
    stderr: ["b.json: cannot be read: no such file", HINT],
  });
});

test("the help names every flag, its default, examples and exit codes", async () => {
  for (const args of [["--help"], ["-h"], ["help"], ["serve", "--help"], ["--open", "--help"]]) {
    const { code, stdout, stderr, config } = await runWith(args);
    assertEquals([code, stderr, config], [0, [], undefined]);
    for (const flag of [...FLAGS.map(({ name }) => `--${name}`), "--config", "--version", "--help"]) {
      assertMatch(stdout, new RegExp(`^  (-h, )?${flag}\\b`, "m"));
    }
    assertMatch(stdout, /^Usage: socks-server \[flags\]$/m);
    for (const standard of ["127.0.0.1:1080", "30s", "2m", "2h", "info", "any"]) {
      assertMatch(stdout, new RegExp(`default:\\s+${standard}\\)`));
    }
    for (
      const part of ["Examples:", "curl --socks5-hostname", "--user ada:lovelace", "unix:/", "Exit codes:", "Signals:"]
    ) {
      assertStringIncludes(stdout, part);
    }
    assertEquals(stdout.match(/SIGUSR1 (?:and|or)\s+SIGUSR2/g)?.length, 2);
  }
});

test("the help fits a terminal of 80 columns, but for examples", async () => {
  const { stdout } = await runWith(["--help"], new FakeTerminal({}, 80));
  for (const line of stdout.slice(0, stdout.indexOf("Examples:")).split("\n")) assert(line.length <= 80, line);
});

test("the version is that of deno.json, and names the runtime", async () => {
  const { code, stdout } = await runWith(["--version"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^socks-server \d+\.\d+\.\d+\S* \((deno|bun|node) v?\d+\.\d+\.\d+\S*\)$/);
  assertStringIncludes(stdout, ` ${VERSION} `);
});

test("mistakes on the command line exit with 2 and say what is meant", async () => {
  const cases: [string[], string][] = [
    [["--lisen", "x"], "Unknown flag --lisen: did you mean --listen?"],
    [["--usr=ada:secret"], "Unknown flag --usr: did you mean --user?"],
    [["--open=maybe"], "--open: found a value, expected none"],
    [["--idle_timeout", "3"], "Unknown flag --idle_timeout: did you mean --idle-timeout?"],
    [["-version"], "Unknown flag -version: did you mean --version?"],
    [["--metrics"], "Unknown flag --metrics"],
    [["--\x1b[2J"], "Unknown flag --\\x1b[2J"],
    [["-x"], "Unknown flag -x"],
    [["--user"], "--user: found nothing after it, expected NAME:PASSWORD"],
    [["--config"], "--config: found nothing after it, expected FILE"],
    [["sevre"], "Unknown command sevre: did you mean serve?"],
    [["--user", "ada", "secret"], "Found a word that is no flag, expected flags alone"],
    [["127.0.0.1", "1080"], "Found 2 words that are no flags, expected flags alone"],
    [
      ["--idle-timeout", "3x"],
      '--idle-timeout: found "3x", expected a duration such as 3, 3s, 2m, 1h or 500ms ' +
      "(at most 576h; 0 means no limit)",
    ],
  ];
  for (const [args, expected] of cases) {
    assertEquals(await runWith(args), { code: 2, config: undefined, stdout: "", stderr: [expected, HINT] });
  }
});

test("several mistakes in the settings are told together", async () => {
  const { code, stderr } = await runWith(["--log-level", "loud", "--udp-ports", "1"]);
  assertEquals(code, 2);
  assertEquals(stderr, [
    "2 mistakes in the settings:",
    '  --udp-ports: found "1", expected FROM-TO such as 40000-40999 (ports 1 to 65535, FROM not above TO)',
    '  --log-level: found "loud", expected debug, info, warning or error',
    HINT,
  ]);
});

test("the server's exit code is the program's, and its failure is not swallowed", async () => {
  assertEquals(await run([], new FakeTerminal(), { serve: () => Promise.resolve(130) }), 130);
  await assertRejects(
    () => run([], new FakeTerminal(), { serve: () => Promise.reject(new Error("boom")) }),
    Error,
    "boom",
  );
});

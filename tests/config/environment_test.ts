import { test } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/config/config_error.ts";
import { type Environment, variableName } from "../../src/config/environment.ts";
import { FLAGS } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";
import { filesOf } from "./_load.ts";

const load = async (env: Environment, flags = {}, files = {}) =>
  await loadConfig({ flags, env, readFile: filesOf(files) });

const problems = async (env: Environment) => (await assertRejects(() => load(env), ConfigError)).problems;

test("every flag has a variable", async () => {
  const env = {
    SOCKS_LISTEN: "127.0.0.1:0, [::1]:0",
    SOCKS_USER: "ada:a,b:c\nbob:\n",
    SOCKS_USERS_FILE: "users",
    SOCKS_OTHERWISE: "deny",
    SOCKS_OUTGOING_ADDRESS: "192.0.2.7,192.0.2.8",
    SOCKS_PREFER: "ipv4",
    SOCKS_UPSTREAM: "tor=socks5h://127.0.0.1:9050\n hops=socks5h://one.example, socks5h://ada:x%2Cy@two.example\n",
    SOCKS_VIA: "tor",
    SOCKS_FORWARD: "127.0.0.1:8080=intranet.example:80, udp:[::1]:5353=192.0.2.53:53",
    SOCKS_RESOLVER: "192.0.2.53",
    SOCKS_HANDSHAKE_TIMEOUT: "3",
    SOCKS_CONNECT_TIMEOUT: "4s",
    SOCKS_BIND_TIMEOUT: "5m",
    SOCKS_IDLE_TIMEOUT: "6h",
    SOCKS_DRAIN_TIMEOUT: "0",
    SOCKS_MAX_SESSIONS: "100",
    SOCKS_ADVERTISE: "192.0.2.1",
    SOCKS_UDP_PORTS: "4000-4001",
    SOCKS_MIXED: "false",
    SOCKS_IDENT: "true",
    SOCKS_TRUST_USER_IDS: "true",
    SOCKS_RESOLVE_COMMANDS: "true",
    SOCKS_ALLOW_PRIVATE: "1",
    SOCKS_OPEN: "FALSE",
    SOCKS_LOG_LEVEL: "error",
    SOCKS_LOG_FORMAT: "json",
    SOCKS_LOG_FILE: "socks.log",
    SOCKS_RELOAD: "recheck",
    SOCKS_WATCH: "0",
    SOCKS_RUN_AS: "nobody",
  };
  assertEquals(FLAGS.map(variableName).sort(), Object.keys(env).sort());
  const { config, warnings } = await load(env, {}, { users: "cy:plain:x" });
  assertEquals(config, {
    listen: [{ address: "127.0.0.1:0" }, { address: "[::1]:0" }],
    users: [{ name: "ada", password: "a,b:c" }, { name: "bob", password: "" }, { name: "cy", password: "x" }],
    usersFile: "users",
    otherwise: "deny",
    outgoing: { addresses: ["192.0.2.7", "192.0.2.8"], prefer: "ipv4" },
    upstreams: [
      { name: "tor", proxy: ["socks5h://127.0.0.1:9050"] },
      { name: "hops", proxy: ["socks5h://one.example", "socks5h://ada:x%2Cy@two.example"] },
    ],
    via: ["tor"],
    forwards: [
      { listen: { address: "127.0.0.1:8080" }, to: "intranet.example:80" },
      { listen: { address: "[::1]:5353" }, to: "192.0.2.53:53", protocol: "udp" },
    ],
    resolver: { servers: ["192.0.2.53"] },
    handshakeTimeout: 3_000,
    connectTimeout: 4_000,
    bindTimeout: 300_000,
    idleTimeout: 21_600_000,
    drainTimeout: 0,
    bounds: { sessions: 100 },
    advertise: "192.0.2.1",
    udpPorts: { from: 4000, to: 4001 },
    mixed: false,
    ident: true,
    trustUserIds: true,
    resolveCommands: true,
    allowPrivate: true,
    open: false,
    logLevel: "error",
    logFormat: "json",
    logFile: "socks.log",
    reload: "recheck",
    watch: false,
    runAs: "nobody",
  });
  assertEquals(warnings, [
    'Passwords in plain text: "cy"; "socks-server passwd" makes hashes of them',
    'SOCKS_UPSTREAM (number 2): found "hops", which nothing takes',
  ]);
});

test("the file is below the environment, and flags are above it, key by key", async () => {
  const text = "idleTimeout: 1\nbindTimeout: 1\nconnectTimeout: 1\noutgoing: { addresses: [192.0.2.7], prefer: ipv6 }";
  const env = { SOCKS_CONFIG: "a.yaml", SOCKS_IDLE_TIMEOUT: "2", SOCKS_BIND_TIMEOUT: "2", SOCKS_PREFER: "ipv4" };
  assertEquals((await load(env, { idleTimeout: "3" }, { "a.yaml": text })).config, {
    idleTimeout: 3_000,
    bindTimeout: 2_000,
    connectTimeout: 1_000,
    outgoing: { addresses: ["192.0.2.7"], prefer: "ipv4" },
  });
});

test("an empty variable is one that is not set", async () => {
  assertEquals((await load({ SOCKS_LISTEN: "", SOCKS_IDLE_TIMEOUT: " ", SOCKS_CONFIG: "" })).config, {});
});

test("wrong variables are told by their names", async () => {
  assertEquals(
    await problems({
      SOCKS_LISTEN: "127.0.0.1:1,x",
      SOCKS_MAX_SESSIONS: "1e3",
      SOCKS_OPEN: "perhaps",
      SOCKS_USER: "ada",
    }),
    [
      'SOCKS_LISTEN (number 2): found "x", expected HOST:PORT such as 127.0.0.1:1080, [IPv6]:PORT or unix:PATH ' +
      "(a port is 0 to 65535)",
      "SOCKS_USER: found no colon, expected NAME:PASSWORD",
      'SOCKS_MAX_SESSIONS: found "1e3", expected a whole number from 1 on',
      'SOCKS_OPEN: found "perhaps", expected true or false',
    ],
  );
});

test("a variable that is nearly ours is a mistake; one like none of ours is a warning", async () => {
  assertEquals(await problems({ SOCKS_IDLETIMEOUT: "3", SOCKS_USERS: "x", SOCKS_LISEN: "x" }), [
    "SOCKS_IDLETIMEOUT: unknown variable, did you mean SOCKS_IDLE_TIMEOUT?",
    "SOCKS_LISEN: unknown variable, did you mean SOCKS_LISTEN?",
    "SOCKS_USERS: unknown variable, did you mean SOCKS_USER?",
  ]);
  assertEquals((await load({ SOCKS_METRICS: "1" })).warnings, ["SOCKS_METRICS: unknown variable, ignored"]);
});

test("variables of others are left alone", async () => {
  const env = {
    SOCKS_BUN_FFI: "0",
    SOCKS_NPM_DIR: "x",
    SOCKS_PROXY: "x",
    SOCKS_SERVER: "x",
    SOCKS_PORT: "tcp://10.0.0.1:1080",
    SOCKS_PORT_1080_TCP_ADDR: "10.0.0.1",
    SOCKS_SERVICE_HOST: "10.0.0.1",
    SOCKS5_SERVER: "x",
    ALL_PROXY: "x",
    MY_SOCKS_LISEN: "x",
  };
  assertEquals(await load(env), { config: {}, warnings: [] });
});

test("a variable that holds a secret may have any name", async () => {
  const files = { "a.yaml": "users: [{ name: ada, password: { env: SOCKS_USER_ADA } }]" };
  const { config, warnings } = await load({ SOCKS_CONFIG: "a.yaml", SOCKS_USER_ADA: "x" }, {}, files);
  assertEquals(config.users, [{ name: "ada", password: "x" }]);
  assertEquals(warnings, []);
});

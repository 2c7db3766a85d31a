import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { serveOptions } from "../../src/config/options.ts";

test("settings become the server's options", () => {
  const users = [{ name: "ada", password: "x" }];
  const options = serveOptions({
    listen: [{ address: "127.0.0.1:0", name: "here" }],
    users,
    handshakeTimeout: 1,
    connectTimeout: 2,
    bindTimeout: 0,
    idleTimeout: 4,
    advertise: "192.0.2.1",
    udpPorts: { from: 1, to: 2 },
    mixed: false,
    ident: true,
    trustUserIds: true,
    allowPrivate: true,
    open: true,
    logLevel: "debug",
    bounds: { sessions: 5 },
    rules: [{ action: "allow", limits: { sessions: 1 } }, { action: "deny" }],
    otherwise: "deny",
    limits: [{ sessions: 2 }],
    logins: { attempts: 3 },
    store: { file: "counts.json" },
    outgoing: { prefer: "ipv4" },
    resolver: { cache: false },
  });
  assertEquals<unknown>(options, {
    listen: [{ address: "127.0.0.1:0", name: "here" }],
    users,
    timeouts: { handshake: 1, authentication: 1, connect: 2, bind: 0, idle: 4 },
    advertise: "192.0.2.1",
    udpPorts: { from: 1, to: 2 },
    mixed: false,
    ident: true,
    trustUserIds: true,
    allowPrivate: true,
    open: true,
    bounds: { sessions: 5 },
    rules: [{ action: "allow", limits: { sessions: 1 } }, { action: "deny" }],
    otherwise: "deny",
    limits: [{ sessions: 2 }],
    logins: { attempts: 3 },
    store: { file: "counts.json" },
    outgoing: { prefer: "ipv4" },
    resolver: { cache: false },
  });
});

test("what is not set is left to the server's defaults", () => {
  const options = serveOptions({ users: [] });
  assertEquals(Object.values(options).filter((value) => value !== undefined), [{}, {}]);
});

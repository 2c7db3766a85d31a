import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { serveOptions } from "../../src/config/options.ts";

test("settings become the server's options", () => {
  const users = [{ name: "ada", password: "x" }];
  const options = serveOptions({
    listen: ["127.0.0.1:0"],
    users,
    handshakeTimeout: 1,
    connectTimeout: 2,
    bindTimeout: 0,
    idleTimeout: 4,
    advertise: "192.0.2.1",
    udpPorts: { from: 1, to: 2 },
    ident: true,
    allowPrivate: true,
    open: true,
    logLevel: "debug",
  });
  assertEquals(options, {
    listen: ["127.0.0.1:0"],
    users,
    timeouts: { handshake: 1, authentication: 1, connect: 2, bind: 0, idle: 4 },
    advertise: "192.0.2.1",
    udpPorts: { from: 1, to: 2 },
    ident: true,
    allowPrivate: true,
    open: true,
  });
});

test("what is not set is left to the server's defaults", () => {
  const options = serveOptions({ users: [] });
  assertEquals(Object.values(options).filter((value) => value !== undefined), [{}]);
});

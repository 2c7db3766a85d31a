import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { serveOptions } from "../../src/config/options.ts";

const FORWARD = { listen: { address: "127.0.0.1:8080", name: "db" }, to: "db.example:5432", via: "tor" };

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
    resolveCommands: false,
    auth: { chap: true },
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
    upstreams: [{ name: "tor", proxy: ["socks5h://127.0.0.1:9050"] }, { name: "all", group: ["tor", "direct"] }],
    via: ["tor"],
    forwards: [FORWARD],
  });
  const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  assertEquals<unknown>(set, {
    listen: [{ address: "127.0.0.1:0", name: "here" }],
    users,
    timeouts: { handshake: 1, authentication: 1, connect: 2, bind: 0, idle: 4 },
    advertise: "192.0.2.1",
    udpPorts: { from: 1, to: 2 },
    mixed: false,
    ident: true,
    trustUserIds: true,
    resolveCommands: false,
    auth: { chap: true },
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
    upstreams: { tor: { proxy: ["socks5h://127.0.0.1:9050"] }, all: { group: ["tor", "direct"] } },
    via: "tor",
    forwards: [FORWARD],
  });
});

test("what is not set is left to the server's defaults", () => {
  const options = serveOptions({ users: [] });
  assertEquals(Object.values(options).filter((value) => value !== undefined), [{}, {}]);
});

test("proxies in the place of a name are a way out, whose name tells no login", () => {
  const one = serveOptions({ via: ["socks5h://ada:hunter2@one.example"] });
  assertEquals(one.via, "socks5h://one.example:1080");
  assertEquals(one.upstreams, { "socks5h://one.example:1080": { proxy: ["socks5h://ada:hunter2@one.example"] } });
  const two = ["socks5h://one.example", "socks5://ada:hunter2@[2001:db8::2]:9050"];
  const upstreams = [{ name: "tor", proxy: ["socks5h://127.0.0.1:9050"] }];
  const chain = serveOptions({ via: two, upstreams });
  assertEquals(chain.via, "socks5h://one.example:1080, socks5://[2001:db8::2]:9050");
  assertEquals(chain.upstreams, { tor: { proxy: upstreams[0]!.proxy }, [chain.via!]: { proxy: two } });
  assertEquals(serveOptions({ via: ["direct"] }).upstreams, undefined);
});

test("a way out has the certificates of authorities, and not their files", () => {
  const upstreams = [{
    name: "tls",
    proxy: ["socks5+tls://one.example"],
    authorities: ["PEM"],
    authorityFiles: ["ca.pem"],
  }];
  assertEquals(serveOptions({ upstreams }).upstreams, {
    tls: { proxy: ["socks5+tls://one.example"], authorities: ["PEM"] },
  });
});

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Target, Wire } from "./_client.ts";
import { parseListening, type RunningServer, type RuntimeUnderTest, startServer } from "./_server.ts";
import { assertServes, password, tunnel } from "./_socks.ts";
import { noNotifications, ServiceManager } from "./_service_manager.ts";
import { suite } from "./_suite.ts";

/** A file of settings for one server. */
class Settings {
  readonly path: string;

  constructor(folder: string, settings: object) {
    this.path = join(folder, `${crypto.randomUUID().slice(0, 8)}.json`);
    this.write(settings);
  }

  /** Puts a new file in the place of the old one, as editors do. */
  write(settings: object | string): void {
    writeFileSync(`${this.path}~`, typeof settings === "string" ? settings : JSON.stringify(settings));
    renameSync(`${this.path}~`, this.path);
  }

  serve(runtime: RuntimeUnderTest): Promise<RunningServer> {
    return startServer(runtime, ["--config", this.path], { listen: false });
  }
}

/** Asks for a reload and waits for what the log says of it. */
async function reload(server: RunningServer, word: RegExp = /INFO\s+Reloaded/): Promise<string> {
  const since = server.output().length;
  server.signal("SIGHUP");
  await server.waitForOutput(word, { since });
  return server.output().slice(since);
}

/** Whether a user gets in. */
async function mayLogIn(server: RunningServer, name: string, secret: string): Promise<boolean> {
  using wire = await Wire.connect(server);
  await wire.send(5, 1, 2);
  await wire.read(2);
  await wire.write(password(name, secret));
  return (await wire.read(2))[1] === 0;
}

/** Checks that a tunnel to an echo still carries bytes. */
async function assertCarries(wire: Wire): Promise<void> {
  await wire.send("still there");
  assertEquals(new TextDecoder().decode(await wire.read(11)), "still there");
}

/** A users file. */
const BOB = "bob:plain:x\n";

const listen = ["127.0.0.1:0"];
const [ada, bob] = [{ name: "ada", password: "lovelace" }, { name: "bob", password: "bobby" }];

suite("reloading", ({ bare }) => {
  bare("SIGHUP brings other users, and running sessions go on", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const settings = new Settings(folder, { listen, users: [ada] });
    await using server = await settings.serve(runtime);
    using wire = await tunnel(server, echo.host, echo.port, { user: ["ada", "lovelace"] });
    assertEquals(await mayLogIn(server, "bob", "bobby"), false);

    settings.write({ listen, users: [bob] });
    await reload(server);
    assertEquals([await mayLogIn(server, "ada", "lovelace"), await mayLogIn(server, "bob", "bobby")], [false, true]);
    await assertCarries(wire);
  });

  bare("with reload: recheck those whom the rules do not allow any more are ended", async ({ runtime, folder }) => {
    using kept = await Target.echo();
    using ended = await Target.echo();
    const settings = new Settings(folder, { listen });
    await using server = await settings.serve(runtime);
    using staying = await tunnel(server, kept.host, kept.port);
    using leaving = await tunnel(server, ended.host, ended.port);
    settings.write({ listen, reload: "recheck", rules: [{ action: "deny", ports: [ended.port] }] });
    await reload(server);
    await leaving.readToEnd();
    await assertCarries(staying);
  });

  bare("mistakes are told, each of them, and everything stays as it was", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const settings = new Settings(folder, { listen });
    await using server = await settings.serve(runtime);
    settings.write({ listen, rules: [{ action: "deny" }], idleTimeout: "x", openn: true });
    const output = await reload(server, /ERROR.*openn/);
    assertMatch(output, /ERROR\s+Cannot reload, .*idleTimeout/);
    await assertServes(server, echo);
    settings.write("{");
    await reload(server, /ERROR\s+Cannot reload/);
    await assertServes(server, echo);
    settings.write({ listen });
    await reload(server);
    await assertServes(server, echo);
  });

  bare("listeners come and go", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "socket");
    const settings = new Settings(folder, { listen });
    await using server = await settings.serve(runtime);
    settings.write({ listen: [...listen, `unix:${path}`] });
    const output = await reload(server);
    assertStringIncludes(output, `unix:${path}`);
    await assertServes({ host: "", port: 0, path }, echo);
    await assertServes(server, echo);
  });

  bare("a listener that cannot be had leaves the others alone", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const settings = new Settings(folder, { listen });
    await using server = await settings.serve(runtime);
    settings.write({ listen: [...listen, `127.0.0.1:${echo.port}`], rules: [{ action: "deny" }] });
    await reload(server, /ERROR\s+Cannot reload, .*address already in use/);
    await assertServes(server, echo);
  });

  bare("with watch: true a file is loaded again when another takes its place", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const settings = new Settings(folder, { listen, watch: true });
    await using server = await settings.serve(runtime);
    for (const logLevel of ["debug", "info"]) {
      const since = server.output().length;
      settings.write({ listen, watch: true, logLevel, users: [ada] });
      await server.waitForOutput(/Reloaded/, { since });
    }
    assertEquals(await mayLogIn(server, "ada", "lovelace"), true);
    const since = server.output().length;
    settings.write("{");
    await server.waitForOutput(/ERROR\s+Cannot reload/, { since });
    settings.write({ listen, watch: true });
    await server.waitForOutput(/Reloaded/, { since });
    await assertServes(server, echo);
  });

  bare("so are the users file and secrets", async ({ runtime, folder }) => {
    const [usersFile, secret] = [join(folder, "users"), join(folder, "secret")];
    writeFileSync(usersFile, "");
    writeFileSync(secret, "old\n");
    const users = [{ name: "ada", password: { file: secret } }];
    const settings = new Settings(folder, { listen, watch: true, users, usersFile });
    await using server = await settings.serve(runtime);
    for (const [path, text, name, word] of [[secret, "new\n", "ada", "new"], [usersFile, BOB, "bob", "x"]] as const) {
      const since = server.output().length;
      // In its place, and by one write: nobody sees it half written.
      writeFileSync(path, text, { flag: "r+" });
      await server.waitForOutput(/Reloaded/, { since });
      assertEquals(await mayLogIn(server, name, word), true);
    }
  });

  bare("an order to reload that comes while it drains is not heeded", async ({ runtime, folder }) => {
    const settings = new Settings(folder, { listen });
    await using server = await settings.serve(runtime);
    using wire = await Wire.connect(server);
    await wire.send(5, 1, 0);
    await wire.read(2);
    const stopped = server.stop("SIGTERM");
    await server.waitForOutput(/Draining 1 session/);
    server.signal("SIGHUP");
    await server.waitForOutput(/WARN.* Not reloaded: the program is ending/);
    wire[Symbol.dispose]();
    assertEquals(await stopped, 0);
  });

  bare("the service manager hears of the start, of reloads and of the end", async ({ runtime, folder }) => {
    await using manager = await new ServiceManager(folder).listening();
    const settings = new Settings(folder, { listen });
    await using server = await startServer(runtime, ["--config", settings.path], {
      listen: false,
      env: { NOTIFY_SOCKET: manager.socket },
    });
    const [ready, status] = await manager.next();
    assertEquals(ready, "READY=1");
    assertEquals(parseListening(`${status!.replace("STATUS=Serving", "listening")}\n`)[0]?.port, server.port);
    await reload(server);
    assertMatch((await manager.next()).join(" "), /^RELOADING=1 MONOTONIC_USEC=\d+$/);
    assertEquals((await manager.next())[0], "READY=1");
    const stopped = server.stop("SIGTERM");
    assertMatch((await manager.next()).join(" "), /^STOPPING=1 .* EXTEND_TIMEOUT_USEC=35000000$/);
    assertEquals(await stopped, 0);
  }, { skip: noNotifications });
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { FAIL2BAN_FILTER } from "../../src/cli/fail2ban_filter.ts";
import { eventually, Target, Wire } from "./_client.ts";
import { onPath, type RunningServer, runToExit, startServer } from "./_server.ts";
import { asked, assertServes, CONNECT, password } from "./_socks.ts";
import { suite } from "./_suite.ts";

/** Why a program cannot be used; `undefined` if it can. */
const missing = (program: string): string | undefined =>
  onPath(program) === undefined ? `${program} is not installed` : undefined;

const notRoot = process.getuid?.() === 0 ? undefined : "only root can become another user";

/** Listens like systemd, on a port and on a path, and becomes the server. */
const ACTIVATE = [
  "python3",
  "-c",
  `
import os, socket, sys
listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
listeners[1].bind(os.environ["ACTIVATE_PATH"])
listeners[1].listen()
copies = [os.dup2(os.dup(listener.fileno()), 10 + index) for index, listener in enumerate(listeners)]
for index, copy in enumerate(copies): os.dup2(copy, 3 + index)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="office:home")
os.execvp(sys.argv[1], sys.argv[1:])
`,
];

/** Tries a wrong password. */
async function failToLogIn(server: RunningServer): Promise<void> {
  using wire = await Wire.connect(server);
  await wire.send(5, 1, 2, password("ada\n", "wrong"));
  await wire.readToEnd();
}

suite("service", ({ bare }) => {
  bare("sockets that systemd opened are served in place of others", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "activated");
    const config = join(folder, "activated.json");
    const rules = [{ action: "deny", listeners: ["home"], ports: [echo.port], reason: "not from home" }];
    writeFileSync(config, JSON.stringify({ listen: [{ address: "127.0.0.1:1", name: "home" }], rules }));
    await using server = await startServer(runtime, ["--config", config], {
      listen: false,
      prefix: ACTIVATE,
      env: { ACTIVATE_PATH: path },
    });
    await server.waitForOutput(/Listening on unix:/);
    assert(server.port > 1);
    await assertServes(server, echo);
    const { reply } = await asked({ host: "", port: 0, path }, CONNECT, echo.host, echo.port);
    assertEquals(reply.code, 2);
    await server.waitForOutput(/not from home/);
  }, { skip: missing("python3") });

  bare("a log file that was moved away is left at SIGUSR1, with no line lost", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "log");
    await using server = await startServer(runtime, ["--log-file", path]);
    for (const [number, signal] of (["SIGUSR1", "SIGUSR2"] as const).entries()) {
      await assertServes(server, echo);
      await eventually("the session in the log", () => readFileSync(path, "utf8").includes("finished"));
      renameSync(path, `${path}.${number}`);
      await assertServes(server, echo);
      await eventually(
        "the second session in the file that was moved",
        () => readFileSync(`${path}.${number}`, "utf8").split("finished").length === 3,
      );
      server.signal(signal);
      await eventually("a new file", () => readable(path));
    }
    await assertServes(server, echo);
    assertEquals(await server.stop("SIGTERM"), 0);
    assertEquals(readFileSync(path, "utf8").split("finished").length, 2);
  });

  bare("a log file that cannot be opened is refused", async ({ runtime, folder }) => {
    const { code, output } = await runToExit(runtime, ["--log-file", join(folder, "missing", "log")]);
    assertEquals(code, 1);
    assertMatch(output, /^Cannot open the log file ".*": no such folder$/m);
  });

  bare("where nobody reads it as it comes, the log is JSON", async ({ runtime }) => {
    using echo = await Target.echo();
    await using server = await startServer(runtime, ["--log-format", "auto"]);
    await assertServes(server, echo);
    await server.waitForOutput(/"event":"session"/);
    const lines = server.output().trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ event }) => event), ["listening", "session"]);
    const { target, targetPort, end, client, level } = lines[1];
    assertEquals({ target, targetPort, end, client, level }, {
      target: "127.0.0.1",
      targetPort: echo.port,
      end: "finished",
      client: "127.0.0.1",
      level: "info",
    });
  });

  bare("fail2ban finds who fails to log in, in both formats", async ({ runtime, folder }) => {
    const filter = join(folder, "socks-server.conf");
    writeFileSync(filter, FAIL2BAN_FILTER);
    for (const format of ["text", "json"]) {
      const log = join(folder, `${format}.log`);
      await using server = await startServer(
        runtime,
        ["--user", "ada:lovelace", "--log-format", format, "--log-file", log],
      );
      await failToLogIn(server);
      await failToLogIn(server);
      await eventually("two sessions", () => readFileSync(log, "utf8").split(/refused/).length > 2);
      await server.stop("SIGTERM");
      const { stdout } = spawnSync("fail2ban-regex", ["--out", "ip", log, filter], { encoding: "utf8" });
      assertEquals(stdout.trim().split("\n"), ["127.0.0.1", "127.0.0.1"], readFileSync(log, "utf8"));
    }
  }, { skip: missing("fail2ban-regex") });

  bare("the units that it prints are right", async ({ runtime, folder }) => {
    const units: [string, string[]][] = [["socks-server.service", []], ["socks-server.socket", ["--socket"]]];
    for (const [name, flags] of units) {
      const { code, output } = await runToExit(runtime, ["service", "systemd", ...flags]);
      assertEquals(code, 0, output);
      writeFileSync(join(folder, name), output);
    }
    const args = ["verify", ...units.map(([name]) => join(folder, name))];
    const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    assertEquals([status, stdout + stderr], [0, ""]);
  }, { skip: missing("systemd-analyze") });

  bare("as root it becomes another user once it listens, for good", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    openToAll(folder);
    if (process.env.SOCKS_NPM_DIR) openToAll(process.env.SOCKS_NPM_DIR);
    const log = join(folder, "nobody.log");
    await using server = await startServer(runtime, ["--run-as", "nobody", "--log-file", log], {
      prefix: ["setpriv", "--groups", "4,27"],
    });
    const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
    const nobody = /^Uid:\s+(\d+)/m.exec(status)![1]!;
    assert(Number(nobody) > 0, status);
    assertMatch(status, new RegExp(`^Uid:(\\s+${nobody}){4}$`, "m"));
    assert(!/^Groups:.*\b(?:0|4|27)\b/m.test(status), status);
    assertMatch(status, /^CapPrm:\s+0+$/m);
    await assertServes(server, echo);
    server.signal("SIGUSR2");
    await assertServes(server, echo);
    assertEquals(await server.stop("SIGTERM"), 0);
    assertStringIncludes(readFileSync(log, "utf8"), "finished");
  }, { skip: notRoot ?? missing("setpriv") });

  bare("counts that this other user could not write keep it from starting", async ({ runtime, folder }) => {
    openToAll(folder);
    if (process.env.SOCKS_NPM_DIR) openToAll(process.env.SOCKS_NPM_DIR);
    const counts = join(folder, "roots", "counts.json");
    mkdirSync(dirname(counts), { mode: 0o755 });
    const config = join(folder, "counts.json");
    writeFileSync(config, JSON.stringify({ listen: ["127.0.0.1:0"], runAs: "nobody", store: { file: counts } }));
    const { code, output } = await runToExit(runtime, ["--config", config]);
    assertEquals([code, output], [1, `Cannot write counts to "${counts}" as "nobody": EACCES: permission denied\n`]);
  }, { skip: notRoot });

  bare("a user that it cannot become is refused", async ({ runtime }) => {
    const cases: [string, RegExp][] = [
      ["no-such-user", /runAs: found "no-such-user", expected a user of this system/],
      ["root", /expected a user other than root/],
    ];
    for (const [user, message] of cases) {
      const { code, output } = await runToExit(runtime, ["--run-as", user]);
      assertEquals(code, 2, output);
      assertMatch(output, message);
    }
  });
});

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Lets every user into folders of the tests: the program must be readable for who it becomes. */
function openToAll(folder: string): void {
  if (!folder.startsWith(`${tmpdir()}/`) || !existsSync(folder)) return;
  chmodSync(folder, 0o755);
  openToAll(dirname(folder));
}

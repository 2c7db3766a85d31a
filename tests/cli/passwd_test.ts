import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hashPassword } from "../../src/auth/password_hash.ts";
import { parseUsersFile } from "../../src/auth/users_file.ts";
import { type PasswdTools, runPasswd } from "../../src/cli/passwd.ts";
import { type PasswdArguments, passwdCommand } from "../../src/cli/passwd_command.ts";
import { NoAnswer } from "../../src/cli/prompt.ts";
import { runWords } from "./_run.ts";
import { FakeTerminal } from "./_terminal.ts";

const HASH = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

interface Trial {
  readonly args?: readonly string[];
  readonly answers?: readonly (string | NoAnswer)[];
  readonly isLive?: boolean;
  readonly files?: Record<string, string>;
  readonly hash?: PasswdTools["hash"];
  readonly failure?: Error;
  readonly isRoot?: boolean;
}

/** Runs the command with somebody who gives these answers. */
async function trial(given: Trial) {
  const { args = ["ada"], answers = [], isLive = true, files = {}, hash, failure, isRoot = false } = given;
  const terminal = new FakeTerminal();
  const left = [...answers];
  const asked: string[] = [];
  const hashed: string[] = [];
  let read: PasswdArguments | undefined;
  const command = passwdCommand((found) => {
    read = found;
    return Promise.resolve();
  });
  await command.parseAsync(args, { from: "user" });
  const code = await runPasswd(read!, terminal, {
    isRoot,
    openPrompt: () => ({
      isLive,
      ask: (question, isSecret) => {
        asked.push(isSecret ? `${question}(hidden)` : question);
        const answer = left.shift() ?? new NoAnswer("standard input has ended");
        return typeof answer === "string" ? Promise.resolve(answer) : Promise.reject(answer);
      },
      close: () => asked.push("closed"),
    }),
    hash: hash ?? ((password) => {
      hashed.push(password);
      return Promise.resolve(HASH);
    }),
    replaceFile: (path, change) => {
      if (failure !== undefined) return Promise.reject(failure);
      const former = files[path];
      files[path] = change(former ?? "");
      return Promise.resolve(former === undefined);
    },
  });
  return { code, asked, hashed, files, out: terminal.stdout, err: terminal.stderr };
}

test("a person is asked twice, and the entry is printed", async () => {
  const { code, asked, hashed, out, err } = await trial({ answers: ["lovelace", "lovelace"] });
  assertEquals([code, out, err], [0, [`ada:${HASH}`], []]);
  assertEquals(asked, ["Password for ada: (hidden)", "Again: (hidden)", "closed"]);
  assertEquals(hashed, ["lovelace"]);
});

test("a program is read once", async () => {
  const { code, asked, out } = await trial({ isLive: false, answers: ["lovelace"], args: ["ada", "--groups=a, b"] });
  assertEquals([code, out], [0, [`ada:${HASH}:a,b`]]);
  assertEquals(asked.length, 2);
});

test("the entry is one that its password opens", async () => {
  const { out } = await trial({ isLive: false, answers: ["lovelace"], hash: hashPassword });
  const [user] = parseUsersFile(out.join("\n"));
  assertEquals(user!.name, "ada");
  assertMatch(user!.password ?? "none", /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

test("a name that was not given is asked for, of a person", async () => {
  const { code, asked, out } = await trial({ args: [], answers: ["alan", "x", "x"] });
  assertEquals([code, out, asked[0]], [0, [`alan:${HASH}`], "Name: "]);
  const program = await trial({ args: [], isLive: false, answers: ["x"] });
  assertEquals(program.code, 2);
  assertEquals(program.err, ["Cannot make an entry: found no name, expected one: socks-server passwd NAME"]);
});

test("a users file gets the entry, and its other lines stay", async () => {
  const files = { "users.txt": `# us\nada:plain:old\nalan:${HASH}:night\n` };
  const added = await trial({ args: ["grace", "--file", "users.txt"], answers: ["x", "x"], files });
  assertEquals([added.code, added.out], [0, ['Wrote "grace" to "users.txt"']]);
  await trial({ args: ["ada", "--file=users.txt"], answers: ["x", "x"], files });
  await trial({ args: ["alan", "--file=users.txt"], answers: ["x", "x"], files });
  assertEquals(files["users.txt"], `# us\nada:${HASH}\nalan:${HASH}:night\ngrace:${HASH}\n`);
  await trial({ args: ["alan", "--file=users.txt", "--groups="], answers: ["x", "x"], files });
  assertStringIncludes(files["users.txt"], `\nalan:${HASH}\n`);
  const made = await trial({ args: ["ada", "--file=new.txt", "--groups=staff"], answers: ["x", "x"] });
  assertEquals([made.out, made.files], [['Wrote "ada" to the new file "new.txt"'], {
    "new.txt": `ada:${HASH}:staff\n`,
  }]);
});

test("root is told who can read a new file, and nobody else is", async () => {
  const args = ["ada", "--file=new.txt"];
  const by = async (isRoot: boolean, files = {}) => (await trial({ args, answers: ["x", "x"], isRoot, files })).out;
  const [wrote, told, ...more] = await by(true);
  assertEquals([wrote, more], ['Wrote "ada" to the new file "new.txt"', []]);
  assertStringIncludes(told!, "Root alone can read it");
  assertEquals((await by(true, { "new.txt": "" })).length, 1);
  assertEquals((await by(false)).length, 1);
});

test("mistakes are told, change nothing and show no password", async () => {
  const cases: readonly (readonly [Trial, string])[] = [
    [{ answers: ["topsecret", "topsecreT"] }, "found two different passwords, expected the same twice"],
    [{ answers: ["", ""] }, "found an empty password, expected 1 to 255 bytes"],
    [{ answers: [] }, "standard input has ended"],
    [
      { answers: ["topsecret".repeat(40)], isLive: false, hash: hashPassword },
      "found 360 bytes, expected 1 to 255",
    ],
    [{ args: ["a:b"], answers: ["topsecret", "topsecret"] }, "found a colon in the name, expected none"],
    [
      { args: ["ada", "--groups=a b"], answers: ["topsecret", "topsecret"] },
      "found a group that is empty or has a space or colon in it, expected GROUP,GROUP",
    ],
  ];
  for (const [given, problem] of cases) {
    const { code, out, err, asked } = await trial(given);
    assertEquals([code, out, err], [2, [], [`Cannot make an entry: ${problem}`]]);
    assertEquals(asked.at(-1), "closed");
  }
});

test("a wrong name is told before anybody types a password", async () => {
  const { asked } = await trial({ args: ["#ada"], answers: ["x", "x"] });
  assertEquals(asked, ["closed"]);
});

test("Ctrl+C calls it off", async () => {
  const { code, err } = await trial({ answers: ["x", new NoAnswer("interrupted", true)] });
  assertEquals([code, err], [130, ["Cannot make an entry: interrupted"]]);
});

test("a file with mistakes stays as it is", async () => {
  const files = { "users.txt": "ada:topsecret\nalan\n" };
  const { code, err } = await trial({ args: ["grace", "--file=users.txt"], answers: ["x", "x"], files });
  assertEquals(code, 2);
  assertEquals(err.map((line) => line.slice(0, 25)), ["users.txt: line 1: found ", "users.txt: line 2: found "]);
  assert(!err.join().includes("topsecret"));
  assertEquals(files["users.txt"], "ada:topsecret\nalan\n");
});

test("a file that cannot be written is told with the reason", async () => {
  const args = ["ada", "--file=users.txt"];
  for (
    const [reason, told] of [["EACCES", "permission denied"], ["ENOENT", "no such directory"], ["EXOTIC", "EXOTIC"]]
  ) {
    const failure = Object.assign(new Error(reason), { code: reason });
    const { code, err } = await trial({ args, answers: ["x", "x"], failure });
    assertEquals([code, err], [1, [`Cannot write "users.txt": ${told}`]]);
  }
});

test("the help says how", async () => {
  const help = (await runWords("passwd --help")).stdout.join("\n");
  assertStringIncludes(help, "socks-server passwd [flags] [name]");
  for (const flag of ["--file <FILE>", "--groups <GROUP,GROUP>", "--help"]) assertStringIncludes(help, flag);
});

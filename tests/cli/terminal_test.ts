import { spawn } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";

const TERMINAL = new URL("../../src/cli/terminal.ts", import.meta.url).href;

/** Runs a program that writes to the terminal and ends at once; its standard error is read or closed. */
async function written(body: string, isRead: boolean): Promise<{ code: number | null; text: string }> {
  const program = `import { outliveReaders, terminal } from ${JSON.stringify(TERMINAL)};
    outliveReaders();
    ${body}
    process.exit(3);`;
  const { execPath, execArgv, versions } = process;
  const { NO_COLOR: _none, ...env } = process.env; // Node would warn of it beside FORCE_COLOR
  const args = "deno" in versions
    ? ["eval", `import process from "node:process";\n${program}`]
    : "bun" in versions
    ? ["-e", program]
    : [...execArgv.filter((word) => !/^--test/.test(word)), "--input-type=module", "-e", program];
  const child = spawn(execPath, args, {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: { ...env, FORCE_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  if (isRead) child.stderr!.setEncoding("utf8").on("data", (part: string) => text += part);
  else child.stderr!.destroy();
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, text };
}

test("lines of the log are written as they are, also where colours are asked for", async () => {
  const { code, text } = await written(`terminal.err("100%% %s %c …"); terminal.err("{}");`, true);
  assertEquals({ code, text }, { code: 3, text: "100%% %s %c …\n{}\n" });
});

test("nobody who reads is nothing that ends the program", async () => {
  const body = `for (let line = 0; line < 2000; line++) terminal.err("x".repeat(100));`;
  assertEquals((await written(body, false)).code, 3);
});

/**
 * The command that makes users, run as a program would.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { run } from "../clients/_process.ts";
import type { RuntimeUnderTest } from "../conformance/_server.ts";

/** What `passwd` printed for a password on its standard input, on both outputs; it must end well. */
export async function passwd(runtime: RuntimeUnderTest, password: string, ...args: readonly string[]): Promise<string> {
  const command = [...runtime.command, "passwd", ...args];
  const { code, stdout, stderr } = await run(command, { signal: AbortSignal.timeout(140_000), input: `${password}\n` });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(stdout.includes(password), false, "the password is shown");
  return stdout;
}

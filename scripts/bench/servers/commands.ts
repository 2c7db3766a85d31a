import { run } from "../../_run.ts";
import { join } from "node:path";

/** The path of an installed program, by the first of its names that is found. */
export async function findCommand(...names: readonly string[]): Promise<string | undefined> {
  // Daemons are kept apart, in folders that are not on every PATH.
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      const info = await Deno.stat(path).catch(() => undefined);
      if (info?.isFile && (info.mode ?? 0) & 0o111) return path;
    }
  }
  return undefined;
}

/** What a pattern's first group finds in a command's output; empty if nothing. */
export async function askCommand(command: string, args: readonly string[], pattern: RegExp): Promise<string> {
  try {
    const { output } = await run(command, args, { timeoutMs: 10_000 });
    return pattern.exec(output)?.[1] ?? "";
  } catch {
    return "";
  }
}

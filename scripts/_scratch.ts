import config from "../deno.json" with { type: "json" };
import { runOrThrow } from "./_run.ts";
import { join } from "node:path";

/** What Node needs to run TypeScript; Deno and Bun do so themselves. */
const TSX = "^4.23.15";

/**
 * Lays the sources and the tests out as Node and Bun want them: bare names resolved through node_modules, with the
 * dependencies that deno.json names. The files themselves are copied as they are.
 */
export async function prepareScratch(root: string, folder: string): Promise<void> {
  for (const name of ["mod.ts", "deno.json", "src", "tests", "scripts", "README.md"]) {
    await copy(join(root, name), join(folder, name));
  }
  const dependencies: Record<string, string> = { tsx: TSX };
  for (const [name, target] of Object.entries<string>(config.imports)) {
    const range = new RegExp(`^npm:${name}@(.+)$`).exec(target)?.[1];
    if (range !== undefined) dependencies[name] = range;
  }
  const manifest = { name: "scratch", private: true, type: "module", dependencies };
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  await npmInstall(folder, []);
  await installLinks(root, folder);
}

/** Installs what a folder's package.json names, and `packages` besides. */
export async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  // esbuild, which tsx brings, needs no install script where its platform package is there.
  const install = () => runOrThrow("npm", ["install", "--ignore-scripts", ...quiet, ...packages], { cwd: folder });
  await patiently(install);
}

/** Does what needs the network, again after a pause if that fails. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (const pause of [5_000, 30_000]) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return await attempt();
}

/** Puts the packages that `links` names (they stand for JSR's) into node_modules. */
async function installLinks(root: string, folder: string): Promise<void> {
  for (const link of config.links) {
    const linked = JSON.parse(await Deno.readTextFile(join(root, link, "deno.json")));
    const target = join(folder, "node_modules", linked.name);
    await copy(join(root, link), target);
    const manifest = { name: linked.name, version: linked.version, type: "module", exports: linked.exports };
    await Deno.writeTextFile(join(target, "package.json"), JSON.stringify(manifest));
  }
}

/** Copies a file or a folder; what does not exist is left out. */
async function copy(from: string, to: string): Promise<void> {
  const info = await Deno.stat(from).catch(() => undefined);
  if (info?.isFile) await Deno.copyFile(from, to);
  if (!info?.isDirectory) return;
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

import { buildNpm } from "../../build_npm.ts";
import { npmPackage } from "../../npm_package.ts";
import { findRuntimes, type Runtime } from "../../_runtimes.ts";
import { npmInstall } from "../../_scratch.ts";
import { askCommand } from "./commands.ts";
import type { Candidate, Missing, Program } from "./server.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../mod.ts", import.meta.url));

/**
 * This project's server on each runtime: the sources on Deno, the npm build on Bun and Node.
 *
 * @param folder Where the npm package is built, from the sources as they are, and installed with its dependencies.
 * @param wanted Tells which servers are asked for.
 */
export async function findOurs(folder: string, wanted: (id: string) => boolean): Promise<(Candidate | Missing)[]> {
  const runtimes = (await findRuntimes()).filter((runtime) => wanted(idOf(runtime)));
  const usesPackage = runtimes.some(({ kind, binary }) => kind !== "deno" && binary !== undefined);
  const installed = usesPackage ? await installPackage(folder) : "";
  return await Promise.all(runtimes.map((runtime) => describe(runtime, installed)));
}

function idOf({ name }: Runtime): string {
  return name.toLowerCase().replaceAll(" ", "");
}

/** Builds and installs the npm package; returns the path of its program, or an error. */
async function installPackage(folder: string): Promise<string | Error> {
  try {
    const tarball = await buildNpm(join(folder, "npm"));
    const target = join(folder, "installed");
    await Deno.mkdir(target);
    await Deno.writeTextFile(join(target, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await npmInstall(target, [tarball]);
    return join(target, "node_modules", npmPackage.package.name, "bin.js");
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function describe(runtime: Runtime, installed: string | Error): Promise<Candidate | Missing> {
  const { kind, name, binary } = runtime;
  const id = idOf(runtime);
  const label = `@x/socks, ${name}`;
  if (binary === undefined) return { id, label, reason: `"${kind}" is not installed` };
  if (kind !== "deno" && installed instanceof Error) return { id, label, reason: installed.message };
  const version = await askCommand(binary, ["--version"], /(\d+\.\d+\.\d+)/);
  const prepare = (_folder: string, port: number): Promise<Program[]> => {
    const program = kind === "deno" ? ["run", "-A", "--unstable-net", MAIN] : [`${installed}`];
    const args = [...program, "--listen", `127.0.0.1:${port}`, "--log-level", "warning"];
    return Promise.resolve([{ command: binary, args, port }]);
  };
  const note = "Deno runs with --unstable-net, which brings Deno.listenDatagram.";
  return {
    id,
    label,
    version: `${kind === "node" ? "Node" : name} ${version}`,
    ours: true,
    udp: true,
    ...kind === "deno" ? { note } : {},
    prepare,
  };
}

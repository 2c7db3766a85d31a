/**
 * Builds the npm package: `deno task npm [--out FOLDER]`.
 *
 * `deno pack` turns the sources into ESM and declarations; this script completes what it leaves out (programs, engines,
 * description), checks what it got, and has npm make the tarball. Everything is built in a folder beside the target and
 * swapped in at the end, so a failure leaves the former build as it was.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { checkPackage, filesOf } from "./_check_package.ts";
import { npmPackage } from "./npm_package.ts";
import { onInterrupt, runOrThrow } from "./_run.ts";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What `deno pack` writes into package.json, as far as it is used here. */
interface PackedManifest {
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly main: string;
  readonly types: string;
  readonly exports: Record<string, Record<string, string>>;
  readonly dependencies?: Record<string, string>;
}

/** Runs `deno pack` and unpacks what it made into `folder`. */
async function packSources(folder: string): Promise<void> {
  const tarball = join(folder, "sources.tgz");
  const args = ["pack", "--allow-dirty", "--no-source-maps", "--output", tarball];
  await runOrThrow(Deno.execPath(), args, { cwd: root, env: { NO_COLOR: "1" } });
  await runOrThrow("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  await Deno.remove(tarball);
  // A source that no export leads to comes along as it is, for nobody.
  for (const file of await filesOf(folder)) {
    if (file.endsWith(".ts") && !file.endsWith(".d.ts")) await Deno.remove(join(folder, file));
  }
}

/** The programs' JavaScript, by path inside the package. Their sources have no types, so only the paths change. */
async function writePrograms(folder: string): Promise<Record<string, string>> {
  const bin: Record<string, string> = {};
  for (const { name, path } of npmPackage.bin) {
    const source = await Deno.readTextFile(join(root, path));
    const text = source.replaceAll(/"\.\.\/(src\/[^"]+)\.ts"/g, '"./$1.js"');
    const file = basename(path).replace(/\.ts$/, ".js");
    await Deno.writeTextFile(join(folder, file), `#!/usr/bin/env node\n${text}`);
    await Deno.chmod(join(folder, file), 0o755);
    bin[name] = file;
  }
  return bin;
}

/** Completes package.json. */
async function writeManifest(folder: string, bin: Record<string, string>): Promise<void> {
  const path = join(folder, "package.json");
  const packed: PackedManifest = JSON.parse(await Deno.readTextFile(path));
  const { name, description, keywords, engines } = npmPackage.package;
  const imports: Readonly<Record<string, string>> = config.imports;
  const versionOf = (name: string): string => imports[name]?.replace(`npm:${name}@`, "") ?? "";
  const manifest = {
    name,
    version: packed.version,
    description,
    keywords,
    license: packed.license,
    type: packed.type,
    bin,
    main: packed.main,
    types: packed.types,
    exports: { ...packed.exports, "./package.json": "./package.json" },
    // Without this list the program's TypeScript source, which git keeps beside it, would be packed.
    files: ["*.js", "*.d.ts", "src"],
    engines,
    dependencies: packed.dependencies ?? {},
    optionalDependencies: Object.fromEntries(npmPackage.optional.map((name) => [name, versionOf(name)])),
  };
  await Deno.writeTextFile(path, JSON.stringify(manifest, null, 2) + "\n");
}

/**
 * Puts deno.json's own values where a module imports that file: it is not in the package, and Node 20 warns about every
 * import of JSON.
 */
async function inlineConfig(folder: string): Promise<void> {
  const values = JSON.stringify({ name: npmPackage.package.name, version: config.version, license: config.license });
  for (const file of await filesOf(folder)) {
    if (!file.endsWith(".js")) continue;
    const text = await Deno.readTextFile(join(folder, file));
    const inlined = text.replace(
      /^import (\w+) from "(?:\.\.?\/)+deno\.json" with \{\s*type: "json"\s*\};$/m,
      (_match, name: string) => `const ${name} = ${values};`,
    );
    if (inlined !== text) await Deno.writeTextFile(join(folder, file), inlined);
  }
}

/** Lets the examples in the declarations import the package by the name it has on npm. */
async function renameInDeclarations(folder: string): Promise<void> {
  for (const file of await filesOf(folder)) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await Deno.readTextFile(join(folder, file));
    const renamed = text.replaceAll(new RegExp(`"${config.name}(?=["/])`, "g"), `"${npmPackage.package.name}`);
    if (renamed !== text) await Deno.writeTextFile(join(folder, file), renamed);
  }
}

/** Lets npm make the tarball; returns its file name. */
async function packTarball(folder: string): Promise<string> {
  const { stdout } = await runOrThrow("npm", ["pack", "--json", "--ignore-scripts"], { cwd: folder });
  const [made] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  if (made === undefined) throw new Error("Cannot pack: npm names no tarball");
  const foreign = made.files.map(({ path }) => path).filter((path) =>
    /_test\.|(^|\/)tests?\/|std_assert|node_modules/.test(path) || path.endsWith(".ts") && !path.endsWith(".d.ts")
  );
  if (foreign.length > 0) {
    throw new Error(`Cannot pack: the tarball holds files that are not of the package: ${foreign}`);
  }
  return made.filename;
}

/** Puts `folder` in the place of `target`, along with the files of `target` that git keeps. */
async function swap(folder: string, target: string): Promise<void> {
  const former = `${folder}-former`;
  let moved = false;
  try {
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.rename(target, former);
    moved = true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    await Deno.rename(folder, target);
  } catch (error) {
    if (moved) await Deno.rename(former, target);
    throw error;
  }
  if (moved) await Deno.remove(former, { recursive: true });
}

/**
 * Builds the package into `target`, which is replaced.
 *
 * @returns The path of the tarball.
 */
export async function buildNpm(target: string): Promise<string> {
  await Deno.mkdir(dirname(target), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: dirname(target), prefix: ".npm-build-" });
  onInterrupt(() => Deno.removeSync(folder, { recursive: true }));
  try {
    await Deno.chmod(folder, 0o755);
    await packSources(folder);
    const bin = await writePrograms(folder);
    await writeManifest(folder, bin);
    await inlineConfig(folder);
    await renameInDeclarations(folder);
    await checkPackage(folder, config.imports);
    const tarball = await packTarball(folder);
    for (const { path } of npmPackage.bin) await Deno.copyFile(join(root, path), join(folder, basename(path)));
    await swap(folder, target);
    return join(target, tarball);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

if (import.meta.main) {
  const [flag, folder, ...rest] = Deno.args;
  if (rest.length > 0 || (flag !== undefined && (flag !== "--out" || folder === undefined))) {
    console.error(`Cannot build: expected no arguments or "--out FOLDER", found "${Deno.args.join(" ")}"`);
    Deno.exit(2);
  }
  try {
    console.log(`Wrote ${await buildNpm(folder === undefined ? join(root, "npm") : resolve(folder))}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}

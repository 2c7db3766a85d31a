import { dirname, join, normalize } from "node:path";
import { isBuiltin } from "node:module";

/** The paths of every file below a folder, from that folder. */
export async function filesOf(folder: string, below = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(join(folder, below))) {
    if (entry.name === "node_modules") continue;
    const path = join(below, entry.name);
    if (entry.isDirectory) files.push(...await filesOf(folder, path));
    else files.push(path);
  }
  return files.sort();
}

/** The specifiers which a module of `deno pack`'s output imports or exports from, statically or not. */
function specifiersOf(text: string): string[] {
  // A specifier inside a comment is an example's, not the module's.
  const code = text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const found = code.matchAll(
    /(?:^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)"([^"\n]+)"/gm,
  );
  return [...found].map((match) => match[1]!);
}

/**
 * Checks what `deno pack` may get wrong without failing: declarations left out for slow types, imports that lead out of
 * the package, dependencies that npm cannot install.
 */
export async function checkPackage(folder: string, imports: Readonly<Record<string, string>>): Promise<void> {
  const files = new Set(await filesOf(folder));
  const manifest = JSON.parse(await Deno.readTextFile(join(folder, "package.json")));
  const dependencies: Record<string, string> = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const problems: string[] = [];

  for (const [name, range] of Object.entries(dependencies)) {
    const wanted = imports[name];
    if (wanted !== `npm:${name}@${range}`) problems.push(`depends on "${name}@${range}", deno.json has "${wanted}"`);
  }
  for (const [name, conditions] of Object.entries<string | Record<string, string>>(manifest.exports)) {
    if (typeof conditions === "string") continue;
    if (!conditions.types) problems.push(`export "${name}" has no types: deno doc --lint names its slow types`);
    for (const path of Object.values(conditions)) {
      if (!files.has(normalize(path))) problems.push(`export "${name}" names "${path}", which is not there`);
    }
  }
  for (const name of ["README.md", "LICENSE"]) if (!files.has(name)) problems.push(`"${name}" is missing`);
  for (const file of files) {
    const isTypes = file.endsWith(".d.ts");
    if (!isTypes && !file.endsWith(".js")) continue;
    for (const specifier of specifiersOf(await Deno.readTextFile(join(folder, file)))) {
      if (!specifier.startsWith(".")) {
        const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
        if (name in dependencies || name === manifest.name || isBuiltin(specifier)) continue;
        problems.push(`"${file}" imports "${specifier}", which is not a dependency`);
        continue;
      }
      const path = join(dirname(file), specifier);
      const wanted = isTypes ? path.replace(/\.js$/, ".d.ts") : path;
      if (!files.has(wanted)) problems.push(`"${file}" imports "${specifier}", but "${wanted}" is not there`);
    }
  }
  if (problems.length > 0) throw new Error(`Cannot pack: ${problems.join("\n  ")}`);
}

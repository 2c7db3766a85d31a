import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { VERSION } from "../../src/cli/version.ts";

const root = new URL("../../", import.meta.url);

/** What a module imports when it is loaded: types and dynamic imports left out. */
function staticImports(module: URL): string[] {
  const source = readFileSync(fileURLToPath(module), "utf8").replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = source.matchAll(/^(?:import|export)\s+(?!type\b)(?:[\w*{}\s,]+\sfrom\s+)?"([^"]+)"/gm);
  return Array.from(statements, ([, specifier]) => specifier!);
}

/** All that is loaded with a module: files from the root, and bare names. */
function closure(entry: string): Set<string> {
  const found = new Set<string>();
  const visit = (module: URL): void => {
    const path = module.href.slice(root.href.length);
    if (found.has(path)) return;
    found.add(path);
    for (const specifier of staticImports(module)) {
      if (!specifier.startsWith(".")) found.add(specifier);
      else if (specifier.endsWith(".ts")) visit(new URL(specifier, module));
    }
  };
  visit(new URL(entry, root));
  return found;
}

test("the library loads neither the program nor what the program alone needs", () => {
  const loaded = closure("mod.ts");
  assert(loaded.has("src/server/server.ts") && loaded.has("ipaddr.js"), "the walk finds nothing");
  for (const name of loaded) {
    assert(!/^(commander|zod|@logtape\/logtape)$|^src\/(cli|config)\//.test(name), `mod.ts loads ${name}`);
  }
});

test("the walk over imports finds what the program loads", () => {
  const loaded = closure("src/cli/main.ts");
  for (const name of ["commander", "zod", "@logtape/logtape", "src/config/schema.ts", "src/server/server.ts"]) {
    assert(loaded.has(name), name);
  }
});

test("the version is that of deno.json", () => {
  assertEquals(VERSION, config.version);
});

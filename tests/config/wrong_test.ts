import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/config/config_error.ts";
import { loadConfig } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { type Case, casesIn, ENVIRONMENT } from "./_cases.ts";

const cases = casesIn("wrong");

async function problemsOf({ name, readFile }: Case): Promise<readonly string[]> {
  const loading = () => loadConfig({ flags: {}, env: ENVIRONMENT, file: name, readFile });
  return (await assertRejects(loading, ConfigError, undefined, name)).problems;
}

for (const wrong of cases) {
  test(`what is wrong in ${wrong.name} is told`, async () => {
    assertEquals(await problemsOf(wrong), wrong.expected);
  });
}

test("every setting is wrong once", async () => {
  const problems = await problemsOf(cases.find(({ name }) => name === "every_setting.yaml")!);
  assertEquals(problems.map((problem) => problem.split(" ")[1]!.replace(/:$/, "")), [...SETTINGS]);
});

test("no message holds a secret", async () => {
  for (const wrong of cases) {
    for (const problem of await problemsOf(wrong)) assert(!/hunter2|battery/.test(problem), problem);
  }
});

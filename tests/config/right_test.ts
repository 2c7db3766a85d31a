import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { effectiveSettings, formatSettings } from "../../src/config/effective.ts";
import { loadConfig } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { serveOptions } from "../../src/config/options.ts";
import type { Rule } from "../../src/policy/rule.ts";
import { compileRules } from "../../src/policy/rule_set.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { WayFacilities } from "../../src/upstream/facilities.ts";
import { openWays } from "../../src/upstream/ways.ts";
import { casesIn, ENVIRONMENT } from "./_cases.ts";
import { filesOf } from "./_load.ts";

const cases = casesIn("right");
const unused = () => Promise.reject(new Error("It is not asked for anything"));
const FACILITIES: WayFacilities = { runtime: memory(), lookup: unused, dial: unused, dialProxy: unused };
const used = new Set<string>();

for (const { name, readFile, expected } of cases) {
  test(`${name} is right, and all that is not wise in it is told`, async () => {
    const { config, warnings } = await loadConfig({ flags: {}, env: ENVIRONMENT, file: name, readFile });
    assertEquals(warnings, expected);
    for (const setting of Object.keys(config)) used.add(setting);
    compileRules(config.rules ?? []);
    const { upstreams, via, rules = [] } = serveOptions(config);
    const ways = openWays(upstreams ?? {}, { facilities: FACILITIES, schedule: () => () => {} });
    for (const name of [via, ...(rules as Rule[]).map(({ via }) => via)]) ways.check(name, "via");
    ways.close();
  });

  test(`what is shown of ${name} means the same, but for secrets`, async () => {
    const { config } = await loadConfig({ flags: {}, env: ENVIRONMENT, file: name, readFile });
    // Without its users, "auth" is refused.
    const { users: _users, usersFile: _usersFile, auth: _auth, store: _store, ...plain } = config;
    const open = { ...plain, open: true };
    const shown = effectiveSettings(open);
    for (const format of ["yaml", "json"] as const) {
      const itself = filesOf({ [`shown.${format}`]: formatSettings(shown, format) });
      const files = (path: string) => itself(path).catch(() => readFile(path));
      const again = await loadConfig({ flags: {}, file: `shown.${format}`, readFile: files });
      assertEquals(effectiveSettings(again.config), shown);
      for (const [setting, value] of Object.entries(open)) {
        const loaded: unknown = again.config[setting as keyof typeof open];
        if (setting === "bounds") continue; // shown with the defaults of the others
        assertEquals<unknown>(loaded, value, setting);
      }
    }
  });
}

test("every setting is right once", () => {
  assertEquals(SETTINGS.filter((setting) => !used.has(setting)), []);
});

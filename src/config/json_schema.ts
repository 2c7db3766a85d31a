/**
 * The rules for settings in the form that editors know.
 *
 * @module
 */

import { z } from "zod";
import { schema } from "./schema.ts";

/**
 * Makes a JSON Schema (draft 7) of what can stand in a file of settings. What only code can check, such as a duration's
 * form, is text in it.
 */
export function settingsJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, properties, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-07",
    unrepresentable: "any",
  });
  return {
    $schema,
    title: "Settings of socks-server",
    ...rest,
    properties: { $schema: { type: "string", description: "This schema, for editors." }, ...properties },
  };
}

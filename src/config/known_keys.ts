/**
 * The keys that a place within the settings knows.
 *
 * @module
 */

import type { z } from "zod";

/** The parts of a zod schema that lead to others. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly in?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly valueType?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

/**
 * The keys that an object can have.
 *
 * @param schema The rules for the settings.
 * @param path Where the object stands among them: empty for the settings themselves.
 * @returns The keys; none if there can be no object.
 */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const { shape } = path.reduce<Definition>(step, objectIn(schema));
  return Object.keys(shape ?? {});
}

const NOTHING: Definition = { type: "never" };

function step(definition: Definition, key: PropertyKey): Definition {
  const next = definition.element ?? definition.valueType ?? definition.shape?.[String(key)];
  return next === undefined ? NOTHING : objectIn(next);
}

/** The object, list or record behind what may be optional, transformed or one of several. */
function objectIn(schema: z.ZodType): Definition {
  const definition = schema.def as unknown as Definition;
  if (definition.innerType !== undefined) return objectIn(definition.innerType);
  if (definition.in !== undefined) return objectIn(definition.in);
  const options = definition.options?.map(objectIn) ?? [definition];
  if (options.length === 1) return options[0]!;
  const shapes = options.flatMap(({ shape }) => shape === undefined ? [] : [shape]);
  if (shapes.length > 0) return { type: "object", shape: Object.assign({}, ...shapes) };
  return options.find(({ element, valueType }) => element !== undefined || valueType !== undefined) ?? NOTHING;
}

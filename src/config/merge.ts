/**
 * The settings of several places as one.
 *
 * @module
 */

import type { CheckedLayer, Layer } from "./layer.ts";
import { formatPath } from "./layer.ts";
import type { Settings } from "./schema.ts";

/** Settings whose keys come from different places, each; of all others the whole comes from one. */
const GROUPS: readonly string[] = ["outgoing", "resolver", "bounds"];

/** The settings of all places, and where each is from. */
export class MergedSettings {
  /** The settings. */
  readonly settings: Settings;
  readonly #origins = new Map<string, Layer>();

  /** @param layers The places; later ones win. */
  constructor(layers: readonly CheckedLayer[]) {
    const merged: Record<string, unknown> = {};
    for (const { layer, settings } of layers) {
      for (const [name, value] of Object.entries(settings)) {
        const isGroup = GROUPS.includes(name);
        merged[name] = isGroup ? { ...merged[name] as object, ...value as object } : value;
        for (const key of isGroup ? Object.keys(value as object) : []) this.#origins.set(`${name}.${key}`, layer);
        this.#origins.set(name, layer);
      }
    }
    this.settings = merged as Settings;
  }

  /** Where a setting is from; `undefined` if it is not set. */
  originOf(path: readonly PropertyKey[]): Layer | undefined {
    return this.#origins.get(path.slice(0, 2).join(".")) ?? this.#origins.get(String(path[0]));
  }

  /** What the operator calls the value at a path. */
  nameOf(path: readonly PropertyKey[]): string {
    return this.originOf(path)?.nameOf(path) ?? formatPath(path);
  }

  /** The path of a file that is named at a path, from the working directory. */
  pathFrom(path: readonly PropertyKey[], named: string): string {
    return this.originOf(path)?.pathFrom(named) ?? named;
  }
}

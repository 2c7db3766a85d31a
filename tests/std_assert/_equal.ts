/** Keys that count: own, enumerable, symbols included; as in `@std/assert`, a property set to undefined is a property. */
function ownKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

/**
 * Deep equality with the rules of `@std/assert`'s `equal`: NaN equals NaN, 0 equals -0, constructors must match, and sets
 * and maps compare without regard to order.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a.constructor !== b.constructor && !(isBareObject(a) && isBareObject(b))) return false;
  if (a instanceof WeakMap || a instanceof WeakSet || a instanceof WeakRef) return false;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof Number || a instanceof String || a instanceof Boolean) return Object.is(a.valueOf(), b.valueOf());
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (ArrayBuffer.isView(a)) return sameBytes(a, b as ArrayBufferView);
  if (a instanceof ArrayBuffer) return sameBytes(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  if (a instanceof Error) {
    const other = b as Error;
    if (a.name !== other.name || a.message !== other.message || !compare(a.cause, other.cause, seen)) return false;
  }
  if (a instanceof Map) return sameEntries([...a], [...(b as Map<unknown, unknown>)], seen);
  if (a instanceof Set) return sameEntries([...a], [...(b as Set<unknown>)], seen);
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false;
  const keys = ownKeys(a);
  return keys.length === ownKeys(b).length && keys.every((key) =>
    Object.hasOwn(b, key) &&
    compare((a as Record<PropertyKey, unknown>)[key], (b as Record<PropertyKey, unknown>)[key], seen)
  );
}

/** A literal `{}` and an `Object.create(null)` are the same thing to `@std/assert`. */
function isBareObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const left = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const right = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  return left.every((byte, index) => byte === right[index]);
}

/** Pairs each entry with one of the other side's that no earlier entry took. */
function sameEntries(a: unknown[], b: unknown[], seen: Map<unknown, unknown>): boolean {
  const rest = [...b];
  return a.length === b.length && a.every((entry) => {
    const index = rest.findIndex((other) => compare(entry, other, new Map(seen)));
    if (index >= 0) rest.splice(index, 1);
    return index >= 0;
  });
}

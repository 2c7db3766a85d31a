/**
 * Names of hosts, in the form that they are compared in.
 *
 * @module
 */

/** What a URL gives a meaning of its own; a name with these in it is taken as it is. */
const NOT_FOR_URLS = /[\s/?#@:\\[\]%^|<>]/;

/**
 * Brings a name into the form that it is compared in: lower case, ASCII (`xn--…`, UTS 46), no dot at the end. Names that
 * a resolver takes for the same become the same.
 *
 * @param name A name as a person or a peer wrote it.
 * @returns The name to compare; what has no ASCII form is left as it is, in lower case.
 */
export function comparableName(name: string): string {
  const plain = isAscii(name) ? name.toLowerCase() : toAscii(name) ?? name.toLowerCase();
  return plain.endsWith(".") ? plain.slice(0, -1) : plain;
}

/**
 * The ASCII form of a name.
 *
 * @param name A name, in any script.
 * @returns The name in lower case and ASCII, or `undefined` if it has no such form.
 */
export function toAscii(name: string): string | undefined {
  if (isAscii(name)) return name.toLowerCase();
  if (NOT_FOR_URLS.test(name)) return undefined;
  try {
    const { hostname } = new URL(`http://${name}/`);
    return hostname === "" ? undefined : hostname;
  } catch {
    return undefined;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

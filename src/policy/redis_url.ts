/**
 * Where a Redis server is.
 *
 * @module
 */

/** A Redis server. */
export interface RedisUrl {
  /** What to connect to, with the password. */
  readonly href: string;
  /** The same without user and password, for people. */
  readonly shown: string;
  /** The password, if there is one, as it must not appear anywhere. */
  readonly password: string | undefined;
}

const EXPECTED = "expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS";

/**
 * Reads the URL of a Redis server.
 *
 * @param text What the operator wrote.
 * @returns Its parts.
 * @throws {RangeError} `found …, expected …`, without the password.
 */
export function parseRedisUrl(text: string): RedisUrl {
  const url = parse(text);
  if (url === undefined) throw new RangeError(`found what is not a URL, ${EXPECTED}`);
  const { protocol, hostname, pathname, search, hash } = url;
  if (protocol !== "redis:" && protocol !== "rediss:") throw new RangeError(`found ${protocol}//, ${EXPECTED}`);
  if (hostname === "") throw new RangeError(`found no host, ${EXPECTED}`);
  if (!/^\/?\d{0,9}$/.test(pathname)) {
    throw new RangeError(`found database ${JSON.stringify(pathname.slice(1))}, ${EXPECTED}`);
  }
  if (search + hash !== "") throw new RangeError(`found more after the database, ${EXPECTED}`);
  const database = pathname === "/" ? "" : pathname;
  const shown = `${protocol}//${url.host}${database}`;
  const password = decode(url.password);
  if (decode(url.username) === undefined || password === undefined) {
    throw new RangeError(`found "%" in user or password that begins no %XX, ${EXPECTED}`);
  }
  return { href: url.href, shown, password: password === "" ? undefined : password };
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined; // the error would quote the text
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

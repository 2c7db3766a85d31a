/**
 * An address of this machine's loopback that no other process uses. A port that was free there is still free when it is
 * used, and nobody listens on one that was closed: other tests, which run at the same time, are at 127.0.0.1.
 */
export function ownLoopback(): string {
  const [first, second, third] = crypto.getRandomValues(new Uint8Array(3));
  return `127.${64 + first! % 190}.${second}.${1 + third! % 254}`;
}

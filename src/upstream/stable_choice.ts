/**
 * The same choice for the same key.
 *
 * @module
 */

/**
 * Chooses among items by a key (rendezvous hashing): always the same for the same key, after a restart and on every
 * machine; and when an item comes or goes, the others keep nearly all of their keys.
 *
 * @param items At least one, each with a text of its own.
 * @returns The choice, which takes a moment for each item.
 */
export function stableChoice(items: readonly string[]): (key: string) => string {
  const hashes = items.map(hash);
  return (key) => {
    const keyHash = hash(key);
    let best = 0, highest = -1;
    for (let i = 0; i < hashes.length; i++) {
      const score = scramble(hashes[i]! ^ keyHash);
      if (score > highest) {
        best = i;
        highest = score;
      }
    }
    return items[best]!;
  };
}

/** FNV-1a over UTF-16 units, scrambled: similar texts must not have similar hashes. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return scramble(state);
}

/** The finaliser of MurmurHash3: each bit of what goes in changes half of what comes out. */
function scramble(state: number): number {
  state = Math.imul(state ^ state >>> 16, 0x85ebca6b);
  state = Math.imul(state ^ state >>> 13, 0xc2b2ae35);
  return (state ^ state >>> 16) >>> 0;
}

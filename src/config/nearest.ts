/**
 * What somebody may have meant.
 *
 * @module
 */

/**
 * Finds the known word that is most like a given one.
 *
 * @param word What was written.
 * @param known The words that there are.
 * @returns The nearest, or `undefined` if none is like it.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = simplify(word);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const other = simplify(candidate);
    const distance = editDistance(plain, other);
    const allowed = Math.max(1, Math.floor(Math.max(plain.length, other.length) / 3));
    const alike = distance <= allowed || (plain.length >= 3 && (other.startsWith(plain) || plain.startsWith(other)));
    if (alike && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Spelling that people mix up: case, hyphens and underscores. */
function simplify(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[-_]/g, "");
}

/** How many characters must be added, dropped, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

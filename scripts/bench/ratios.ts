/** The middle of some figures and their range. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The spread of the figures that are there; undefined if there are none. */
export function spread(figures: readonly (number | undefined)[]): Spread | undefined {
  const there = figures.filter((figure) => figure !== undefined && Number.isFinite(figure)) as number[];
  if (there.length === 0) return undefined;
  return { median: median(there), least: Math.min(...there), most: Math.max(...there) };
}

/** The median; NaN if there are no figures. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/**
 * How many times less than `peer` the figures of `own` are. Each ratio is taken within a round, for what disturbs a round
 * disturbs both; a round in which either has no figure above zero has none.
 */
export function ratios(
  own: readonly (number | undefined)[],
  peer: readonly (number | undefined)[],
): Spread | undefined {
  return spread(own.map((figure, round) => {
    const other = peer[round];
    return figure !== undefined && other !== undefined && figure > 0 && other > 0 ? other / figure : undefined;
  }));
}

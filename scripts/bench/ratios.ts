/** The middle of some figures and their range. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The spread of the figures that are there; undefined if there are none. */
export function spread(figures: readonly (number | undefined)[]): Spread | undefined {
  const sorted = figures.filter((figure) => figure !== undefined && Number.isFinite(figure)).sort((a, b) => a! - b!);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
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

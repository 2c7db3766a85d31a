/**
 * Times that have passed, for people.
 *
 * @module
 */

/**
 * Writes a time: `40 ms`, `3.1 s`, `48 s`, `2 min 5 s`, `3 h 20 min`.
 *
 * @param duration Milliseconds, 0 or more.
 */
export function formatElapsed(duration: number): string {
  if (duration < 999.5) return `${Math.round(duration)} ms`;
  if (duration < 9_950) return `${(duration / 1000).toFixed(1)} s`;
  const seconds = Math.round(duration / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
}

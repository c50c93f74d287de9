import type { Row } from "../chaos/ledger.ts";

/** How many leases of a swarm there were at once. */
export interface Leases {
  readonly most: number;
  /**
   * Milliseconds of the longest stretch with fewer than there may be, from the first time that there were all to the last; of everything
   * when there never were all.
   */
  readonly longestBelow: number;
  /** Part of the time between these with as many as there may be. */
  readonly full: number;
}

/**
 * Counts leases by what handlers left: an item has one from its first start to its last end. What a killed process had keeps its own until
 * another one has ended it, also when the code had come to its end and the store did not know yet.
 */
export function leasesOf(rows: readonly Row[], concurrency: number): Leases {
  const held = new Set<string>();
  const stretches: { at: number; size: number }[] = [];
  let most = 0;
  const lastEnds = new Map(rows.map((row, n) => [row.what === "end" ? row.id : undefined, n]));
  for (const [n, { what, id, at }] of rows.entries()) {
    if (what === "start") held.add(id!);
    else if (lastEnds.get(id) === n) held.delete(id!);
    else continue;
    most = Math.max(most, held.size);
    stretches.push({ at: at!, size: held.size });
  }
  const first = stretches.findIndex(({ size }) => size === concurrency);
  if (first < 0) {
    const [begun, ended] = [stretches[0]?.at ?? 0, stretches.at(-1)?.at ?? 0];
    return { most, longestBelow: ended - begun, full: 0 };
  }
  const last = stretches.findLastIndex(({ size }) => size === concurrency);
  let since: number | null = null;
  let longestBelow = 0;
  let below = 0;
  for (const { at, size } of stretches.slice(first, last + 1)) {
    if (size >= concurrency) {
      if (since !== null) {
        longestBelow = Math.max(longestBelow, at - since);
        below += at - since;
      }
      since = null;
    } else {
      since ??= at;
    }
  }
  const whole = stretches[last]!.at - stretches[first]!.at;
  return { most, longestBelow, full: whole === 0 ? 1 : 1 - below / whole };
}

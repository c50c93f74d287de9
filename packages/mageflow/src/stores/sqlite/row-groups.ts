/**
 * Most of the time of a small statement goes into starting it, so rows are written in groups by one statement. Measured:
 * groups of 10 to 50 rows are alike, single rows take twice as long.
 */
export const GROUP = 16;

/** Full groups as far as they go, then one by one. */
export function inGroups<T>(all: readonly T[], write: (group: readonly T[]) => void): void {
  let at = 0;
  for (; at + GROUP <= all.length; at += GROUP) write(all.slice(at, at + GROUP));
  for (; at < all.length; at++) write([all[at]!]);
}

/** Parameters of so many rows, as after VALUES. */
export function rowsOf(columns: number, rows: number): string {
  const row = `(${marks(columns)})`;
  return Array<string>(rows).fill(row).join(", ");
}

export function marks(count: number): string {
  return Array<string>(count).fill("?").join(", ");
}

import { readable } from "../readable.ts";
import type { Stored } from "./record-cache.ts";
import { toRecord } from "../signature-row.ts";
import { type Row, SEQ } from "./row.ts";

/** What can be read of these rows. */
export function readableRows(rows: readonly Row[]): Stored[] {
  return readable(rows, (row) => ({ seq: row[SEQ], record: toRecord(row) }));
}

/** At most `limit` of what `read` finds, with as many more as cannot be read: only the last page is shorter. */
export function readablePage(limit: number, read: (limit: number) => readonly Row[]): Stored[] {
  return wholePage(limit, read, readableRows);
}

/** The same of rows of another shape; `make` leaves out what cannot be read. */
export function wholePage<R>(
  limit: number,
  read: (limit: number) => readonly R[],
  make: (rows: readonly R[]) => Stored[],
): Stored[] {
  for (let more = 0; ;) {
    const rows = read(limit + more);
    const stored = make(rows);
    const left = rows.length - stored.length;
    if (left <= more) return stored.slice(0, limit);
    more = left;
  }
}

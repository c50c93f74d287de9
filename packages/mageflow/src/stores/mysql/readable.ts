import type { SignatureRecord } from "../../core/record.ts";
import { UnreadableError, warnOfLeftOut } from "../../ports/unreadable.ts";
import { type Row, toRecord } from "./row.ts";

/** What can be read of these rows; whoever runs the process is warned of the rest. */
export function readable(rows: readonly Row[]): SignatureRecord[] {
  return rows.flatMap((row) => unlessUnreadable(() => toRecord(row)) ?? []);
}

/** At most `limit` of what `read` finds, with as many more as cannot be read: only the last page is shorter. */
export async function readablePage(
  limit: number,
  read: (limit: number) => Promise<readonly Row[]>,
): Promise<SignatureRecord[]> {
  for (let more = 0; ;) {
    const rows = await read(limit + more);
    const records = readable(rows);
    const left = rows.length - records.length;
    if (left <= more) return records.slice(0, limit);
    more = left;
  }
}

/** What `read` returns; of what cannot be read nothing. */
function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    warnOfLeftOut(error);
    return undefined;
  }
}

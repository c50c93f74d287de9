import { UnreadableError, warnOfLeftOut } from "../ports/unreadable.ts";

/** What `make` makes of these rows, without those that cannot be read. */
export function readable<R, T>(rows: readonly R[], make: (row: R) => T): T[] {
  const made: T[] = [];
  for (const row of rows) {
    try {
      made.push(make(row));
    } catch (error) {
      warnUnlessOther(error);
    }
  }
  return made;
}

/** What `read` returns; of a record that cannot be read nothing, and whoever runs the process is warned. */
export function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    warnUnlessOther(error);
    return undefined;
  }
}

/** At most `limit` of what `make` makes of what `read` finds, with as many more as cannot be read: only the last page is shorter. */
export async function wholePage<R, T>(
  limit: number,
  read: (limit: number) => Promise<readonly R[]>,
  make: (row: R) => T,
): Promise<T[]> {
  return (await withMore((more) => read(limit + more), make)).slice(0, limit);
}

/** What `make` makes of what `read` finds, which is asked for as many more as cannot be read. */
export async function withMore<R, T>(
  read: (more: number) => Promise<readonly R[]>,
  make: (row: R) => T,
): Promise<T[]> {
  for (let more = 0; ;) {
    const rows = await read(more);
    const made = readable(rows, make);
    const left = rows.length - made.length;
    if (left <= more) return made;
    more = left;
  }
}

function warnUnlessOther(error: unknown): void {
  if (!(error instanceof UnreadableError)) throw error;
  warnOfLeftOut(error);
}

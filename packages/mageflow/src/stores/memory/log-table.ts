import { LOG_LEVELS, type LogLine, type LogQuery, type LogRow } from "../../ports/store.ts";

/** Log lines by workflow and by signature, each oldest first. */
export class LogTable {
  #lastSeq = 0;
  readonly #byRoot = new Map<string, LogRow[]>();
  readonly #bySignature = new Map<string, LogRow[]>();
  #all: LogRow[] = [];

  append(line: LogLine): void {
    const row: LogRow = { ...line, seq: ++this.#lastSeq };
    this.#all.push(row);
    file(this.#byRoot, row.rootId, row);
    file(this.#bySignature, row.id, row);
  }

  /** Lines of workflows that are `shown`. */
  read(
    { id, rootId, level, contains, after, limit }: LogQuery,
    shown: (rootId: string) => boolean,
  ): LogRow[] {
    const found: LogRow[] = [];
    const rows = this.#of(id, rootId);
    const least = level === undefined ? 0 : LOG_LEVELS.indexOf(level);
    for (let i = firstBeyond(rows, after); i < rows.length && found.length < limit; i++) {
      const row = rows[i]!;
      if (rootId !== undefined && row.rootId !== rootId) continue;
      if (!shown(row.rootId)) continue;
      if (LOG_LEVELS.indexOf(row.level) < least) continue;
      if (contains !== undefined && !row.message.includes(contains)) continue;
      found.push(row);
    }
    return found;
  }

  count(rootId: string, limit: number): number {
    return Math.min(limit, this.#byRoot.get(rootId)?.length ?? 0);
  }

  /** Forgets the lines of a workflow. */
  drop(rootId: string): void {
    for (const { id } of this.#byRoot.get(rootId) ?? []) this.#bySignature.delete(id);
    this.#byRoot.delete(rootId);
    this.#all = this.#all.filter((row) => row.rootId !== rootId);
  }

  #of(id: string | undefined, rootId: string | undefined): readonly LogRow[] {
    if (id !== undefined) return this.#bySignature.get(id) ?? [];
    if (rootId !== undefined) return this.#byRoot.get(rootId) ?? [];
    return this.#all;
  }
}

function file(rows: Map<string, LogRow[]>, under: string, row: LogRow): void {
  const filed = rows.get(under);
  if (filed === undefined) rows.set(under, [row]);
  else filed.push(row);
}

function firstBeyond(rows: readonly LogRow[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

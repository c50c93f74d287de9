import type { Entry, FlowEvent } from "../../core/event.ts";
import { journalEntries, journalRows } from "../journal-rows.ts";
import type { Connection } from "./connection.ts";

const LAST = "SELECT seq + count - 1 FROM journal WHERE root_id = ? ORDER BY seq DESC LIMIT 1";

/** A row when the workflow is being stored or removed. */
const HIDDEN = "SELECT 1 FROM drafts WHERE root_id = ?";

const APPEND = "INSERT INTO journal (root_id, seq, count, at, body) VALUES (?, ?, ?, ?, ?)";

/** The row that holds the entry with this number, if there is such an entry. */
const HOLDING =
  "SELECT seq, count, at, body FROM journal WHERE root_id = ? AND seq <= ? ORDER BY seq DESC LIMIT 1";

/** One journal a workflow, gapless. A commit adds rows of many entries each: an entry takes some ten bytes. */
export class JournalTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  append(rootId: string, entries: readonly Entry[], now: number): void {
    let seq = this.#last(rootId) + 1;
    for (const { count, body } of journalRows(rootId, entries)) {
      this.#db.run(APPEND, rootId, seq, count, now, body);
      seq += count;
    }
  }

  read(rootId: string, after: number, limit: number): FlowEvent[] {
    const events: FlowEvent[] = [];
    if (this.#isHidden(rootId)) return events;
    let next = Math.max(0, after) + 1;
    while (events.length < limit) {
      const row = this.#db.get<[number, number, number, string]>(HOLDING, rootId, next);
      if (row === undefined) break;
      const [first, count, at, body] = row;
      if (next >= first + count) break;
      const from = next - first;
      for (const entry of journalEntries(rootId, first, body).slice(from, from + limit - events.length)) {
        events.push({ ...entry, seq: next++, at });
      }
    }
    return events;
  }

  lastSeq(rootId: string): number {
    return this.#isHidden(rootId) ? 0 : this.#last(rootId);
  }

  #isHidden(rootId: string): boolean {
    return this.#db.get(HIDDEN, rootId) !== undefined;
  }

  #last(rootId: string): number {
    return this.#db.get<[number]>(LAST, rootId)?.[0] ?? 0;
  }
}

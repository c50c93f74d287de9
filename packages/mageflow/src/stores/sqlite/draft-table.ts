import type { Connection } from "./connection.ts";

const BEGIN = "INSERT OR ROLLBACK INTO drafts (root_id, begun_at) VALUES (?, ?)";

const FINISH = "DELETE FROM drafts WHERE root_id = ?";

/** A draft that is being discarded has begun before all time: nothing can be added to it, nor can it be finished. */
const CONDEMN = "UPDATE drafts SET begun_at = -1 WHERE root_id = ?";

/** A stored tree that is to be removed is a draft that is being discarded: nobody sees it any more. */
const CONDEMN_STORED = "INSERT OR REPLACE INTO drafts (root_id, begun_at) VALUES (?, -1)";

/** Its key is free for the next. */
const FREE_KEY = "UPDATE signatures SET key = NULL WHERE id = ?";

const TAKES = "SELECT 1 FROM drafts WHERE root_id = ? AND begun_at >= 0";

const EXISTS = "SELECT 1 FROM drafts WHERE root_id = ?";

const ABANDONED = "SELECT root_id FROM drafts WHERE begun_at < ? ORDER BY begun_at LIMIT ?";

/** An id is the root's, or begins with it and a dot; the slash is the character after the dot. */
const DELETE_RECORDS = `DELETE FROM signatures WHERE seq IN (
    SELECT seq FROM signatures WHERE id >= ?1 AND id < ?1 || '/' AND root_id = ?1 LIMIT ?2
  )`;

const ANY_RECORD = "SELECT 1 FROM signatures WHERE id >= ?1 AND id < ?1 || '/' AND root_id = ?1 LIMIT 1";

const DELETE_BIRTHS = "DELETE FROM births WHERE root_id = ?";

const DELETE_SPECS = "DELETE FROM specs WHERE root_id = ?";

const DELETE_JOURNAL = "DELETE FROM journal WHERE root_id = ?";

/** What task code has saved, by the ids of the workflow, and its log lines: so many at a time. */
const DELETE_NOTES = ["steps", "checkpoints", "progress"].map(
  (table) => `DELETE FROM ${table} WHERE rowid IN (
    SELECT rowid FROM ${table} WHERE id = ?1 OR (id > ?1 || '.' AND id < ?1 || '/') LIMIT ?2
  )`,
);

const DELETE_LOGS = "DELETE FROM logs WHERE seq IN (SELECT seq FROM logs WHERE root_id = ?1 LIMIT ?2)";

/** Trees that are still being stored. Their records stand among the others; the view `shown` leaves them out. */
export class DraftTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  begin(rootId: string, now: number): void {
    if (this.#db.get(ANY_RECORD, rootId) !== undefined)
      throw new Error(`constraint: the draft ${rootId} is taken`);
    this.#db.run(BEGIN, rootId, now);
  }

  condemn(rootId: string): void {
    this.#db.run(CONDEMN_STORED, rootId);
    this.#db.run(FREE_KEY, rootId);
  }

  add(rootId: string): void {
    if (this.#db.get(TAKES, rootId) === undefined)
      throw new Error(`there is no draft "${rootId}": it was discarded`);
  }

  finish(rootId: string): void {
    this.add(rootId);
    this.#db.run(FINISH, rootId);
  }

  /** Begun before this instant, oldest first. */
  abandoned(before: number, limit: number): string[] {
    return this.#db.all<[string]>(ABANDONED, before, limit).map(([rootId]) => rootId);
  }

  /** Removes up to `limit` records, and with the last of them the draft. True when it is gone. */
  discard(rootId: string, limit: number): boolean {
    if (this.#db.get(EXISTS, rootId) === undefined) return true;
    this.#db.run(CONDEMN, rootId);
    this.#db.run(DELETE_RECORDS, rootId, limit);
    if (this.#db.get(ANY_RECORD, rootId) !== undefined) return false;
    for (const sql of [...DELETE_NOTES, DELETE_LOGS])
      if (this.#db.run(sql, rootId, limit) === limit) return false;
    for (const sql of [DELETE_BIRTHS, DELETE_SPECS, DELETE_JOURNAL, FINISH]) this.#db.run(sql, rootId);
    return true;
  }
}

import type { SignatureRecord } from "../../core/record.ts";
import { isEnded } from "../../core/status.ts";
import type { Connection } from "./connection.ts";
import { readableRows } from "./readable.ts";
import { COLUMNS, type Row } from "./row.ts";

/** The running ones are looked through in their index, which is as long as all workers together have places. */
const STRAYS = `SELECT id FROM shown
  WHERE seq IN (SELECT seq FROM signatures WHERE worker_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = worker_id AND ended_at IS NULL))
    AND status = 'RUNNING' AND kind = 'task'
  LIMIT ?`;

/** As it stands in the index. */
export const IS_STALLED: string = `((status = 'WAITING' AND due_at IS NULL)
    OR (status = 'RUNNING' AND kind = 'task' AND worker_id IS NULL)
    OR (status = 'PENDING' AND ready_at IS NOT NULL AND held_by IS NULL AND deletion IS NULL))`;

const STALLED = `SELECT id FROM shown WHERE ${IS_STALLED} ORDER BY id LIMIT ?`;

/** Jumps from one holder to the next, so that it takes a step a holder and not a step a signature. */
const HOLDERS = `WITH RECURSIVE holders (id) AS (
    SELECT min(held_by) FROM shown WHERE held_by > ?1
    UNION ALL
    SELECT (SELECT min(held_by) FROM shown WHERE held_by > holders.id)
    FROM holders WHERE holders.id IS NOT NULL
  )
  SELECT id FROM holders WHERE id IS NOT NULL LIMIT ?2`;

export const IS_UNSETTLED: string =
  "((kind <> 'task' AND status = 'RUNNING') OR milestone = 1 OR milestone = 2)";

const UNSETTLED = `SELECT ${COLUMNS} FROM shown WHERE ${IS_UNSETTLED} AND id > ? ORDER BY id LIMIT ?`;

/** An id begins with that of what it stands below and a dot; the slash is the character after the dot. */
const UNSETTLED_BELOW = `SELECT ${COLUMNS} FROM shown
  WHERE ${IS_UNSETTLED} AND id > ?1 || '.' AND id < ?1 || '/' ORDER BY id LIMIT 1`;

/**
 * Jumps from the first child of a status and turn to that of the next: there are few, whatever the number of children. Of two columns
 * compared at once SQLite would look up the first, and walk through all that have it.
 */
const FIRST_CHILDREN = `WITH RECURSIVE firsts (first) AS (
    SELECT (SELECT seq FROM signatures WHERE parent_id = ?1 AND child_status IS NOT NULL
      ORDER BY child_status, child_turn, slot LIMIT 1)
    UNION ALL
    SELECT coalesce(
      (SELECT seq FROM signatures WHERE parent_id = ?1 AND child_status = last.child_status
          AND child_turn > last.child_turn
        ORDER BY child_turn, slot LIMIT 1),
      (SELECT seq FROM signatures WHERE parent_id = ?1 AND child_status > last.child_status
        ORDER BY child_status, child_turn, slot LIMIT 1))
    FROM firsts CROSS JOIN signatures AS last ON last.seq = first
  )
  SELECT ${COLUMNS} FROM firsts CROSS JOIN shown ON seq = first`;

/** The first that a worker holds. */
const FIRST_TAKEN = `SELECT ${COLUMNS} FROM shown
  WHERE parent_id = ? AND worker_id IS NOT NULL AND role IN ('step', 'item') ORDER BY slot LIMIT 1`;

const CALLBACKS = `SELECT ${COLUMNS} FROM shown
  WHERE parent_id = ? AND role <> 'step' AND role <> 'item'
    AND status <> 'SUCCEEDED' AND status <> 'FAILED' AND status <> 'SKIPPED' AND status <> 'CANCELLED'`;

const OWING = `SELECT ${COLUMNS} FROM shown
  WHERE parent_id = ? AND credited < milestone ORDER BY id LIMIT 1`;

/** What waits, what it may be waiting for, and what waits for nothing. */
export class Waiting {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  strays(limit: number): string[] {
    return this.#ids(STRAYS, limit);
  }

  stalled(limit: number): string[] {
    return this.#ids(STALLED, limit);
  }

  holders(after: string | null, limit: number): string[] {
    return this.#ids(HOLDERS, after ?? "", limit);
  }

  unsettled(after: string | null, limit: number): Row[] {
    return this.#db.all<Row>(UNSETTLED, after ?? "", limit);
  }

  awaited(ids: readonly string[]): Map<string, SignatureRecord[]> {
    const awaited = new Map<string, SignatureRecord[]>();
    for (const id of ids) {
      const rows = [CALLBACKS, OWING, UNSETTLED_BELOW].flatMap((sql) => this.#db.all<Row>(sql, id));
      const records = [...this.#firstChildren(id), ...readableRows(rows).map(({ record }) => record)];
      const each = new Map(records.map((record) => [record.id, record]));
      if (each.size > 0) awaited.set(id, [...each.values()]);
    }
    return awaited;
  }

  /** Of each status that is no end, startable children and suspended ones that were told to start apart from the others. */
  #firstChildren(parentId: string): Iterable<SignatureRecord> {
    const rows = [FIRST_CHILDREN, FIRST_TAKEN].flatMap((sql) => this.#db.all<Row>(sql, parentId));
    const firsts = new Map<string, SignatureRecord>();
    for (const { record: child } of readableRows(rows)) {
      const { status, heldBy, readyAt, slot } = child;
      if (isEnded(status)) continue;
      const apart = status === "PENDING" ? heldBy === null : status === "SUSPENDED" && readyAt === null;
      const like = `${status} ${apart}`;
      if (slot < (firsts.get(like)?.slot ?? Number.POSITIVE_INFINITY)) firsts.set(like, child);
    }
    return firsts.values();
  }

  #ids(sql: string, ...parameters: (string | number)[]): string[] {
    return this.#db.all<[string]>(sql, ...parameters).map(([id]) => id);
  }
}

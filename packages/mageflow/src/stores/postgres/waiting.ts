import type { SignatureRecord } from "../../core/record.ts";
import { readable, wholePage } from "../readable.ts";
import { textArray } from "./arrays.ts";
import { childrenWith, IS_UNDER_WORKER, IS_STARTABLE } from "./children.ts";
import { COLUMNS } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { SHOWN } from "./visible.ts";

/** The running ones are looked through in their index, which is as long as all workers together have places. */
const STRAYS = `SELECT id FROM signatures
  WHERE ${IS_UNDER_WORKER} AND kind = 'task'
    AND NOT EXISTS (SELECT FROM workers WHERE workers.id = worker_id AND ended_at IS NULL) AND ${SHOWN}
  LIMIT $1`;

/** As it stands in the index. */
export const IS_STALLED: string = `((status = 'WAITING' AND due_at IS NULL)
    OR (status = 'RUNNING' AND kind = 'task' AND worker_id IS NULL)
    OR (status = 'PENDING' AND ready_at IS NOT NULL AND held_by IS NULL AND deletion IS NULL))`;

const STALLED = `SELECT id FROM signatures WHERE ${IS_STALLED} AND ${SHOWN} ORDER BY id LIMIT $1`;

/** Jumps from one holder to the next, so that it takes a step a holder and not a step a signature. */
const HOLDERS = `WITH RECURSIVE holders (id) AS (
    (SELECT held_by FROM signatures WHERE held_by > $1 AND ${SHOWN} ORDER BY held_by LIMIT 1)
    UNION ALL
    SELECT (SELECT held_by FROM signatures WHERE held_by > holders.id AND ${SHOWN} ORDER BY held_by LIMIT 1)
    FROM holders WHERE holders.id IS NOT NULL
  )
  SELECT id FROM holders WHERE id IS NOT NULL LIMIT $2`;

/** As it stands in the index. */
export const IS_UNSETTLED = "((kind <> 'task' AND status = 'RUNNING') OR milestone = 1 OR milestone = 2)";

const UNSETTLED = `SELECT ${COLUMNS} FROM signatures
  WHERE ${IS_UNSETTLED} AND id > $1 AND ${SHOWN} ORDER BY id LIMIT $2`;

/** The first child of a status by its slot, as far as it meets a condition: the first of those that stand first in a stretch of an index. */
const firstChild = (status: string, condition = "true"): string =>
  `(SELECT id FROM (${childrenWith(status)
    .map(
      (stretch) => `(SELECT id, slot FROM signatures
    WHERE parent_id = asker AND ${stretch} AND ${condition} ORDER BY slot LIMIT 1)`,
    )
    .join(" UNION ALL ")}) AS firsts ORDER BY slot LIMIT 1)`;

/** Jumps from the first startable child of a priority to that of the next: there are few, whatever the number of children. */
const FIRST_STARTABLE = `(WITH RECURSIVE turns AS (
      (SELECT priority, slot, id FROM signatures
        WHERE parent_id = asker AND ${IS_STARTABLE}
        ORDER BY priority DESC, slot LIMIT 1)
      UNION ALL
      SELECT next.* FROM turns CROSS JOIN LATERAL (SELECT priority, slot, id FROM signatures
        WHERE parent_id = asker AND ${IS_STARTABLE}
          AND priority < turns.priority
        ORDER BY priority DESC, slot LIMIT 1) AS next
    )
    SELECT id FROM turns ORDER BY slot LIMIT 1)`;

/** An id begins with that of what it stands below and a dot; the slash is the character after the dot. */
const AWAITED = `SELECT asker, ${COLUMNS} FROM unnest($1::text[]) AS asked (asker)
  CROSS JOIN LATERAL (
    ${FIRST_STARTABLE}
    UNION ${["PENDING", "READY", "RUNNING", "WAITING", "INTERRUPTED"].map((status) => firstChild(status)).join("\n    UNION ")}
    UNION ${firstChild("SUSPENDED", "ready_at IS NULL")}
    UNION ${firstChild("SUSPENDED", "ready_at IS NOT NULL")}
    UNION (SELECT id FROM signatures
      WHERE parent_id = asker AND parent_id IS NOT NULL AND role <> 'step' AND role <> 'item'
        AND status <> 'SUCCEEDED' AND status <> 'FAILED' AND status <> 'SKIPPED' AND status <> 'CANCELLED')
    UNION (SELECT id FROM signatures WHERE parent_id = asker AND credited < milestone ORDER BY id LIMIT 1)
    UNION (SELECT id FROM signatures
      WHERE ${IS_UNSETTLED} AND id > asker || '.' AND id < asker || '/' ORDER BY id LIMIT 1)
  ) AS awaited (awaited_id)
  JOIN signatures ON id = awaited_id WHERE ${SHOWN}`;

/** What waits, what it may be waiting for, and what waits for nothing. */
export class Waiting {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async strays(limit: number): Promise<string[]> {
    return this.#ids(STRAYS, limit);
  }

  async stalled(limit: number): Promise<string[]> {
    return this.#ids(STALLED, limit);
  }

  async holders(after: string | null, limit: number): Promise<string[]> {
    return this.#ids(HOLDERS, after ?? "", limit);
  }

  async unsettled(after: string | null, limit: number): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(UNSETTLED, after ?? "", most), toRecord);
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    const awaited = new Map<string, SignatureRecord[]>();
    type Awaited = readonly [asker: string, ...row: Row];
    const rows = await this.#db.all<Awaited>(AWAITED, textArray([...new Set(ids)]));
    for (const { asker, record } of readable(rows, ([asker, ...row]) => ({ asker, record: toRecord(row) }))) {
      const records = awaited.get(asker);
      if (records === undefined) awaited.set(asker, [record]);
      else records.push(record);
    }
    return awaited;
  }

  async #ids(sql: string, ...parameters: Parameter[]): Promise<string[]> {
    return (await this.#db.all<[string]>(sql, ...parameters)).map(([id]) => id);
  }
}

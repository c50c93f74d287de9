import type { SignatureRecord } from "../../core/record.ts";
import { type Status, STATUSES } from "../../core/status.ts";
import type { ChildQuery } from "../../ports/store.ts";
import { wholePage } from "../readable.ts";
import { textArray } from "./arrays.ts";
import { childrenWith, IS_CHILD, IS_OTHER_CHILD, IS_UNDER_WORKER, IS_STARTABLE } from "./children.ts";
import { COLUMNS } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { toSafe } from "../safe-text.ts";
import { SHOWN } from "./visible.ts";

/** Signatures as everybody sees them, drafts left out: one by one, a parent's in the order of slots, and counted. */

const BY_IDS = `SELECT ${COLUMNS} FROM signatures WHERE id = ANY ($1::text[]) AND ${SHOWN}`;

const BY_ROOT_KEY = `SELECT ${COLUMNS} FROM signatures WHERE parent_id IS NULL AND key = $1 AND ${SHOWN}`;

/**
 * Jumps from one priority to the next, and takes a stretch of each: there are few, whatever the number of children. The first of an order is
 * asked for, and not the greatest: for that the planner may read all, where it takes a table that has just been filled for a small one.
 */
const STARTABLE_PAGE = `(WITH RECURSIVE turns (turn) AS (
      (SELECT priority FROM signatures
        WHERE parent_id = $1 AND ${IS_STARTABLE}
        ORDER BY priority DESC LIMIT 1)
      UNION ALL
      SELECT (SELECT priority FROM signatures
        WHERE parent_id = $1 AND ${IS_STARTABLE} AND priority < turns.turn
        ORDER BY priority DESC LIMIT 1)
      FROM turns WHERE turns.turn IS NOT NULL
    )
    SELECT stretch.* FROM turns CROSS JOIN LATERAL (SELECT id, slot FROM signatures
      WHERE parent_id = $1 AND ${IS_STARTABLE} AND priority = turn AND slot > $2
      ORDER BY slot LIMIT $3) AS stretch)`;

const pagesOf = (status: Status): string[] =>
  childrenWith(status).map(
    (condition) => `(SELECT id, slot FROM signatures
      WHERE parent_id = $1 AND ${condition} AND slot > $2
      ORDER BY slot LIMIT $3)`,
  );

/** Slots are found first, status by status, so that no more rows are read than are shown. */
const childrenIn = (statuses: readonly Status[]): string => `SELECT ${COLUMNS} FROM (
    SELECT id AS page_id FROM (
      ${[...(statuses.includes("PENDING") ? [STARTABLE_PAGE] : []), ...statuses.flatMap(pagesOf)].join("\n      UNION ALL ")}
    ) AS pages ORDER BY slot LIMIT $3
  ) AS page JOIN signatures ON id = page_id
  WHERE ${SHOWN} ORDER BY slot`;

const CALLBACKS = `SELECT ${COLUMNS} FROM signatures
  WHERE parent_id = $1 AND parent_id IS NOT NULL AND role <> 'step' AND role <> 'item' AND id > $2
    AND ($3::text[] IS NULL OR status = ANY ($3)) AND ${SHOWN}
  ORDER BY id LIMIT $4`;

/** Counts stretch by stretch of the indexes. */
const TALLY = `SELECT wanted, counted FROM unnest($2::text[]) AS wanted CROSS JOIN LATERAL (
    SELECT count(*)::int AS counted FROM signatures
    WHERE parent_id = $1 AND status = wanted AND ${IS_OTHER_CHILD} AND ${SHOWN}
  ) AS counts WHERE counted > 0
  UNION ALL
  SELECT 'PENDING', count(*)::int FROM signatures
  WHERE 'PENDING' = ANY ($2) AND parent_id = $1 AND ${IS_STARTABLE} AND ${SHOWN}
  UNION ALL
  SELECT 'RUNNING', count(*)::int FROM signatures
  WHERE 'RUNNING' = ANY ($2) AND parent_id = $1 AND ${IS_UNDER_WORKER} AND ${IS_CHILD} AND ${SHOWN}`;

const SCAN = `SELECT ${COLUMNS} FROM signatures WHERE id > $1 AND ${SHOWN} ORDER BY id LIMIT $2`;

/**
 * Jumps from one name to the next, so that it takes a step a name and not a step a task; of each name no more than 1,000 ready tasks are
 * counted.
 */
const READY_NAMES = `WITH RECURSIVE names (name) AS (
    (SELECT name FROM signatures WHERE status = 'READY' ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT name FROM signatures WHERE status = 'READY' AND name > names.name ORDER BY name LIMIT 1)
    FROM names WHERE names.name IS NOT NULL
  )
  SELECT name, counted FROM names CROSS JOIN LATERAL (
    SELECT count(*)::int AS counted FROM (
      SELECT FROM signatures WHERE status = 'READY' AND signatures.name = names.name AND ${SHOWN} LIMIT 1000
    ) AS ready
  ) AS counts WHERE name IS NOT NULL AND counted > 0`;

const NEXT_DUE = `SELECT least(
    (SELECT due_at FROM signatures
      WHERE status = 'WAITING' AND due_at IS NOT NULL AND ${SHOWN} ORDER BY due_at LIMIT 1),
    (SELECT deadline_at FROM signatures
      WHERE deadline_at IS NOT NULL AND (status = 'READY' OR status = 'WAITING') AND kind = 'task' AND ${SHOWN}
      ORDER BY deadline_at LIMIT 1),
    (SELECT stop_until FROM signatures WHERE stop_until IS NOT NULL AND ${SHOWN} ORDER BY stop_until LIMIT 1)
  )`;

/** What was told to stop and runs, those first whose grace ends first. */
const STOPS = `SELECT ${COLUMNS} FROM signatures
  WHERE stop_until IS NOT NULL AND ${SHOWN} ORDER BY stop_until LIMIT $1`;

export class SignaturePages {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return (await this.#db.all<Row>(BY_IDS, textArray(ids.map(toSafe)))).map(toRecord);
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    const row = await this.#db.get<Row>(BY_ROOT_KEY, toSafe(key));
    return row === undefined ? null : toRecord(row);
  }

  async children({ parentId, of, statuses, after, limit }: ChildQuery): Promise<SignatureRecord[]> {
    if (of === "callbacks") {
      const wanted = statuses === undefined ? null : textArray(statuses);
      return this.#page(limit, CALLBACKS, parentId, String(after ?? ""), wanted);
    }
    const wanted = STATUSES.filter((status) => statuses?.includes(status) ?? true);
    if (wanted.length === 0) return [];
    const beyond = after === null ? -1 : Number(after);
    return this.#page(limit, childrenIn(wanted), parentId, beyond);
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    const rows = await this.#db.all<[Status, number]>(TALLY, parentId, textArray([...new Set(statuses)]));
    const counts = new Map<Status, number>();
    for (const [status, count] of rows) if (count > 0) counts.set(status, (counts.get(status) ?? 0) + count);
    return counts;
  }

  async scan(after: string | null, limit: number): Promise<SignatureRecord[]> {
    return this.#page(limit, SCAN, after ?? "");
  }

  async readyNames(): Promise<Map<string, number>> {
    return new Map(await this.#db.all<[string, number]>(READY_NAMES));
  }

  async stops(limit: number): Promise<SignatureRecord[]> {
    return this.#page(limit, STOPS);
  }

  async nextDue(): Promise<number | null> {
    return (await this.#db.get<[number | null]>(NEXT_DUE))![0];
  }

  /** What can be read of what a statement finds, whose last parameter is how much. */
  async #page(limit: number, sql: string, ...parameters: Parameter[]): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(sql, ...parameters, most), toRecord);
  }
}

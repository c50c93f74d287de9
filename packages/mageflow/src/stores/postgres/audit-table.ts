import type { AuditQuery, AuditRow } from "../../ports/store.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { fromSafe, toSafe } from "../safe-text.ts";

const COLUMNS = "seq, at, actor, action, target, reason, details, previous_hash, hash";

const APPEND = `INSERT INTO audit (${COLUMNS})
  SELECT * FROM unnest($1::int8[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])`;

const LAST = `SELECT ${COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1`;

const OLDEST = `SELECT ${COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2`;

const NEWEST = `SELECT ${COLUMNS} FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2`;

type Row = [
  seq: number,
  at: number,
  actor: string,
  action: string,
  target: string,
  reason: string | null,
  details: string,
  previousHash: string,
  hash: string,
];

/** The audit trail: rows are added and never changed. */
export class AuditTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  append(rows: readonly AuditRow[]): Promise<unknown>[] {
    if (rows.length === 0) return [];
    return [
      this.#db.all(
        APPEND,
        arrayOf(
          "int8",
          rows.map(({ seq }) => seq),
        ),
        arrayOf(
          "int8",
          rows.map(({ at }) => at),
        ),
        textArray(rows.map(({ actor }) => toSafe(actor))),
        textArray(rows.map(({ action }) => action)),
        textArray(rows.map(({ target }) => toSafe(target))),
        textArray(rows.map(({ reason }) => (reason === null ? null : toSafe(reason)))),
        textArray(rows.map(({ details }) => details)),
        textArray(rows.map(({ previousHash }) => previousHash)),
        textArray(rows.map(({ hash }) => hash)),
      ),
    ];
  }

  async last(): Promise<AuditRow | null> {
    const row = await this.#db.get<Row>(LAST);
    return row === undefined ? null : toAudit(row);
  }

  async read({ order, after, limit }: AuditQuery): Promise<AuditRow[]> {
    const rows =
      order === "oldest"
        ? this.#db.all<Row>(OLDEST, after ?? 0, limit)
        : this.#db.all<Row>(NEWEST, after ?? Number.MAX_SAFE_INTEGER, limit);
    return (await rows).map(toAudit);
  }
}

function toAudit([seq, at, actor, action, target, reason, details, previousHash, hash]: Row): AuditRow {
  return {
    seq,
    at,
    actor: fromSafe(actor),
    action,
    target: fromSafe(target),
    reason: reason === null ? null : fromSafe(reason),
    details,
    previousHash,
    hash,
  };
}

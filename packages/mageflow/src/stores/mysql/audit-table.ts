import type { AuditQuery, AuditRow } from "../../ports/store.ts";
import { fromSafe, toSafe } from "../safe-text.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";

const COLUMNS = "seq, at, actor, action, target, reason, details, previous_hash, hash";

const APPEND = `INSERT INTO mageflow_audit (${COLUMNS}) VALUES $1`;

const LAST = `SELECT ${COLUMNS} FROM mageflow_audit ORDER BY seq DESC LIMIT 1`;

const OLDEST = `SELECT ${COLUMNS} FROM mageflow_audit WHERE seq > $1 ORDER BY seq LIMIT $2`;

const NEWEST = `SELECT ${COLUMNS} FROM mageflow_audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2`;

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

  append(added: readonly AuditRow[]): Promise<unknown>[] {
    return rows(added.map(toRow)).map((some) => this.#db.later(APPEND, some));
  }

  async last(): Promise<AuditRow | null> {
    const row = await this.#db.get<Row>(LAST);
    return row === undefined ? null : toAudit(row);
  }

  async read({ order, after, limit }: AuditQuery): Promise<AuditRow[]> {
    const found =
      order === "oldest"
        ? this.#db.all<Row>(OLDEST, after ?? 0, limit)
        : this.#db.all<Row>(NEWEST, after ?? Number.MAX_SAFE_INTEGER, limit);
    return (await found).map(toAudit);
  }
}

function toRow({ seq, at, actor, action, target, reason, details, previousHash, hash }: AuditRow): Row {
  const why = reason === null ? null : toSafe(reason);
  return [seq, at, toSafe(actor), action, toSafe(target), why, details, previousHash, hash];
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

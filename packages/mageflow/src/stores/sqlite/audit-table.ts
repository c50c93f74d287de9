import type { AuditQuery, AuditRow } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const COLUMNS = "seq, at, actor, action, target, reason, details, previous_hash, hash";

const APPEND = `INSERT INTO audit (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const LAST = `SELECT ${COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1`;

const OLDEST = `SELECT ${COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`;

const NEWEST = `SELECT ${COLUMNS} FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?`;

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

  append({ seq, at, actor, action, target, reason, details, previousHash, hash }: AuditRow): void {
    this.#db.run(APPEND, seq, at, actor, action, target, reason, details, previousHash, hash);
  }

  last(): AuditRow | null {
    const row = this.#db.get<Row>(LAST);
    return row === undefined ? null : toAudit(row);
  }

  read({ order, after, limit }: AuditQuery): AuditRow[] {
    const rows =
      order === "oldest"
        ? this.#db.all<Row>(OLDEST, after ?? 0, limit)
        : this.#db.all<Row>(NEWEST, after ?? Number.MAX_SAFE_INTEGER, limit);
    return rows.map(toAudit);
  }
}

function toAudit([seq, at, actor, action, target, reason, details, previousHash, hash]: Row): AuditRow {
  return { seq, at, actor, action, target, reason, details, previousHash, hash };
}

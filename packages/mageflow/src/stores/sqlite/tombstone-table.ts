import type { Kind } from "../../core/plan.ts";
import type { Status } from "../../core/status.ts";
import type { Stub } from "../../core/stub.ts";
import type { Tombstone } from "../../ports/store.ts";
import { toJson } from "./change.ts";
import type { Connection } from "./connection.ts";

const PUT = `INSERT OR REPLACE INTO tombstones (id, name, kind, status, at, action, by, reason, stub)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const GET = "SELECT name, kind, status, at, action, by, reason, stub FROM tombstones WHERE id = ?";

type Row = [
  name: string,
  kind: Kind,
  status: Status,
  at: number,
  action: Tombstone["action"],
  by: string,
  reason: string | null,
  stub: string | null,
];

/** What is left of workflows that were removed. */
export class TombstoneTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ id, name, kind, status, at, action, by, reason, stub }: Tombstone): void {
    this.#db.run(PUT, id, name, kind, status, at, action, by, reason, toJson(stub));
  }

  get(id: string): Tombstone | null {
    const row = this.#db.get<Row>(GET, id);
    if (row === undefined) return null;
    const [name, kind, status, at, action, by, reason, stub] = row;
    return {
      id,
      name,
      kind,
      status,
      at,
      action,
      by,
      reason,
      stub: stub === null ? null : (JSON.parse(stub) as Stub),
    };
  }
}

import type { Kind } from "../../core/plan.ts";
import type { Status } from "../../core/status.ts";
import type { Stub } from "../../core/stub.ts";
import type { Tombstone } from "../../ports/store.ts";
import { fromSafe, toSafe } from "../safe-text.ts";
import { text, toJson } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";

const PUT =
  "REPLACE INTO mageflow_tombstones (id, name, kind, status, at, action, `by`, reason, stub) VALUES $1";

const GET = `SELECT name, ${text("kind")}, ${text("status")}, at, ${text("action")}, \`by\`, reason, stub
  FROM mageflow_tombstones WHERE id = $1`;

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

  put(tombstones: readonly Tombstone[]): Promise<unknown>[] {
    const all = tombstones.map(({ id, name, kind, status, at, action, by, reason, stub }) => {
      const why = reason === null ? null : toSafe(reason);
      return [id, name, kind, status, at, action, toSafe(by), why, toJson(stub)];
    });
    return rows(all).map((some) => this.#db.later(PUT, some));
  }

  async get(id: string): Promise<Tombstone | null> {
    const row = await this.#db.get<Row>(GET, toSafe(id));
    if (row === undefined) return null;
    const [name, kind, status, at, action, by, reason, stub] = row;
    return {
      id,
      name,
      kind,
      status,
      at,
      action,
      by: fromSafe(by),
      reason: reason === null ? null : fromSafe(reason),
      stub: stub === null ? null : (JSON.parse(stub) as Stub),
    };
  }
}

import type { SpecRow } from "../../core/record.ts";
import type { SpecRef } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const GET = `SELECT body FROM specs
  WHERE root_id = ?1 AND id = ?2 AND NOT EXISTS (SELECT 1 FROM drafts WHERE drafts.root_id = ?1 AND begun_at < 0)`;

const GET_SHOWN = `SELECT body FROM specs
  WHERE root_id = ?1 AND id = ?2 AND NOT EXISTS (SELECT 1 FROM drafts WHERE drafts.root_id = ?1)`;

const INSERT = "INSERT OR ROLLBACK INTO specs (root_id, id, body) VALUES (?, ?, ?)";

/** Specs by workflow and id. */
export class SpecTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Without those of what is being discarded. */
  get(refs: readonly SpecRef[]): SpecRow[] {
    return this.#each(GET, refs);
  }

  /** Without those of drafts. */
  shown(refs: readonly SpecRef[]): SpecRow[] {
    return this.#each(GET_SHOWN, refs);
  }

  put({ rootId, id, body }: SpecRow): void {
    this.#db.run(INSERT, rootId, id, body);
  }

  #each(sql: string, refs: readonly SpecRef[]): SpecRow[] {
    const found = new Map<string, SpecRow>();
    for (const { rootId, id } of refs) {
      const row = this.#db.get<[string]>(sql, rootId, id);
      if (row !== undefined) found.set(JSON.stringify([rootId, id]), { rootId, id, body: row[0] });
    }
    return [...found.values()];
  }
}

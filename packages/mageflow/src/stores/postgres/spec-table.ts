import type { SpecRow } from "../../core/record.ts";
import type { SpecRef } from "../../ports/store.ts";
import { textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { known, shown } from "./visible.ts";

const REFS = "unnest($1::text[], $2::text[]) AS wanted (root_id, id)";

const reading = (visible: string): string => `SELECT specs.root_id, specs.id, specs.body FROM ${REFS}
  JOIN specs ON specs.root_id = wanted.root_id AND specs.id = wanted.id WHERE ${visible}`;

const GET = reading(known("specs"));
const GET_SHOWN = reading(shown("specs"));

const INSERT = `INSERT INTO specs (root_id, id, body) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])`;

/** Specs by workflow and id. */
export class SpecTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Without those of what is being discarded. */
  async get(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#each(GET, refs);
  }

  /** Without those of drafts. */
  async shown(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#each(GET_SHOWN, refs);
  }

  put(rows: readonly SpecRow[]): Promise<unknown>[] {
    if (rows.length === 0) return [];
    return [this.#db.all(INSERT, ...idsOf(rows), textArray(rows.map(({ body }) => body)))];
  }

  async #each(sql: string, refs: readonly SpecRef[]): Promise<SpecRow[]> {
    const each = new Map(refs.map((ref) => [JSON.stringify([ref.rootId, ref.id]), ref]));
    const rows = await this.#db.all<[string, string, string]>(sql, ...idsOf([...each.values()]));
    return rows.map(([rootId, id, body]) => ({ rootId, id, body }));
  }
}

function idsOf(refs: readonly SpecRef[]): [Buffer, Buffer] {
  return [textArray(refs.map(({ rootId }) => rootId)), textArray(refs.map(({ id }) => id))];
}

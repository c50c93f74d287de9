import type { SpecRow } from "../../core/record.ts";
import type { SpecRef } from "../../ports/store.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";
import { known, shown } from "./visible.ts";

const reading = (visible: string): string => `SELECT ${text("s.root_id")}, ${text("s.id")}, s.body
  FROM mageflow_specs AS s FORCE INDEX (PRIMARY) WHERE (s.root_id, s.id) IN ($1) AND ${visible}`;

const GET = reading(known("s"));
const GET_SHOWN = reading(shown("s"));

const INSERT = "INSERT INTO mageflow_specs (root_id, id, body) VALUES $1";

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

  put(specs: readonly SpecRow[]): Promise<unknown>[] {
    return rows(specs.map(({ rootId, id, body }) => [rootId, id, body])).map((some) =>
      this.#db.later(INSERT, some),
    );
  }

  async #each(sql: string, refs: readonly SpecRef[]): Promise<SpecRow[]> {
    const each = new Map(refs.map((ref) => [JSON.stringify([ref.rootId, ref.id]), ref]));
    const found = await Promise.all(
      rows([...each.values()].map(({ rootId, id }) => [rootId, id])).map((some) =>
        this.#db.all<[string, string, string]>(sql, some),
      ),
    );
    return found.flat().map(([rootId, id, body]) => ({ rootId, id, body }));
  }
}

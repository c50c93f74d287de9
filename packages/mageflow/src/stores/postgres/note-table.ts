import type { Progress } from "../../core/event.ts";
import type { Changes, Notes } from "../../ports/store.ts";
import { ancestry } from "../ancestry.ts";
import { jsonOf } from "../json-text.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { toSafe } from "../safe-text.ts";

const PUT_STEPS = `INSERT INTO steps (id, generation, name, result)
  SELECT * FROM unnest($1::text[], $2::int4[], $3::text[], $4::text[]) ORDER BY 1, 2, 3
  ON CONFLICT (id, generation, name) DO UPDATE SET result = excluded.result`;

const putting = (table: string): string => `INSERT INTO ${table} (id, generation, body)
  SELECT * FROM unnest($1::text[], $2::int4[], $3::text[]) ORDER BY 1, 2
  ON CONFLICT (id, generation) DO UPDATE SET body = excluded.body`;

const PUT_CHECKPOINTS = putting("checkpoints");
const PUT_PROGRESS = putting("progress");

/** None of what is in a draft: when one of the ids $3 is its root. */
const READ = `SELECT kind, name, body FROM (
    SELECT 'step' AS kind, name, result AS body FROM steps WHERE id = $1 AND generation = $2
    UNION ALL SELECT 'checkpoint', NULL, body FROM checkpoints WHERE id = $1 AND generation = $2
    UNION ALL SELECT 'progress', NULL, body FROM progress WHERE id = $1 AND generation = $2
  ) AS notes
  WHERE NOT EXISTS (SELECT FROM drafts WHERE root_id = ANY ($3::text[]))`;

type Note =
  | readonly [kind: "step", name: string, body: string]
  | readonly [kind: "checkpoint" | "progress", name: null, body: string];

/** What task code saved, by signature and generation. */
export class NoteTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ steps = [], checkpoints = [], progress = [] }: Changes): Promise<unknown>[] {
    const told = progress.map((one) => ({ ...one, body: JSON.stringify(one.progress) }));
    return [
      ...this.#putSteps(steps),
      ...this.#put(PUT_CHECKPOINTS, checkpoints),
      ...this.#put(PUT_PROGRESS, told),
    ];
  }

  async read(id: string, generation: number): Promise<Notes> {
    const steps = new Map<string, string>();
    let checkpoint: string | null = null;
    let progress: Progress | null = null;
    for (const [kind, name, body] of await this.#db.all<Note>(
      READ,
      id,
      generation,
      textArray(ancestry(id)),
    )) {
      if (kind === "step") steps.set(name, body);
      else if (kind === "checkpoint") checkpoint = body;
      else progress = jsonOf<Progress>(id, "its progress is", body);
    }
    return { steps, checkpoint, progress };
  }

  #putSteps(steps: NonNullable<Changes["steps"]>): Promise<unknown>[] {
    const last = lastOfEach(steps, ({ id, generation, name }) => [id, generation, name]);
    if (last.length === 0) return [];
    const names = textArray(last.map(({ name }) => toSafe(name)));
    return [this.#db.all(PUT_STEPS, ...placesOf(last), names, textArray(last.map(({ result }) => result)))];
  }

  #put(sql: string, notes: NonNullable<Changes["checkpoints"]>): Promise<unknown>[] {
    const last = lastOfEach(notes, ({ id, generation }) => [id, generation]);
    if (last.length === 0) return [];
    return [this.#db.all(sql, ...placesOf(last), textArray(last.map(({ body }) => body)))];
  }
}

type Place = { readonly id: string; readonly generation: number };

/** A statement may put one row in the place of another only once. */
function lastOfEach<T>(all: readonly T[], keyOf: (one: T) => unknown[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(keyOf(one)), one])).values()];
}

function placesOf(notes: readonly Place[]): [Buffer, Buffer] {
  return [
    textArray(notes.map(({ id }) => id)),
    arrayOf(
      "int4",
      notes.map(({ generation }) => generation),
    ),
  ];
}

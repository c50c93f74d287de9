import type { Progress } from "../../core/event.ts";
import type { Changes, Notes } from "../../ports/store.ts";
import { ancestry } from "../ancestry.ts";
import { jsonOf } from "../json-text.ts";
import type { Connection } from "./connection.ts";

const STEPS = "SELECT name, result FROM steps WHERE id = ? AND generation = ?";

const PUT_STEP = `INSERT INTO steps (id, generation, name, result) VALUES (?, ?, ?, ?)
  ON CONFLICT (id, generation, name) DO UPDATE SET result = excluded.result`;

const CHECKPOINT = "SELECT body FROM checkpoints WHERE id = ? AND generation = ?";

const PUT_CHECKPOINT = `INSERT INTO checkpoints (id, generation, body) VALUES (?, ?, ?)
  ON CONFLICT (id, generation) DO UPDATE SET body = excluded.body`;

const PROGRESS = "SELECT body FROM progress WHERE id = ? AND generation = ?";

const PUT_PROGRESS = `INSERT INTO progress (id, generation, body) VALUES (?, ?, ?)
  ON CONFLICT (id, generation) DO UPDATE SET body = excluded.body`;

/** A row when one of these ids is the root of a draft. */
const HIDDEN = "SELECT 1 FROM drafts WHERE root_id IN (SELECT value FROM json_each(?)) LIMIT 1";

/** What task code saved, by signature and generation. */
export class NoteTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ steps = [], checkpoints = [], progress = [] }: Changes): void {
    for (const { id, generation, name, result } of steps)
      this.#db.run(PUT_STEP, id, generation, name, result);
    for (const { id, generation, body } of checkpoints) this.#db.run(PUT_CHECKPOINT, id, generation, body);
    for (const { id, generation, progress: made } of progress) {
      this.#db.run(PUT_PROGRESS, id, generation, JSON.stringify(made));
    }
  }

  /** None of what is in a draft. */
  read(id: string, generation: number): Notes {
    if (this.#db.get(HIDDEN, JSON.stringify(ancestry(id))) !== undefined)
      return { steps: new Map(), checkpoint: null, progress: null };
    return {
      steps: new Map(this.#db.all<[string, string]>(STEPS, id, generation)),
      checkpoint: this.#db.get<[string]>(CHECKPOINT, id, generation)?.[0] ?? null,
      progress: this.#progress(id, generation),
    };
  }

  #progress(id: string, generation: number): Progress | null {
    const row = this.#db.get<[string]>(PROGRESS, id, generation);
    return row === undefined ? null : jsonOf<Progress>(id, "its progress is", row[0]);
  }
}

import { createHash } from "node:crypto";
import type { Progress } from "../../core/event.ts";
import type { Changes, Notes } from "../../ports/store.ts";
import { UnreadableError } from "../../ports/unreadable.ts";
import { ancestry } from "../ancestry.ts";
import { fromSafe, toSafe } from "../safe-text.ts";
import type { Connection } from "./connection.ts";
import { list, type Parameter, rows } from "./literals.ts";

const PUT_STEPS = `INSERT INTO mageflow_steps (id, generation, digest, name, result) VALUES $1
  ON DUPLICATE KEY UPDATE result = VALUES(result)`;

const putting = (table: string): string => `INSERT INTO ${table} (id, generation, body) VALUES $1
  ON DUPLICATE KEY UPDATE body = VALUES(body)`;

const PUT_CHECKPOINTS = putting("mageflow_checkpoints");
const PUT_PROGRESS = putting("mageflow_progress");

const notesOf = (kind: string, seq: string, name: string, body: string, table: string): string =>
  `SELECT '${kind}', ${seq}, ${name}, ${body} FROM ${table} WHERE id = $1 AND generation = $2
    AND NOT EXISTS (SELECT 1 FROM mageflow_drafts WHERE root_id IN $3)`;

/**
 * None of what is in a draft: when one of the ids $3 is its root. In no order, for which the server would write all of it to a file
 * first.
 */
const READ = [
  notesOf("step", "seq", "name", "result", "mageflow_steps"),
  notesOf("checkpoint", "0", "NULL", "body", "mageflow_checkpoints"),
  notesOf("progress", "0", "NULL", "body", "mageflow_progress"),
].join("\n  UNION ALL ");

type Note =
  | readonly [kind: "step", seq: number, name: string, body: string]
  | readonly [kind: "checkpoint" | "progress", seq: 0, name: null, body: string];

/** What task code saved, by signature and generation. */
export class NoteTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ steps = [], checkpoints = [], progress = [] }: Changes): Promise<unknown>[] {
    const named = steps.map(({ id, generation, name, result }) => [
      id,
      generation,
      digestOf(name),
      toSafe(name),
      result,
    ]);
    return [
      ...this.#put(PUT_STEPS, named),
      ...this.#put(
        PUT_CHECKPOINTS,
        checkpoints.map(({ id, generation, body }) => [id, generation, body]),
      ),
      ...this.#put(
        PUT_PROGRESS,
        progress.map(({ id, generation, progress: made }) => [id, generation, JSON.stringify(made)]),
      ),
    ];
  }

  async read(id: string, generation: number): Promise<Notes> {
    const steps = new Map<string, string>();
    let checkpoint: string | null = null;
    let progress: Progress | null = null;
    const notes = await this.#db.all<Note>(READ, id, generation, list(ancestry(id)));
    for (const [kind, , name, body] of notes.toSorted(([, a], [, b]) => a - b)) {
      if (kind === "step") steps.set(fromSafe(name), body);
      else if (kind === "checkpoint") checkpoint = body;
      else progress = progressOf(id, body);
    }
    return { steps, checkpoint, progress };
  }

  /** Of those with one key the last is kept, as they come. */
  #put(sql: string, notes: readonly (readonly Parameter[])[]): Promise<unknown>[] {
    return rows(notes).map((some) => this.#db.later(sql, some));
  }
}

function digestOf(name: string): string {
  return createHash("sha1").update(toSafe(name)).digest("hex");
}

function progressOf(id: string, body: string): Progress {
  try {
    return JSON.parse(body) as Progress;
  } catch (cause) {
    throw new UnreadableError(id, "its progress is not JSON", { cause });
  }
}

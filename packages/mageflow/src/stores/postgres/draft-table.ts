import type { DraftStep } from "../../ports/store.ts";
import { textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { SHOWN } from "./visible.ts";

/** An id is the root's, or begins with it and a dot; the slash is the character after the dot. */
const ANY_RECORD = `SELECT id FROM signatures WHERE id >= $1 AND id < $1 || '/' AND root_id = $1 LIMIT 1`;

const BEGIN = "INSERT INTO drafts (root_id, begun_at) VALUES ($1, $2)";

/** Nobody begins to discard them before this transaction has ended. */
const HOLD =
  "SELECT root_id FROM drafts WHERE root_id = ANY ($1::text[]) AND begun_at >= 0 ORDER BY root_id FOR SHARE";

const FINISH = "DELETE FROM drafts WHERE root_id = ANY ($1::text[])";

/** A stored tree that is to be removed is a draft that is being discarded: nobody sees it any more. */
const CONDEMN = `INSERT INTO drafts (root_id, begun_at)
  SELECT id, -1 FROM signatures WHERE id = ANY ($1::text[]) AND ${SHOWN} RETURNING root_id`;

/** Its key is free for the next. */
const FREE_KEYS = "UPDATE signatures SET key = NULL WHERE id = ANY ($1::text[])";

const ABANDONED = "SELECT root_id FROM drafts WHERE begun_at < $1 ORDER BY begun_at LIMIT $2";

const TAKE = "SELECT root_id FROM drafts WHERE root_id = $1 FOR UPDATE";

/** A draft that is being discarded has begun before all time: nothing can be added to it, nor can it be finished. */
const DISCARD = "UPDATE drafts SET begun_at = -1 WHERE root_id = $1 AND begun_at >= 0";

/** So many rows at a time, by the place where they lie. */
const deletion = (table: string, condition: string): string => `DELETE FROM ${table}
  WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT $2)) RETURNING 1`;

const DELETE_RECORDS = deletion("signatures", "id >= $1 AND id < $1 || '/' AND root_id = $1");

/** What task code has saved, by the ids of the workflow, and its log lines. */
const DELETE_NOTES = [
  ...["steps", "checkpoints", "progress"].map((table) =>
    deletion(table, "id >= $1 AND id < $1 || '/' AND (id = $1 OR id > $1 || '.')"),
  ),
  deletion("logs", "root_id = $1"),
];

const DELETE_REST = ["births", "specs", "journal", "journal_heads", "drafts"].map(
  (table) => `DELETE FROM ${table} WHERE root_id = $1`,
);

/** Trees that are still being stored, or removed. Their records stand among the others and are not shown. */
export class DraftTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Begins what is to begin and makes sure of what is to be added to or finished. */
  async prepare(steps: readonly DraftStep[], now: number): Promise<void> {
    const begun = new Set<string>();
    const held = new Set<string>();
    for (const step of steps) {
      if ("begin" in step) begun.add(step.begin);
      else if ("add" in step) held.add(step.add);
      else if ("finish" in step && !begun.has(step.finish)) held.add(step.finish);
    }
    for (const rootId of begun) {
      if ((await this.#db.get(ANY_RECORD, rootId)) !== undefined)
        throw new Error(`constraint: the draft ${rootId} is taken`);
      await this.#db.all(BEGIN, rootId, now);
    }
    if (held.size === 0) return;
    const found = new Set(
      (await this.#db.all<[string]>(HOLD, textArray([...held]))).map(([rootId]) => rootId),
    );
    for (const rootId of held)
      if (!found.has(rootId))
        throw new Error(`there is no draft "${rootId}": it was discarded or never begun`);
  }

  finish(steps: readonly DraftStep[]): Promise<unknown>[] {
    const finished = steps.flatMap((step) => ("finish" in step ? step.finish : []));
    return finished.length === 0 ? [] : [this.#db.all(FINISH, textArray(finished))];
  }

  async condemn(rootIds: readonly string[]): Promise<void> {
    const condemned = await this.#db.all(CONDEMN, textArray(rootIds));
    if (condemned.length < new Set(rootIds).size)
      throw new Error(`there is no workflow to condemn among ${rootIds.join(", ")}`);
    await this.#db.all(FREE_KEYS, textArray(rootIds));
  }

  /** Begun before this instant, oldest first. */
  async abandoned(before: number, limit: number): Promise<string[]> {
    return (await this.#db.all<[string]>(ABANDONED, before, limit)).map(([rootId]) => rootId);
  }

  /** Removes up to `limit` records, and with the last of them the draft. True when it is gone. */
  async discard(rootId: string, limit: number): Promise<boolean> {
    if ((await this.#db.get(TAKE, rootId)) === undefined) return true;
    await this.#db.all(DISCARD, rootId);
    await this.#db.all(DELETE_RECORDS, rootId, limit);
    if ((await this.#db.get(ANY_RECORD, rootId)) !== undefined) return false;
    for (const sql of DELETE_NOTES)
      if ((await this.#db.all(sql, rootId, limit)).length === limit) return false;
    for (const sql of DELETE_REST) await this.#db.all(sql, rootId);
    return true;
  }
}

import type { DraftStep } from "../../ports/store.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { list, rows } from "./literals.ts";
import { SHOWN } from "./visible.ts";

/** An id is the root's, or begins with it and a dot; the slash is the character after the dot. */
const OF_WORKFLOW = "id >= $1 AND id < CONCAT($1, '/') AND root_id = $1";

const ANY_RECORD = `SELECT 1 FROM mageflow_signatures FORCE INDEX (PRIMARY) WHERE ${OF_WORKFLOW} LIMIT 1`;

const BEGIN = "INSERT INTO mageflow_drafts (root_id, begun_at) VALUES ($1, $2)";

/** Nobody begins to discard them before this transaction has ended. */
const HOLD = `SELECT ${text("root_id")} FROM mageflow_drafts FORCE INDEX (PRIMARY)
  WHERE root_id IN $1 AND begun_at >= 0 ORDER BY root_id LOCK IN SHARE MODE`;

const FINISH = "DELETE FROM mageflow_drafts WHERE root_id IN $1";

/** A stored tree that is to be removed is a draft that is being discarded: nobody sees it any more. */
const CONDEMNABLE = `SELECT ${text("s.id")} FROM mageflow_signatures AS s FORCE INDEX (PRIMARY)
  WHERE s.id IN $1 AND ${SHOWN}`;

const CONDEMN = "INSERT INTO mageflow_drafts (root_id, begun_at) VALUES $1";

/** Its key is free for the next. */
const FREE_KEYS = "UPDATE mageflow_signatures SET `key` = NULL WHERE id IN $1";

const ABANDONED = `SELECT ${text("root_id")} FROM mageflow_drafts WHERE begun_at < $1 ORDER BY begun_at LIMIT $2`;

const TAKE = "SELECT 1 FROM mageflow_drafts WHERE root_id = $1 FOR UPDATE";

/** A draft that is being discarded has begun before all time: nothing can be added to it, nor can it be finished. */
const DISCARD = "UPDATE mageflow_drafts SET begun_at = -1 WHERE root_id = $1 AND begun_at >= 0";

const DELETE_RECORDS = `DELETE FROM mageflow_signatures WHERE ${OF_WORKFLOW} ORDER BY id LIMIT $2`;

/** What task code has saved, by the ids of the workflow, and its log lines. */
const DELETE_NOTES = [
  ...["steps", "checkpoints", "progress"].map(
    (table) => `DELETE FROM mageflow_${table}
      WHERE id >= $1 AND id < CONCAT($1, '/') AND (id = $1 OR id > CONCAT($1, '.')) ORDER BY id LIMIT $2`,
  ),
  "DELETE FROM mageflow_logs WHERE root_id = $1 LIMIT $2",
];

const DELETE_REST = ["births", "specs", "journal", "journal_heads", "drafts"].map(
  (table) => `DELETE FROM mageflow_${table} WHERE root_id = $1`,
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
      await this.#db.run(BEGIN, rootId, now);
    }
    if (held.size === 0) return;
    const found = new Set((await this.#db.all<[string]>(HOLD, list(held))).map(([rootId]) => rootId));
    for (const rootId of held)
      if (!found.has(rootId))
        throw new Error(`there is no draft "${rootId}": it was discarded or never begun`);
  }

  finish(steps: readonly DraftStep[]): Promise<unknown>[] {
    const finished = steps.flatMap((step) => ("finish" in step ? step.finish : []));
    return finished.length === 0 ? [] : [this.#db.later(FINISH, list(finished))];
  }

  /** Roots that are locked. */
  async condemn(rootIds: readonly string[]): Promise<void> {
    const wanted = [...new Set(rootIds)];
    const condemnable = await this.#db.all(CONDEMNABLE, list(wanted));
    if (condemnable.length < wanted.length)
      throw new Error(`there is no workflow to condemn among ${rootIds.join(", ")}`);
    await Promise.all([
      ...rows(wanted.map((rootId) => [rootId, -1])).map((some) => this.#db.run(CONDEMN, some)),
      this.#db.run(FREE_KEYS, list(wanted)),
    ]);
  }

  /** Begun before this instant, oldest first. */
  async abandoned(before: number, limit: number): Promise<string[]> {
    return (await this.#db.all<[string]>(ABANDONED, before, limit)).map(([rootId]) => rootId);
  }

  /** Removes up to `limit` records, and with the last of them the draft. True when it is gone. */
  async discard(rootId: string, limit: number): Promise<boolean> {
    if ((await this.#db.get(TAKE, rootId)) === undefined) return true;
    await this.#db.run(DISCARD, rootId);
    await this.#db.run(DELETE_RECORDS, rootId, limit);
    if ((await this.#db.get(ANY_RECORD, rootId)) !== undefined) return false;
    for (const sql of DELETE_NOTES) if ((await this.#db.run(sql, rootId, limit)) === limit) return false;
    await Promise.all(DELETE_REST.map((sql) => this.#db.run(sql, rootId)));
    return true;
  }
}

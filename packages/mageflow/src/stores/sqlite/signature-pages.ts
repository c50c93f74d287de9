import { type Status, STATUSES } from "../../core/status.ts";
import type { ChildQuery } from "../../ports/store.ts";
import type { Connection, Parameter } from "./connection.ts";
import { COLUMNS, type Row } from "./row.ts";

/** Signatures as everybody sees them, drafts left out: one by one, a parent's in the order of slots, and counted. */

const BY_ID = `SELECT ${COLUMNS} FROM shown WHERE id = ?`;

const BY_SEQ = `SELECT ${COLUMNS} FROM shown WHERE seq = ?`;

const BY_ROOT_KEY = `SELECT ${COLUMNS} FROM shown WHERE parent_id IS NULL AND key = ?`;

const ANY_DRAFT = "SELECT 1 FROM drafts LIMIT 1";

/** Jumps from one turn to the next: there are few, whatever the number of children. */
const STARTABLE_TURNS = `WITH RECURSIVE turns (turn) AS (
    SELECT min(child_turn) FROM signatures WHERE parent_id = ?1 AND child_status = 'STARTABLE'
    UNION ALL
    SELECT (SELECT min(child_turn) FROM signatures
      WHERE parent_id = ?1 AND child_status = 'STARTABLE' AND child_turn > turns.turn)
    FROM turns WHERE turns.turn IS NOT NULL
  )
  SELECT turn FROM turns WHERE turn IS NOT NULL`;

const CHILD_SLOTS = `SELECT slot, seq FROM signatures
  WHERE parent_id = ? AND child_status = ? AND child_turn = ? AND slot > ? ORDER BY slot LIMIT ?`;

/** Children that a worker holds. */
const HELD_SLOTS = `SELECT slot, seq FROM signatures
  WHERE parent_id = ? AND worker_id IS NOT NULL AND slot > ? AND status = ? AND role IN ('step', 'item')
  ORDER BY slot LIMIT ?`;

const COUNT_CHILDREN = "SELECT count(*) FROM signatures WHERE parent_id = ? AND child_status = ?";

const COUNT_HELD = `SELECT count(*) FROM signatures
  WHERE parent_id = ? AND worker_id IS NOT NULL AND status = ? AND role IN ('step', 'item')`;

/** A row when what is under this parent belongs to a draft. */
const HIDDEN = `SELECT 1 FROM signatures
  WHERE (id = ?1 OR (parent_id = ?1 AND child_status IS NOT NULL) OR (parent_id = ?1 AND worker_id IS NOT NULL))
    AND root_id IN (SELECT root_id FROM drafts) LIMIT 1`;

const CALLBACKS = `SELECT ${COLUMNS} FROM shown
  WHERE parent_id = ?1 AND role <> 'step' AND role <> 'item' AND id > ?2
    AND (?3 IS NULL OR status IN (SELECT value FROM json_each(?3)))
  ORDER BY id LIMIT ?4`;

const SCAN = `SELECT ${COLUMNS} FROM shown WHERE id > ? ORDER BY id LIMIT ?`;

/** Jumps from one name to the next, so that it takes a step a name and not a step a task. */
const READY_NAMES = `WITH RECURSIVE names (name) AS (
    SELECT min(name) FROM signatures WHERE status = 'READY'
    UNION ALL
    SELECT (SELECT min(name) FROM signatures WHERE status = 'READY' AND name > names.name)
    FROM names WHERE names.name IS NOT NULL
  )
  SELECT name FROM names WHERE name IS NOT NULL`;

/** Ready tasks are counted no further than 1,000. */
const COUNT_READY =
  "SELECT count(*) FROM (SELECT 1 FROM signatures WHERE status = 'READY' AND name = ? LIMIT 1000)";

const COUNT_READY_SHOWN =
  "SELECT count(*) FROM (SELECT 1 FROM shown WHERE status = 'READY' AND name = ? LIMIT 1000)";

/** What is greater is no instant; to SQLite any text is. */
const LAST_INSTANT = Number.MAX_SAFE_INTEGER;

const NEXT_DUE = `SELECT due_at FROM shown
  WHERE status = 'WAITING' AND due_at < ${LAST_INSTANT} ORDER BY due_at LIMIT 1`;

const NEXT_DEADLINE = `SELECT deadline_at FROM shown
  WHERE deadline_at < ${LAST_INSTANT} AND (status = 'READY' OR status = 'WAITING') AND kind = 'task'
  ORDER BY deadline_at LIMIT 1`;

/** Turns of children that do not wait to be started: of all, and of suspended ones that were not told to start either. */
const NO_TURN = 0;
const RESTING = 1;

/** What was told to stop and runs, those first whose grace ends first. */
const STOPS = `SELECT ${COLUMNS} FROM shown WHERE stop_until IS NOT NULL ORDER BY stop_until LIMIT ?`;

const NEXT_STOP = `SELECT stop_until FROM shown
  WHERE stop_until < ${LAST_INSTANT} ORDER BY stop_until LIMIT 1`;

/** A child by its place. */
type Child = [slot: number, seq: number];

export class SignaturePages {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  get(ids: Iterable<string>): Row[] {
    const rows: Row[] = [];
    for (const id of new Set(ids)) {
      const row = this.#db.get<Row>(BY_ID, id);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  byKey(key: string): Row | undefined {
    return this.#db.get<Row>(BY_ROOT_KEY, key);
  }

  /** Their slots are found first, status by status, so that no more rows are read than are shown. */
  children({ parentId, of, statuses, after, limit }: ChildQuery): Row[] {
    if (of === "callbacks") {
      const wanted = statuses === undefined ? null : JSON.stringify(statuses);
      return this.#db.all<Row>(CALLBACKS, parentId, String(after ?? ""), wanted, limit);
    }
    const beyond = after === null ? -1 : Number(after);
    const found: Child[] = [];
    for (const status of new Set(statuses ?? STATUSES)) {
      found.push(
        ...this.#db.all<Child>(CHILD_SLOTS, parentId, status, NO_TURN, beyond, limit),
        ...this.#db.all<Child>(HELD_SLOTS, parentId, beyond, status, limit),
      );
      if (status === "PENDING") found.push(...this.#startable(parentId, beyond, limit));
      if (status === "SUSPENDED")
        found.push(...this.#db.all<Child>(CHILD_SLOTS, parentId, status, RESTING, beyond, limit));
    }
    found.sort((a, b) => a[0] - b[0]);
    return found.slice(0, limit).flatMap(([, seq]) => this.#db.all<Row>(BY_SEQ, seq));
  }

  #startable(parentId: string, beyond: number, limit: number): Child[] {
    return this.#db
      .all<[number]>(STARTABLE_TURNS, parentId)
      .flatMap(([turn]) => this.#db.all<Child>(CHILD_SLOTS, parentId, "STARTABLE", turn, beyond, limit));
  }

  /** Counts in the indexes alone. */
  tally(parentId: string, statuses: readonly Status[]): Map<Status, number> {
    const counts = new Map<Status, number>();
    if (this.#anyDraft() && this.#db.get(HIDDEN, parentId) !== undefined) return counts;
    for (const status of statuses) {
      let count = this.#count(COUNT_CHILDREN, parentId, status) + this.#count(COUNT_HELD, parentId, status);
      if (status === "PENDING") count += this.#count(COUNT_CHILDREN, parentId, "STARTABLE");
      if (count > 0) counts.set(status, count);
    }
    return counts;
  }

  #count(sql: string, ...parameters: Parameter[]): number {
    return this.#db.get<[number]>(sql, ...parameters)![0];
  }

  scan(after: string | null, limit: number): Row[] {
    return this.#db.all<Row>(SCAN, after ?? "", limit);
  }

  readyNames(): Map<string, number> {
    const sql = this.#anyDraft() ? COUNT_READY_SHOWN : COUNT_READY;
    const counts = new Map<string, number>();
    for (const [name] of this.#db.all<[string]>(READY_NAMES)) {
      const [count] = this.#db.get<[number]>(sql, name)!;
      if (count > 0) counts.set(name, count);
    }
    return counts;
  }

  stops(limit: number): Row[] {
    return this.#db.all<Row>(STOPS, limit);
  }

  nextDue(): number | null {
    const due = this.#db.get<[number]>(NEXT_DUE)?.[0] ?? Infinity;
    const deadline = this.#db.get<[number]>(NEXT_DEADLINE)?.[0] ?? Infinity;
    const stop = this.#db.get<[number]>(NEXT_STOP)?.[0] ?? Infinity;
    const next = Math.min(due, deadline, stop);
    return next === Infinity ? null : next;
  }

  /** Mostly there is none, and what is counted need not be looked at one by one. */
  #anyDraft(): boolean {
    return this.#db.get(ANY_DRAFT) !== undefined;
  }
}

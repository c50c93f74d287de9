import type { Demand } from "../../core/choose.ts";
import type { SignatureRecord, Stop, Sweep } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import type { Connection } from "./connection.ts";
import { fromPlain, IS_PLAIN, PLAIN, type PlainRow } from "./plain-row.ts";
import type { Stored } from "./record-cache.ts";
import { readableRows, wholePage } from "./readable.ts";
import { COLUMNS, DEADLINE_AT, DUE_AT, type Row, SEQ, STOP } from "./row.ts";
import { IS_STALLED } from "./waiting.ts";

/**
 * Signatures that a transaction asks for: each statement reads a bounded stretch of one index. What is asked for by id or
 * parent is found in drafts too, as long as they are not being discarded (`known`), everything else in `shown` only.
 */

const BY_ID = `SELECT ${COLUMNS} FROM known WHERE id = ?`;

const BY_SEQ = `SELECT ${COLUMNS} FROM signatures WHERE seq = ?`;

const BY_ROOT_KEY = `SELECT ${COLUMNS} FROM shown WHERE parent_id IS NULL AND key = ?`;

const BY_ITEM_KEY = `SELECT ${COLUMNS} FROM known WHERE parent_id = ? AND key = ?`;

const STARTABLE = `SELECT seq, (${IS_PLAIN}), ${PLAIN} FROM known
  WHERE parent_id = ? AND child_status = 'STARTABLE' ORDER BY child_turn, slot LIMIT ?`;

/** Children of one status that no worker holds, and those that one does, as far as they meet a condition. */
const children = (condition: string): string => `SELECT ${COLUMNS} FROM known
  WHERE parent_id = ?1 AND child_status = ?2 AND ${condition} ORDER BY child_turn, slot LIMIT ?3`;

const runningChildren = (condition: string): string => `SELECT ${COLUMNS} FROM known
  WHERE parent_id = ?1 AND worker_id IS NOT NULL AND status = ?2 AND role IN ('step', 'item') AND ${condition}
  ORDER BY slot LIMIT ?3`;

/** What `belongs` of core says of a status, or of what has ended in whatever way, in SQL. */
type Swept = readonly [status: Status | "STARTABLE" | "ENDED", sql: string];

/** A suspended container that was running has something running inside. */
const NEVER_RAN = children("attempt = 0 AND prior IS NOT 'RUNNING'");
const UNTOLD = "(stop IS NULL OR stop ->> '$.by' IS NOT ?1)";
const UNCANCELLED = "(stop IS NULL OR stop ->> '$.verb' <> 'cancel' OR stop ->> '$.by' IS NOT ?1)";
const ANY = children("true");
/** Looks through what waits for its turn, which is as long as the container's window. */
const UNDER_WAY = children(`attempt > 0 AND ${UNTOLD}`);

/** What has ended uncleaned, and its container does not know yet. */
const UNCREDITED = `SELECT ${COLUMNS} FROM known
  WHERE parent_id = ?1 AND credited < milestone AND milestone = 1 AND role IN ('step', 'item') AND ?2 = 'ENDED'
  ORDER BY id LIMIT ?3`;

/** What has ended and waits for its callbacks. */
const UNSETTLED = `SELECT ${COLUMNS} FROM known
  WHERE parent_id = ?1 AND (milestone = 1 OR milestone = 2) AND stop IS NULL AND (role = 'step' OR role = 'item')
    AND ?2 = 'ENDED' ORDER BY slot LIMIT ?3`;

const SWEPT: Readonly<Record<Exclude<Sweep, "start" | "unhold" | "clean" | "hasten">, readonly Swept[]>> = {
  skip: [
    ["STARTABLE", NEVER_RAN],
    ["PENDING", NEVER_RAN],
    ["READY", NEVER_RAN],
    ["WAITING", NEVER_RAN],
    ["SUSPENDED", NEVER_RAN],
    ["INTERRUPTED", children("(stop IS NULL OR stop ->> '$.done' OR NOT stop ->> '$.resumes')")],
  ],
  interrupt: [
    ["RUNNING", children(UNTOLD)],
    ["RUNNING", runningChildren(UNTOLD)],
    ["PENDING", UNDER_WAY],
    ["READY", UNDER_WAY],
    ["WAITING", UNDER_WAY],
    ["SUSPENDED", children(`(attempt > 0 OR prior = 'RUNNING') AND ${UNTOLD}`)],
    ["INTERRUPTED", children(`NOT stop ->> '$.done' AND ${UNTOLD}`)],
    ["ENDED", UNCREDITED],
  ],
  cancel: [
    ["PENDING", children(UNCANCELLED)],
    ["READY", children(UNCANCELLED)],
    ["RUNNING", children(UNCANCELLED)],
    ["RUNNING", runningChildren(UNCANCELLED)],
    ["WAITING", children(UNCANCELLED)],
    ["SUSPENDED", children(UNCANCELLED)],
    ["INTERRUPTED", children(UNCANCELLED)],
    ["ENDED", UNSETTLED],
  ],
  reset: [
    ["SUCCEEDED", ANY],
    ["FAILED", ANY],
    ["SKIPPED", ANY],
    ["CANCELLED", ANY],
  ],
};

const HELD = `SELECT ${COLUMNS} FROM known WHERE held_by = ? ORDER BY id LIMIT ?`;

/** A cleanup of something inside the signature, or what is inside such a cleanup. */
const IN_CLEANUP =
  "(instr(substr(id, length(?1) + 1), '.cleanup') > 0 OR instr(substr(id, length(?1) + 1), '.itemCleanup') > 0)";

/** Looks through what the signature holds, which is as long as the windows inside it. */
const HELD_CLEANUPS = `SELECT ${COLUMNS} FROM known WHERE held_by = ?1 AND ${IN_CLEANUP} ORDER BY id LIMIT ?2`;

/** Looks through the index of what runs and is to stop, which is as long as all workers together have places. */
const STOPPING = `SELECT ${COLUMNS} FROM known
  WHERE stop_until > ?2 AND substr(id, 1, length(?1) + 1) = ?1 || '.' AND NOT ${IN_CLEANUP} ORDER BY stop_until LIMIT ?3`;

const READY = `SELECT ${COLUMNS} FROM shown
  WHERE status = 'READY' AND name = ? ORDER BY priority DESC, ready_at, slot, id LIMIT ?`;

/** The turns of tasks of one name, without the tasks. */
const READY_TURNS = `SELECT seq, priority, ready_at, slot, id FROM shown
  WHERE status = 'READY' AND name = ? ORDER BY priority DESC, ready_at, slot, id LIMIT ?`;

const DUE = `SELECT ${COLUMNS} FROM shown
  WHERE status = 'WAITING' AND due_at <= ? ORDER BY due_at LIMIT ?`;

/** What runs, is to stop and has had its grace. */
const OVERDUE_STOP = `SELECT ${COLUMNS} FROM shown WHERE stop_until <= ? ORDER BY stop_until LIMIT ?`;

const PAST_DEADLINE = `SELECT ${COLUMNS} FROM shown
  WHERE deadline_at <= ? AND (status = 'READY' OR status = 'WAITING') AND kind = 'task' ORDER BY deadline_at LIMIT ?`;

/** Looks through the index of what runs, which is as long as all workers together have places. */
const RUNNING_UNDER = `SELECT ${COLUMNS} FROM shown WHERE status = 'RUNNING' AND worker_id = ? LIMIT ?`;

const OWING = `SELECT ${COLUMNS} FROM known WHERE parent_id = ? AND credited < milestone ORDER BY id LIMIT ?`;

const OWED =
  "SELECT DISTINCT parent_id FROM shown WHERE credited < milestone AND parent_id IS NOT NULL LIMIT ?";

const SWEEPING = "SELECT id FROM shown WHERE sweep IS NOT NULL ORDER BY id LIMIT ?";

const PURGEABLE = `SELECT ${COLUMNS} FROM shown WHERE purge_at <= ? ORDER BY purge_at LIMIT ?`;

/** Looks through the index of what runs, which is as long as all workers together have places. */
const RUNNING_IN = `SELECT ${COLUMNS} FROM shown
  WHERE worker_id IS NOT NULL AND status = 'RUNNING' AND kind = 'task' AND root_id = ? LIMIT ?`;

/** Looks through the index of what waits for nothing, where there is hardly ever any. */
const RUNNING_ALONE_IN = `SELECT ${COLUMNS} FROM shown
  WHERE ${IS_STALLED} AND status = 'RUNNING' AND id >= ?1 AND id < ?1 || '/' AND root_id = ?1 LIMIT ?2`;

/** An id begins with that of what it stands below and a dot; the slash is the character after the dot. */
const STOPPING_IN = `SELECT ${COLUMNS} FROM shown
  WHERE status = 'INTERRUPTED' AND stop ->> '$.done' = 0 AND id > ?1 || '.' AND id < ?1 || '/' LIMIT ?2`;

/** A position among ready tasks, best first. */
type Turn = [seq: number, priority: number, readyAt: number, slot: number, id: string];

export class SignatureTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  byId(id: string): Row | undefined {
    return this.#db.get<Row>(BY_ID, id);
  }

  byKey(key: string): Row | undefined {
    return this.#db.get<Row>(BY_ROOT_KEY, key);
  }

  itemsByKey(parentId: string, keys: readonly string[]): Row[] {
    return [...new Set(keys)].flatMap((key) => this.#db.all<Row>(BY_ITEM_KEY, parentId, key));
  }

  /** Children to start, by priority and slot. */
  startable(id: string, limit: number): Stored[] {
    return wholePage(
      limit,
      (most) => this.#db.all<PlainRow>(STARTABLE, id, most),
      (rows) => this.#fromPlain(rows),
    );
  }

  #fromPlain(rows: readonly PlainRow[]): Stored[] {
    let last: SignatureRecord | undefined;
    return rows.flatMap((row) => {
      const [seq, isPlain] = row;
      if (isPlain !== 1) return readableRows(this.#db.all<Row>(BY_SEQ, seq));
      last = fromPlain(row, last);
      return { seq, record: last };
    });
  }

  /** What a container holds, by id. */
  held(id: string, limit: number): Row[] {
    return this.#db.all<Row>(HELD, id, limit);
  }

  /** Cleanups, and what is inside of them, among what a container holds, by id. */
  heldCleanups(id: string, limit: number): Row[] {
    return this.#db.all<Row>(HELD_CLEANUPS, id, limit);
  }

  /** What runs inside a signature and has longer to stop than this instant. */
  stopping(id: string, until: number, limit: number): Row[] {
    return this.#db.all<Row>(STOPPING, id, until, limit);
  }

  /** Children that a sweep is about. */
  swept(id: string, what: keyof typeof SWEPT, limit: number): Row[] {
    const rows: Row[] = [];
    for (const [status, sql] of SWEPT[what]) {
      if (rows.length < limit) rows.push(...this.#db.all<Row>(sql, id, status, limit - rows.length));
    }
    return rows;
  }

  /** `more` than there is room for. For several names the turns are compared first, so that no more tasks are read than are taken. */
  ready({ slots, tasks }: Demand, more: number): Row[] {
    const [first] = tasks;
    if (first !== undefined && tasks.size === 1)
      return this.#db.all<Row>(READY, first[0], Math.min(first[1], slots) + more);
    const turns: Turn[] = [];
    for (const [name, room] of tasks) {
      const limit = Math.min(room, slots) + more;
      for (const turn of this.#db.all<Turn>(READY_TURNS, name, limit)) turns.push(turn);
    }
    turns.sort((a, b) => b[1] - a[1] || a[2] - b[2] || a[3] - b[3] || (a[4] < b[4] ? -1 : 1));
    return turns.slice(0, slots + more).flatMap(([seq]) => this.#db.all<Row>(BY_SEQ, seq));
  }

  /** Those that are due by their time, that are late, or that have had their grace, in the order of these instants. */
  due(now: number, limit: number): Row[] {
    const found = new Map<number, { row: Row; at: number }>();
    for (const row of this.#db.all<Row>(DUE, now, limit)) found.set(row[SEQ], { row, at: row[DUE_AT]! });
    for (const row of this.#db.all<Row>(PAST_DEADLINE, now, limit)) {
      found.set(row[SEQ], { row, at: Math.min(found.get(row[SEQ])?.at ?? Infinity, row[DEADLINE_AT]!) });
    }
    for (const row of this.#db.all<Row>(OVERDUE_STOP, now, limit)) {
      found.set(row[SEQ], { row, at: (JSON.parse(row[STOP]!) as Stop).until });
    }
    const oldestFirst = [...found.values()].sort((a, b) => a.at - b.at);
    return oldestFirst.slice(0, limit).map(({ row }) => row);
  }

  heldByWorker(workerId: string, limit: number): Row[] {
    return this.#db.all<Row>(RUNNING_UNDER, workerId, limit);
  }

  purgeable(now: number, limit: number): Row[] {
    return this.#db.all<Row>(PURGEABLE, now, limit);
  }

  underWayIn(rootId: string, limit: number): Row[] {
    const found = [RUNNING_IN, RUNNING_ALONE_IN, STOPPING_IN].flatMap((sql) =>
      this.#db.all<Row>(sql, rootId, limit),
    );
    return found.slice(0, limit);
  }

  owing(parentId: string, limit: number): Row[] {
    return this.#db.all<Row>(OWING, parentId, limit);
  }

  owed(limit: number): string[] {
    return this.#db.all<[string]>(OWED, limit).map(([parentId]) => parentId);
  }

  sweeping(limit: number): string[] {
    return this.#db.all<[string]>(SWEEPING, limit).map(([id]) => id);
  }
}

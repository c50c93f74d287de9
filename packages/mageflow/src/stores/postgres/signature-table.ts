import { choose, type Demand } from "../../core/choose.ts";
import type { SignatureRecord, Sweep } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import type { WindowQuery } from "../../ports/store.ts";
import { readable, wholePage, withMore } from "../readable.ts";
import { textArray, arrayOf } from "./arrays.ts";
import { childrenWith, IS_UNDER_WORKER, IS_STARTABLE } from "./children.ts";
import { COLUMNS } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { toSafe } from "../safe-text.ts";
import type { Turn } from "./turns.ts";
import { KNOWN, SHOWN } from "./visible.ts";
import { IS_STALLED } from "./waiting.ts";

/**
 * Signatures that a transaction asks for: each statement reads a bounded stretch of one index. What is asked for by id or
 * parent is found in drafts too, as long as they are not being discarded, everything else when it is shown only.
 *
 * What is locked stays so until the transaction ends. Who must have all of something waits for what others have locked; who takes what
 * there is, and comes again, leaves it out (`SKIP LOCKED`).
 */

const WAIT = "FOR NO KEY UPDATE OF signatures";
const LEAVE = "FOR NO KEY UPDATE OF signatures SKIP LOCKED";

const BY_IDS = `SELECT ${COLUMNS} FROM signatures WHERE id = ANY ($1::text[]) AND ${KNOWN}`;

const LOCK = `${BY_IDS} ORDER BY id ${WAIT}`;

const LOCK_FREE = `${BY_IDS} ORDER BY id ${LEAVE}`;

/** Of what is locked the ids, and by which transactions they were written. */
const LOCK_IDS = `SELECT id, xmin::text FROM signatures WHERE id = ANY ($1::text[]) AND ${KNOWN} ORDER BY id ${WAIT}`;

const LOCK_FREE_IDS = `SELECT id, xmin::text FROM signatures WHERE id = ANY ($1::text[]) AND ${KNOWN} ORDER BY id ${LEAVE}`;

const EXISTING = `SELECT id FROM signatures WHERE id = ANY ($1::text[]) AND ${KNOWN}`;

const BY_ROOT_KEY = `SELECT ${COLUMNS} FROM signatures WHERE parent_id IS NULL AND key = $1 AND ${SHOWN}`;

const BY_ITEM_KEYS = `SELECT ${COLUMNS} FROM signatures WHERE parent_id = $1 AND key = ANY ($2::text[]) AND ${KNOWN}`;

/** The first of them that `limit` leaves room for. */
type Stretch = (limit: string) => string;

/** Children in a stretch of an index, by their slots, as far as they meet a condition. */
const childrenIn =
  (stretch: string, condition: string): Stretch =>
  (limit) =>
    `SELECT ${COLUMNS} FROM signatures
  WHERE parent_id = $1 AND ${stretch} AND ${condition} AND ${KNOWN}
  ORDER BY slot LIMIT ${limit} ${WAIT}`;

/** Children that are not startable, or have ended, as far as they meet a condition. */
const children = (status: Status, condition: string): Stretch[] =>
  childrenWith(status).map((stretch) => childrenIn(stretch, condition));

/** Children that nothing holds, by their turn. */
const startable =
  (condition: string): Stretch =>
  (limit) =>
    `SELECT ${COLUMNS} FROM signatures
  WHERE parent_id = $1 AND ${IS_STARTABLE} AND ${condition} AND ${KNOWN}
  ORDER BY priority DESC, slot LIMIT ${limit} ${WAIT}`;

const STARTABLE = startable("true")("$2");

/** Those of one priority, behind a slot. */
const STARTABLE_AFTER = startable("priority = $3 AND slot > $4")("$2");

/** None when somebody else has locked the container, which is locked with them. */
const ifFree = (sql: string): string =>
  sql.replace("parent_id = $1", `parent_id = (SELECT id FROM signatures WHERE id = $1 ${LEAVE})`);
const STARTABLE_IF_FREE = ifFree(STARTABLE);
const STARTABLE_AFTER_IF_FREE = ifFree(STARTABLE_AFTER);

/** What `belongs` of core says of a status, in SQL. A suspended container that was running has something running inside. */
const NEVER_RAN = "attempt = 0 AND prior IS DISTINCT FROM 'RUNNING'";
const UNTOLD = "stop_by IS DISTINCT FROM $1";
const UNCANCELLED = "(stop_verb IS DISTINCT FROM 'cancel' OR stop_by IS DISTINCT FROM $1)";
/** Looks through what waits for its turn, which is as long as the container's window. */
const UNDER_WAY = `attempt > 0 AND ${UNTOLD}`;

/** What has ended uncleaned, and its container does not know yet. */
const UNCREDITED: Stretch = (limit) => `SELECT ${COLUMNS} FROM signatures
  WHERE parent_id = $1 AND credited < milestone AND milestone = 1 AND (role = 'step' OR role = 'item') AND ${KNOWN}
  ORDER BY id LIMIT ${limit} ${WAIT}`;

/** What has ended and waits for its callbacks. */
const UNSETTLED: Stretch = (limit) => `SELECT ${COLUMNS} FROM signatures
  WHERE parent_id = $1 AND (milestone = 1 OR milestone = 2) AND stop IS NULL AND (role = 'step' OR role = 'item') AND ${KNOWN}
  ORDER BY slot LIMIT ${limit} ${WAIT}`;

/** One after the other, as long as there is room: most windows are filled by the first. */
function oneByOne(stretches: readonly Stretch[]): string {
  const parts = stretches.map((stretch, n) => {
    const before = Array.from({ length: n }, (_, part) => ` - (SELECT count(*) FROM part${part})`);
    return `part${n} AS (${stretch(`$2::bigint${before.join("")}`)})`;
  });
  const all = stretches.map((_, n) => `SELECT * FROM part${n}`);
  return `WITH ${parts.join(",\n")} ${all.join(" UNION ALL ")}`;
}

const SWEPT: Readonly<Record<Exclude<Sweep, "start" | "unhold" | "clean" | "hasten">, string>> = {
  skip: oneByOne([
    startable(NEVER_RAN),
    ...children("PENDING", NEVER_RAN),
    ...children("READY", NEVER_RAN),
    ...children("WAITING", NEVER_RAN),
    ...children("SUSPENDED", NEVER_RAN),
    ...children("INTERRUPTED", "(stop IS NULL OR stop_done OR NOT stop_resumes)"),
  ]),
  interrupt: oneByOne([
    ...children("RUNNING", UNTOLD),
    ...children("PENDING", UNDER_WAY),
    ...children("READY", UNDER_WAY),
    ...children("WAITING", UNDER_WAY),
    ...children("SUSPENDED", `(attempt > 0 OR prior = 'RUNNING') AND ${UNTOLD}`),
    ...children("INTERRUPTED", `NOT stop_done AND ${UNTOLD}`),
    UNCREDITED,
  ]),
  cancel: oneByOne([
    ...children("PENDING", UNCANCELLED),
    ...children("READY", UNCANCELLED),
    ...children("RUNNING", UNCANCELLED),
    ...children("WAITING", UNCANCELLED),
    ...children("SUSPENDED", UNCANCELLED),
    ...children("INTERRUPTED", UNCANCELLED),
    UNSETTLED,
  ]),
  reset: oneByOne([
    ...children("SUCCEEDED", "true"),
    ...children("FAILED", "true"),
    ...children("SKIPPED", "true"),
    ...children("CANCELLED", "true"),
  ]),
};

const HELD = `SELECT ${COLUMNS} FROM signatures WHERE held_by = $1 AND ${KNOWN} ORDER BY id LIMIT $2 ${WAIT}`;

/** A cleanup of something inside the signature, or what is inside such a cleanup. */
const IN_CLEANUP =
  "(strpos(substr(id, length($1) + 1), '.cleanup') > 0 OR strpos(substr(id, length($1) + 1), '.itemCleanup') > 0)";

/** Looks through what the signature holds, which is as long as the windows inside it. */
const HELD_CLEANUPS = `SELECT ${COLUMNS} FROM signatures
  WHERE held_by = $1 AND ${IN_CLEANUP} AND ${KNOWN} ORDER BY id LIMIT $2 ${WAIT}`;

/** Looks through the index of what runs and is to stop, which is as long as all workers together have places. */
const STOPPING = `SELECT ${COLUMNS} FROM signatures
  WHERE stop_until > $2 AND starts_with(id, $1 || '.') AND NOT ${IN_CLEANUP} AND ${KNOWN}
  ORDER BY stop_until LIMIT $3 ${WAIT}`;

const READY = `SELECT found.* FROM unnest($1::text[], $2::int[]) AS wanted (task, room) CROSS JOIN LATERAL (
    SELECT ${COLUMNS} FROM signatures WHERE status = 'READY' AND name = wanted.task AND ${SHOWN}
    ORDER BY priority DESC, ready_at, slot, id LIMIT wanted.room ${LEAVE}
  ) AS found`;

const DUE = `SELECT due_at, ${COLUMNS} FROM signatures
  WHERE status = 'WAITING' AND due_at <= $1 AND ${SHOWN} ORDER BY due_at LIMIT $2 ${LEAVE}`;

const PAST_DEADLINE = `SELECT deadline_at, ${COLUMNS} FROM signatures
  WHERE deadline_at <= $1 AND (status = 'READY' OR status = 'WAITING') AND kind = 'task' AND ${SHOWN}
  ORDER BY deadline_at LIMIT $2 ${LEAVE}`;

/** What runs, is to stop and has had its grace. */
const OVERDUE_STOP = `SELECT stop_until, ${COLUMNS} FROM signatures
  WHERE stop_until <= $1 AND ${SHOWN} ORDER BY stop_until LIMIT $2 ${LEAVE}`;

/** Looks through the index of what runs, which is as long as all workers together have places. */
const RUNNING_UNDER = `SELECT ${COLUMNS} FROM signatures
  WHERE ${IS_UNDER_WORKER} AND worker_id = $1 AND ${SHOWN} ORDER BY id LIMIT $2 ${WAIT}`;

const OWING = `SELECT ${COLUMNS} FROM signatures
  WHERE parent_id = $1 AND credited < milestone AND ${KNOWN} ORDER BY id LIMIT $2 ${WAIT}`;

/** Jumps from one parent to the next, so that it takes a step a parent and not a step a child. */
const OWED = `WITH RECURSIVE parents (id) AS (
    (SELECT parent_id FROM signatures WHERE credited < milestone AND parent_id IS NOT NULL AND ${SHOWN}
      ORDER BY parent_id LIMIT 1)
    UNION ALL
    SELECT (SELECT parent_id FROM signatures WHERE credited < milestone AND parent_id > parents.id AND ${SHOWN}
      ORDER BY parent_id LIMIT 1)
    FROM parents WHERE parents.id IS NOT NULL
  )
  SELECT id FROM parents WHERE id IS NOT NULL LIMIT $1`;

const SWEEPING = `SELECT id FROM signatures WHERE sweep IS NOT NULL AND ${SHOWN} ORDER BY id LIMIT $1`;

const PURGEABLE = `SELECT ${COLUMNS} FROM signatures
  WHERE purge_at <= $1 AND ${SHOWN} ORDER BY purge_at LIMIT $2 ${LEAVE}`;

/** Looks through the index of what runs, which is as long as all workers together have places. */
const RUNNING_IN = `SELECT ${COLUMNS} FROM signatures
  WHERE ${IS_UNDER_WORKER} AND kind = 'task' AND root_id = $1 AND ${SHOWN} LIMIT $2 ${WAIT}`;

/** Looks through the index of what waits for nothing, where there is hardly ever any. */
const RUNNING_ALONE_IN = `SELECT ${COLUMNS} FROM signatures
  WHERE ${IS_STALLED} AND status = 'RUNNING' AND id >= $1 AND id < $1 || '/' AND root_id = $1 AND ${SHOWN}
  LIMIT $2 ${WAIT}`;

/** An id begins with that of what it stands below and a dot; the slash is the character after the dot. */
const STOPPING_IN = `SELECT ${COLUMNS} FROM signatures
  WHERE status = 'INTERRUPTED' AND NOT stop_done AND id > $1 || '.' AND id < $1 || '/' AND ${SHOWN} LIMIT $2 ${WAIT}`;

/** A row behind the instant at which it is due. */
type DueRow = readonly [at: number, ...row: Row];

export class SignatureTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Without a lock, and without what cannot be read. */
  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return readable(await this.rows(ids), toRecord);
  }

  /** In the order of ids, waiting for what others have locked. */
  async lock(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#records(LOCK, textArray(ids.map(toSafe)));
  }

  /** Without what others have locked. */
  async lockFree(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#records(LOCK_FREE, textArray(ids.map(toSafe)));
  }

  /** Locks them in the order of ids, those that others have locked too if it waits, and gives their ids and versions. */
  async lockIds(
    ids: readonly string[],
    { wait }: { wait: boolean },
  ): Promise<[id: string, version: string][]> {
    return this.#db.all(wait ? LOCK_IDS : LOCK_FREE_IDS, textArray(ids.map(toSafe)));
  }

  /** Without a lock. */
  async rows(ids: readonly string[]): Promise<Row[]> {
    return this.#db.all(BY_IDS, textArray(ids.map(toSafe)));
  }

  /** Locks those that nobody else has locked. */
  async freeRows(ids: readonly string[]): Promise<Row[]> {
    return this.#db.all(LOCK_FREE, textArray(ids));
  }

  /** Children to start of a container that nobody else has locked. */
  async startableIfFree(id: string, limit: number, after: Turn | null): Promise<SignatureRecord[]> {
    return after === null
      ? this.#page(limit, STARTABLE_IF_FREE, id)
      : this.#pageAfter(after, limit, STARTABLE_AFTER_IF_FREE, id);
  }

  /** Children of this priority behind this slot, and no others. */
  async startableAfter(id: string, limit: number, after: Turn): Promise<SignatureRecord[]> {
    return this.#pageAfter(after, limit, STARTABLE_AFTER, id);
  }

  async existing(ids: readonly string[]): Promise<string[]> {
    return this.#ids(EXISTING, textArray(ids.map(toSafe)));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    return (await this.#records(BY_ROOT_KEY, toSafe(key)))[0] ?? null;
  }

  async itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    const rows = await this.#db.all<Row>(BY_ITEM_KEYS, parentId, textArray(keys.map(toSafe)));
    return readable(rows, toRecord);
  }

  async window({ id, what, limit, until }: WindowQuery): Promise<SignatureRecord[]> {
    switch (what) {
      case "start":
        return this.#page(limit, STARTABLE, id);
      case "unhold":
        return this.#page(limit, HELD, id);
      case "clean":
        return this.#page(limit, HELD_CLEANUPS, id);
      case "hasten":
        return this.#page(limit, STOPPING, id, until!);
      default:
        return this.#page(limit, SWEPT[what], id);
    }
  }

  async ready(demand: Demand): Promise<SignatureRecord[]> {
    const names = textArray([...demand.tasks.keys()].map(toSafe));
    const rooms = [...demand.tasks.values()];
    const read = (more: number): Promise<Row[]> => {
      const most = rooms.map((room) => Math.min(room, demand.slots) + more);
      return this.#db.all<Row>(READY, names, arrayOf("int4", most));
    };
    return choose(await withMore(read, toRecord), demand);
  }

  /** Those that are due by their time, that are late, or that have had their grace, in the order of these instants. */
  async due(now: number, limit: number): Promise<SignatureRecord[]> {
    const read = async (most: number): Promise<DueRow[]> => {
      const rows = await Promise.all(
        [DUE, PAST_DEADLINE, OVERDUE_STOP].map((sql) => this.#db.all<DueRow>(sql, now, most)),
      );
      const found = new Map<string, DueRow>();
      for (const row of rows.flat()) {
        const before = found.get(row[1]);
        if (before === undefined || row[0] < before[0]) found.set(row[1], row);
      }
      return [...found.values()].sort((a, b) => a[0] - b[0]).slice(0, most);
    };
    return wholePage(limit, read, ([, ...row]) => toRecord(row));
  }

  async heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#page(limit, RUNNING_UNDER, workerId);
  }

  async purgeable(now: number, limit: number): Promise<SignatureRecord[]> {
    return this.#page(limit, PURGEABLE, now);
  }

  async underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]> {
    const found = await Promise.all(
      [RUNNING_IN, RUNNING_ALONE_IN, STOPPING_IN].map((sql) => this.#page(limit, sql, rootId)),
    );
    return found.flat().slice(0, limit);
  }

  async owing(parentId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#page(limit, OWING, parentId);
  }

  async owed(limit: number): Promise<string[]> {
    return this.#ids(OWED, limit);
  }

  async sweeping(limit: number): Promise<string[]> {
    return this.#ids(SWEEPING, limit);
  }

  #pageAfter({ priority, slot }: Turn, limit: number, sql: string, id: string): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(sql, id, most, priority, slot), toRecord);
  }

  /** What can be read of what a statement finds, whose last parameter is how much. */
  async #page(limit: number, sql: string, ...parameters: Parameter[]): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(sql, ...parameters, most), toRecord);
  }

  /** All that were asked for. @throws UnreadableError. */
  async #records(sql: string, ...parameters: Parameter[]): Promise<SignatureRecord[]> {
    return (await this.#db.all<Row>(sql, ...parameters)).map(toRecord);
  }

  async #ids(sql: string, ...parameters: Parameter[]): Promise<string[]> {
    return (await this.#db.all<[string]>(sql, ...parameters)).map(([id]) => id);
  }
}

import { choose, type Demand } from "../../core/choose.ts";
import type { SignatureRecord, Sweep } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import type { WindowQuery } from "../../ports/store.ts";
import { toSafe } from "../safe-text.ts";
import { COLUMNS, text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { jumps } from "./jumps.ts";
import { list, type Parameter } from "./literals.ts";
import { readable, wholePage } from "../readable.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { BY_ROOT_KEY } from "./signature-pages.ts";
import { KNOWN, SHOWN } from "./visible.ts";
import { withBusiness } from "./waiting.ts";

/**
 * Signatures that a transaction asks for: each statement reads a bounded stretch of one index. What is asked for by id or
 * parent is found in drafts too, as long as they are not being discarded, everything else when it is shown only.
 *
 * What is locked stays so until the transaction ends. Who must have all of something waits for what others have locked; who takes what
 * there is, and comes again, leaves it out (`SKIP LOCKED`).
 *
 * What is found by another index than that of ids is found without a lock, and then locked by its id, if it still is what was looked for.
 * Otherwise entries of that index would be locked before the row, while who has the row waits for them to change them. Ready tasks alone
 * are locked as they are found: of several who take at once each is to have others.
 */

const LEAVE = "FOR UPDATE SKIP LOCKED";
const WAIT = "FOR UPDATE";

const TABLE = "mageflow_signatures AS s FORCE INDEX";

const BY_IDS = `SELECT ${COLUMNS} FROM ${TABLE} (PRIMARY) WHERE s.id IN $1 AND ${KNOWN}`;

const LOCK = `${BY_IDS} ORDER BY s.id ${WAIT}`;

const LOCK_FREE = `${BY_IDS} ORDER BY s.id ${LEAVE}`;

const EXISTING = `SELECT ${text("s.id")} FROM ${TABLE} (PRIMARY) WHERE s.id IN $1 AND ${KNOWN}`;

const BY_ITEM_KEYS = `SELECT ${COLUMNS} FROM ${TABLE} (keys_taken) WHERE s.key_place IN $1 AND ${KNOWN}`;

/** Locks what `ids` finds, as far as it is still so; in the order in which it finds them. */
const locked = (ids: string, stillSo: string, how: string = WAIT): string => `SELECT ${COLUMNS}
  FROM (${ids}) AS page STRAIGHT_JOIN ${TABLE} (PRIMARY) ON s.id = page.id WHERE ${stillSo} ${how}`;

/** A stretch of an index, at most `$2` of it. */
interface Stretch {
  readonly ids: string;
  readonly stillSo: string;
}

/** Of children by status and turn, as far as they meet a condition. */
function children(status: Status | "STARTABLE", condition: string): Stretch {
  const stillSo = `s.parent_id = $1 AND s.child_status = '${status}' AND ${condition}`;
  return {
    ids: `SELECT s.id FROM ${TABLE} (children) WHERE ${stillSo} AND ${KNOWN}
      ORDER BY s.child_turn, s.child_slot LIMIT $2`,
    stillSo,
  };
}

/** Of children that are of concern to their parent. */
function ofConcern(debts: string, condition: string): Stretch {
  const stillSo = `s.parent_id = $1 AND s.debt IN ${debts} AND ${condition}`;
  return { ids: `SELECT s.id FROM ${TABLE} (debt) WHERE ${stillSo} AND ${KNOWN} LIMIT $2`, stillSo };
}

/** One after the other, as long as there is room. */
function oneByOne(stretches: readonly Stretch[]): string {
  const ids = stretches.map((stretch) => `(${stretch.ids})`).join(" UNION ALL ");
  const stillSo = stretches.map((stretch) => `(${stretch.stillSo})`).join(" OR ");
  return locked(`SELECT id FROM (${ids}) AS pages LIMIT $2`, `(${stillSo})`);
}

const STARTABLE = oneByOne([children("STARTABLE", "TRUE")]);

/** What `belongs` of core says of a status, in SQL. A suspended container that was running has something running inside. */
const NEVER_RAN = "s.attempt = 0 AND (s.prior IS NULL OR s.prior <> 'RUNNING')";
const UNTOLD = "(s.stop_by IS NULL OR s.stop_by <> $1)";
const UNCANCELLED =
  "(s.stop_verb IS NULL OR s.stop_verb <> 'cancel' OR s.stop_by IS NULL OR s.stop_by <> $1)";
/** Looks through what waits for its turn, which is as long as the container's window. */
const UNDER_WAY = `s.attempt > 0 AND ${UNTOLD}`;

const SWEPT: Readonly<Record<Exclude<Sweep, "start" | "unhold" | "clean" | "hasten">, string>> = {
  skip: oneByOne([
    children("STARTABLE", NEVER_RAN),
    children("PENDING", NEVER_RAN),
    children("READY", NEVER_RAN),
    children("WAITING", NEVER_RAN),
    children("SUSPENDED", NEVER_RAN),
    children("INTERRUPTED", "(s.stop IS NULL OR s.stop_done = 1 OR s.stop_resumes = 0)"),
  ]),
  interrupt: oneByOne([
    children("RUNNING", UNTOLD),
    children("PENDING", UNDER_WAY),
    children("READY", UNDER_WAY),
    children("WAITING", UNDER_WAY),
    children("SUSPENDED", `(s.attempt > 0 OR s.prior = 'RUNNING') AND ${UNTOLD}`),
    children("INTERRUPTED", `s.stop_done = 0 AND ${UNTOLD}`),
    // What has ended uncleaned, and its container does not know yet.
    ofConcern("(1, 3)", "s.milestone = 1 AND (s.role = 'step' OR s.role = 'item')"),
  ]),
  cancel: oneByOne([
    children("PENDING", UNCANCELLED),
    children("READY", UNCANCELLED),
    children("RUNNING", UNCANCELLED),
    children("WAITING", UNCANCELLED),
    children("SUSPENDED", UNCANCELLED),
    children("INTERRUPTED", UNCANCELLED),
    // What has ended and waits for its callbacks.
    ofConcern("(2, 3)", "TRUE"),
  ]),
  reset: oneByOne([
    children("SUCCEEDED", "TRUE"),
    children("FAILED", "TRUE"),
    children("SKIPPED", "TRUE"),
    children("CANCELLED", "TRUE"),
  ]),
};

/** Looks through what the signature holds, which is as long as the windows inside it. */
const held = (condition: string): string =>
  locked(
    `SELECT s.id FROM ${TABLE} (held) WHERE s.held_by = $1 AND ${condition} AND ${KNOWN} ORDER BY s.id LIMIT $2`,
    "s.held_by = $1",
  );

/** A cleanup of something inside the signature, or what is inside such a cleanup. */
const IN_CLEANUP = `(LOCATE('.cleanup', SUBSTRING(s.id, LENGTH($1) + 1)) > 0
    OR LOCATE('.itemCleanup', SUBSTRING(s.id, LENGTH($1) + 1)) > 0)`;

const HELD = held("TRUE");
const HELD_CLEANUPS = held(IN_CLEANUP);

/** Below $1. An id begins with that of what it stands below and a dot; the slash is the character after the dot. */
const BELOW = "s.id > CONCAT($1, '.') AND s.id < CONCAT($1, '/')";

/** Looks through the index of what runs and is to stop, which is as long as all workers together have places. */
const STOPPING = locked(
  `SELECT s.id FROM ${TABLE} (alarm)
    WHERE s.alarm = 'stop' AND s.alarm_at > $3 AND ${BELOW} AND NOT ${IN_CLEANUP} AND ${KNOWN} ORDER BY s.alarm_at LIMIT $2`,
  "s.stop_until > $3",
);

const READY = `SELECT ${COLUMNS} FROM ${TABLE} (line) WHERE s.line = CONCAT('ready ', $1) AND ${SHOWN}
  ORDER BY s.line_turn, s.line_at, s.line_slot, s.id LIMIT $2 ${LEAVE}`;

const DUE = locked(
  `SELECT s.id FROM ${TABLE} (line)
    WHERE s.line = 'due' AND s.line_turn = 0 AND s.line_at <= $1 AND ${SHOWN} ORDER BY s.line_at LIMIT $2`,
  "s.status = 'WAITING' AND s.due_at <= $1",
  LEAVE,
);

const alarmed = (alarm: string): string =>
  locked(
    `SELECT s.id FROM ${TABLE} (alarm)
      WHERE s.alarm = '${alarm}' AND s.alarm_at <= $1 AND ${SHOWN} ORDER BY s.alarm_at LIMIT $2`,
    `s.alarm = '${alarm}' AND s.alarm_at <= $1`,
    LEAVE,
  );

const PAST_DEADLINE = alarmed("deadline");

/** What runs, is to stop and has had its grace. */
const OVERDUE_STOP = alarmed("stop");

const RUNNING_UNDER = locked(
  `SELECT s.id FROM ${TABLE} (line) WHERE s.line = CONCAT('under ', $1) AND ${SHOWN}
    ORDER BY s.line_turn, s.line_at, s.line_slot, s.id LIMIT $2`,
  "s.status = 'RUNNING' AND s.worker_id = $1",
);

const OWING = locked(
  `SELECT s.id FROM ${TABLE} (debt) WHERE s.debt IN (1, 3) AND s.parent_id = $1 AND ${KNOWN} LIMIT $2`,
  "s.credited < s.milestone",
);

const NEXT_OWED = [1, 3].map(
  (debt) => `SELECT ${text("s.parent_id")} FROM ${TABLE} (debt)
  WHERE s.debt = ${debt} AND s.parent_id > $1 AND ${SHOWN} ORDER BY s.parent_id LIMIT 1`,
);

const SWEEPING = `SELECT ${text("s.id")} FROM ${TABLE} (business)
  WHERE s.business IN (${withBusiness(4).join(", ")}) AND ${SHOWN} LIMIT $1`;

const PURGEABLE = locked(
  `SELECT s.id FROM ${TABLE} (purges) WHERE s.purge_at <= $1 AND ${SHOWN} ORDER BY s.purge_at LIMIT $2`,
  "s.purge_at <= $1",
  LEAVE,
);

/** Looks through the index of what runs, which is as long as all workers together have places. */
const RUNNING_IN = locked(
  `SELECT s.id FROM ${TABLE} (line)
    WHERE s.line > 'under ' AND s.line < 'under!' AND s.kind = 'task' AND s.root_id = $1 AND ${SHOWN} LIMIT $2`,
  "s.status = 'RUNNING' AND s.worker_id IS NOT NULL",
);

/** Looks through the index of what waits for nothing, where there is hardly ever any. */
const RUNNING_ALONE_IN = locked(
  `SELECT s.id FROM ${TABLE} (line)
    WHERE s.line = 'stalled' AND s.status = 'RUNNING' AND s.root_id = $1 AND ${SHOWN} LIMIT $2`,
  "s.status = 'RUNNING' AND s.worker_id IS NULL",
);

const STOPPING_IN = locked(
  `SELECT s.id FROM ${TABLE} (business)
    WHERE s.business IN (${withBusiness(2).join(", ")}) AND ${BELOW} AND ${SHOWN} LIMIT $2`,
  "s.status = 'INTERRUPTED' AND s.stop_done = 0",
);

export class SignatureTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** What can be read of these. */
  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return readable(await this.#db.all<Row>(BY_IDS, list(ids.map(toSafe))), toRecord);
  }

  /** In the order of ids, waiting for what others have locked. */
  async lock(ids: readonly string[]): Promise<SignatureRecord[]> {
    return (await this.#db.all<Row>(LOCK, list(ids.map(toSafe)))).map(toRecord);
  }

  /** Without what others have locked. */
  async lockFree(ids: readonly string[]): Promise<SignatureRecord[]> {
    return (await this.#db.all<Row>(LOCK_FREE, list(ids.map(toSafe)))).map(toRecord);
  }

  async existing(ids: readonly string[]): Promise<string[]> {
    return this.#ids(EXISTING, list(ids.map(toSafe)));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    const row = await this.#db.get<Row>(BY_ROOT_KEY, toSafe(key));
    return row === undefined ? null : toRecord(row);
  }

  async itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    const places = keys.map((key) => `${parentId}\0${toSafe(key)}`);
    return readable(await this.#db.all<Row>(BY_ITEM_KEYS, list(places)), toRecord);
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
    const found = await Promise.all(
      [...demand.tasks].map(([name, room]) =>
        wholePage(
          Math.min(room, demand.slots),
          (most) => this.#db.all<Row>(READY, toSafe(name), most),
          toRecord,
        ),
      ),
    );
    return choose(found.flat(), demand);
  }

  /** Those that are due by their time, that are late, or that have had their grace, in the order of these instants. */
  async due(now: number, limit: number): Promise<SignatureRecord[]> {
    const found = await Promise.all(
      [DUE, PAST_DEADLINE, OVERDUE_STOP].map((sql) => this.#page(limit, sql, now)),
    );
    const instants: readonly ((record: SignatureRecord) => number)[] = [
      ({ dueAt }) => dueAt!,
      ({ deadlineAt }) => deadlineAt!,
      ({ stop }) => stop!.until,
    ];
    const each = new Map<string, { readonly record: SignatureRecord; readonly at: number }>();
    for (const [n, records] of found.entries()) {
      for (const record of records) {
        const at = instants[n]!(record);
        if (at < (each.get(record.id)?.at ?? Infinity)) each.set(record.id, { record, at });
      }
    }
    const oldestFirst = [...each.values()].sort((a, b) => a.at - b.at);
    return oldestFirst.slice(0, limit).map(({ record }) => record);
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
    const next = async (after: string): Promise<string | null> => {
      const found = await Promise.all(NEXT_OWED.map((sql) => this.#db.get<[string]>(sql, after)));
      const ids = found.flatMap((row) => row?.[0] ?? []);
      return ids.length === 0 ? null : ids.reduce((a, b) => (a < b ? a : b));
    };
    return jumps(next, "", limit);
  }

  async sweeping(limit: number): Promise<string[]> {
    return this.#ids(SWEEPING, limit);
  }

  /** What can be read of a stretch; `$2` of the statement is how much of it. */
  async #page(
    limit: number,
    sql: string,
    first: Parameter,
    ...rest: Parameter[]
  ): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(sql, first, most, ...rest), toRecord);
  }

  async #ids(sql: string, ...parameters: Parameter[]): Promise<string[]> {
    return (await this.#db.all<[string]>(sql, ...parameters)).map(([id]) => id);
  }
}

import { MILESTONE, type SignatureRecord } from "../../core/record.ts";
import { changedColumns, changeOf, type ChangeSet, pushChanged, tagsToJson, toJson } from "./change.ts";
import type { Connection, Parameter } from "./connection.ts";
import type { Stored } from "./record-cache.ts";

/**
 * Inserts and updates of signatures. Most of the time goes into starting a statement, so rows go to SQLite in groups; an
 * update sets the columns that have changed and no others, which leaves alone the indexes that it does not concern.
 *
 * `OR ROLLBACK`: a transaction does not outlive a violated constraint, and SQLite need not prepare to undo half a group.
 */

/** Rows that one statement writes, when there are as many. Measured: 10 to 50 are alike, 1 takes twice as long. */
const GROUP = 16;

/** A new signature as it is most often: all that the defaults of the table leave to be told. */
const PLAIN = "id, root_id, parent_id, role, slot, key, kind, name, spec, priority, bound, created_at";

const WHOLE = `${PLAIN}, status, prior, held_by, generation, attempt, epoch, recoveries, ready_at, due_at, deadline_at,
  worker_id, message, result, error, family, sweep, milestone, credited, tags, started_at, finished_at`;

const INSERT_PLAIN = insertion(PLAIN, 1);
const INSERT_PLAIN_GROUP = insertion(PLAIN, GROUP);
const INSERT_WHOLE = insertion(WHOLE, 1);
const INSERT_WHOLE_GROUP = insertion(WHOLE, GROUP);

const INSERT_BIRTH = "INSERT OR IGNORE INTO births (root_id, created_at) VALUES (?, ?)";

const INSERT_TAG = "INSERT OR IGNORE INTO root_tags (tag, created_at, root_id) VALUES (?, ?, ?)";
const DELETE_TAG = "DELETE FROM root_tags WHERE tag = ? AND created_at = ? AND root_id = ?";

/** A record that was read, and what it has become. */
export interface Update {
  readonly stored: Stored;
  readonly now: SignatureRecord;
}

export function insertRecords(db: Connection, records: readonly SignatureRecord[]): void {
  const plain: SignatureRecord[] = [];
  const others: SignatureRecord[] = [];
  for (const record of records) (isPlain(record) ? plain : others).push(record);
  inGroups(plain, (group) => {
    const parameters: Parameter[] = [];
    for (const record of group) pushPlain(record, parameters);
    db.run(group.length === GROUP ? INSERT_PLAIN_GROUP : INSERT_PLAIN, ...parameters);
  });
  inGroups(others, (group) => {
    const parameters: Parameter[] = [];
    for (const record of group) pushWhole(record, parameters);
    db.run(group.length === GROUP ? INSERT_WHOLE_GROUP : INSERT_WHOLE, ...parameters);
  });
  putBirths(db, records);
  for (const record of others) for (const tag of tagsOf(record)) putTag(db, INSERT_TAG, tag, record);
}

/** Of a root this is in its own row. Neighbours mostly share their birth. */
function putBirths(db: Connection, records: readonly SignatureRecord[]): void {
  let last: SignatureRecord | null = null;
  for (const record of records) {
    if (record.role === "root" || (record.rootId === last?.rootId && record.createdAt === last.createdAt))
      continue;
    db.run(INSERT_BIRTH, record.rootId, record.createdAt);
    last = record;
  }
}

/** Writes what has changed of records that were read. */
export function updateRecords(db: Connection, updates: readonly Update[]): void {
  const alike = new Map<ChangeSet, Update[]>();
  for (const update of updates) {
    const before = update.stored.record;
    const set = changeOf(before, update.now);
    if (set === 0) continue;
    const others = alike.get(set);
    if (others === undefined) alike.set(set, [update]);
    else others.push(update);
    if (before.tags !== update.now.tags) retag(db, before, update.now);
  }
  for (const [set, same] of alike) {
    inGroups(same, (group) => updateGroup(db, set, group));
  }
}

/** Sets the columns of a change set in a full group of rows or in a single one. */
function updateGroup(db: Connection, set: ChangeSet, group: readonly Update[]): void {
  const seqs = group.map(({ stored }) => stored.seq);
  const values = group.map(({ now }) => {
    const parameters: Parameter[] = [];
    pushChanged(set, now, parameters);
    return parameters;
  });
  const [first] = values;
  const alike = values.every((other) => other.every((value, n) => value === first![n]));
  const { one, alikes, group: each } = updatesOf(set);
  if (group.length === 1) db.run(one, ...first!, seqs[0]!);
  else if (alike) db.run(alikes, ...first!, ...seqs);
  else db.run(each, ...values.flatMap((parameters, n) => [seqs[n]!, ...parameters]));
}

/** By change set: the statements for one row, for a group that gets the same values, and for any group. */
const updates = new Map<
  ChangeSet,
  { readonly one: string; readonly alikes: string; readonly group: string }
>();

function updatesOf(set: ChangeSet): {
  readonly one: string;
  readonly alikes: string;
  readonly group: string;
} {
  let sql = updates.get(set);
  if (sql === undefined) {
    const columns = changedColumns(set);
    const assigned = columns.map((column) => `${column} = ?`).join(", ");
    const given = columns.map((column, n) => `${column} = given.column${n + 2}`).join(", ");
    sql = {
      one: `UPDATE OR ROLLBACK signatures SET ${assigned} WHERE seq = ?`,
      alikes: `UPDATE OR ROLLBACK signatures SET ${assigned} WHERE seq IN (${marks(GROUP)})`,
      group: `UPDATE OR ROLLBACK signatures SET ${given}
        FROM (VALUES ${rowsOf(columns.length + 1, GROUP)}) AS given WHERE seq = given.column1`,
    };
    updates.set(set, sql);
  }
  return sql;
}

function insertion(columns: string, rows: number): string {
  return `INSERT OR ROLLBACK INTO signatures (${columns}) VALUES ${rowsOf(columns.split(",").length, rows)}`;
}

function rowsOf(columns: number, rows: number): string {
  return Array<string>(rows)
    .fill(`(${marks(columns)})`)
    .join(", ");
}

function marks(count: number): string {
  return Array<string>(count).fill("?").join(", ");
}

/** Full groups as far as they go, then one by one. */
function inGroups<T>(all: readonly T[], write: (group: readonly T[]) => void): void {
  let at = 0;
  for (; at + GROUP <= all.length; at += GROUP) write(all.slice(at, at + GROUP));
  for (; at < all.length; at++) write([all[at]!]);
}

/** True for what the defaults of the table describe. */
function isPlain(record: SignatureRecord): boolean {
  return (
    record.status === "PENDING" &&
    record.prior === null &&
    record.heldBy === null &&
    record.generation === 1 &&
    record.attempt === 0 &&
    record.epoch === 0 &&
    record.recoveries === 0 &&
    record.readyAt === null &&
    record.dueAt === null &&
    record.deadlineAt === null &&
    record.workerId === null &&
    record.message === null &&
    record.result === null &&
    record.error === null &&
    record.family === null &&
    record.sweep === null &&
    record.milestone === MILESTONE.OPEN &&
    record.credited === MILESTONE.OPEN &&
    record.tags.length === 0 &&
    record.startedAt === null &&
    record.finishedAt === null
  );
}

/** The values of {@link PLAIN}. */
function pushPlain(record: SignatureRecord, parameters: Parameter[]): void {
  parameters.push(
    record.id,
    record.rootId,
    record.parentId,
    record.role,
    record.slot,
    record.key,
    record.kind,
    record.name,
    record.spec,
    record.priority,
    record.bound,
    record.createdAt,
  );
}

/** The values of {@link WHOLE}. */
function pushWhole(record: SignatureRecord, parameters: Parameter[]): void {
  pushPlain(record, parameters);
  parameters.push(
    record.status,
    record.prior,
    record.heldBy,
    record.generation,
    record.attempt,
    record.epoch,
    record.recoveries,
    record.readyAt,
    record.dueAt,
    record.deadlineAt,
    record.workerId,
    record.message,
    record.result,
    toJson(record.error),
    toJson(record.family),
    record.sweep,
    record.milestone,
    record.credited,
    tagsToJson(record.tags),
    record.startedAt,
    record.finishedAt,
  );
}

/** Workflows are found by the tags of their roots. */
function tagsOf({ role, tags }: SignatureRecord): readonly string[] {
  return role === "root" ? tags : [];
}

function retag(db: Connection, before: SignatureRecord, now: SignatureRecord): void {
  for (const tag of tagsOf(before)) putTag(db, DELETE_TAG, tag, before);
  for (const tag of tagsOf(now)) putTag(db, INSERT_TAG, tag, now);
}

function putTag(db: Connection, sql: string, tag: string, { createdAt, rootId }: SignatureRecord): void {
  db.run(sql, tag, createdAt, rootId);
}

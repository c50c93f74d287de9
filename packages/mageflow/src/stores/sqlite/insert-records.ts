import type { SignatureRecord } from "../../core/record.ts";
import { tagsToJson, toJson } from "./change.ts";
import type { Connection, Parameter } from "./connection.ts";
import { isPlain, PLAIN, pushPlain } from "./plain-row.ts";
import { putTags } from "./root-tags.ts";
import { GROUP, inGroups, rowsOf } from "./row-groups.ts";

const WHOLE = `${PLAIN}, status, prior, held_by, generation, origin, attempt, epoch, recoveries, ready_at, due_at, deadline_at,
  worker_id, message, result, error, family, sweep, stop, deletion, lock, milestone, credited, tags, started_at, finished_at`;

const INSERT_PLAIN = insertion(PLAIN, 1);
const INSERT_PLAIN_GROUP = insertion(PLAIN, GROUP);
const INSERT_WHOLE = insertion(WHOLE, 1);
const INSERT_WHOLE_GROUP = insertion(WHOLE, GROUP);

const INSERT_BIRTH = "INSERT OR IGNORE INTO births (root_id, created_at) VALUES (?, ?)";

/**
 * Stores new signatures. `OR ROLLBACK`: a transaction does not outlive a violated constraint, and SQLite need not
 * prepare to undo half a group.
 */
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
  for (const record of others) putTags(db, record);
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

function insertion(columns: string, rows: number): string {
  return `INSERT OR ROLLBACK INTO signatures (${columns}) VALUES ${rowsOf(columns.split(",").length, rows)}`;
}

/** The values of {@link WHOLE}. */
function pushWhole(record: SignatureRecord, parameters: Parameter[]): void {
  pushPlain(record, parameters);
  parameters.push(
    record.status,
    record.prior,
    record.heldBy,
    record.generation,
    record.origin,
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
    toJson(record.stop),
    toJson(record.deletion),
    toJson(record.lock),
    record.milestone,
    record.credited,
    tagsToJson(record.tags),
    record.startedAt,
    record.finishedAt,
  );
}

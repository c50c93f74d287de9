import type { SignatureRecord } from "../../core/record.ts";
import { isPlain } from "../is-plain.ts";
import { tagsToJson, toJson } from "./change.ts";
import type { Connection, Parameter } from "./connection.ts";
import { PLAIN, pushPlain } from "./plain-row.ts";
import type { Stored } from "./record-cache.ts";
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
 * Stores new signatures, and tells where. `OR ROLLBACK`: a transaction does not outlive a violated constraint, and SQLite need not
 * prepare to undo half a group.
 */
export function insertRecords(db: Connection, records: readonly SignatureRecord[]): Stored[] {
  const plain: SignatureRecord[] = [];
  const others: SignatureRecord[] = [];
  for (const record of records) (isPlain(record) ? plain : others).push(record);
  const stored: Stored[] = [];
  insertAlike(db, plain, [INSERT_PLAIN, INSERT_PLAIN_GROUP], pushPlain, stored);
  insertAlike(db, others, [INSERT_WHOLE, INSERT_WHOLE_GROUP], pushWhole, stored);
  putBirths(db, records);
  for (const record of others) putTags(db, record);
  return stored;
}

/** New rows come after all others, so that those of one statement stand side by side. */
function insertAlike(
  db: Connection,
  records: readonly SignatureRecord[],
  [one, many]: readonly [one: string, many: string],
  push: (record: SignatureRecord, parameters: Parameter[]) => void,
  stored: Stored[],
): void {
  inGroups(records, (group) => {
    const parameters: Parameter[] = [];
    for (const record of group) push(record, parameters);
    const last = db.insert(group.length === GROUP ? many : one, ...parameters);
    for (const [n, record] of group.entries()) stored.push({ seq: last - group.length + 1 + n, record });
  });
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

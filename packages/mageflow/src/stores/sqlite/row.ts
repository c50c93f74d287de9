import type { StoredError } from "../../core/errors.ts";
import type { Role } from "../../core/ids.ts";
import type { Kind } from "../../core/plan.ts";
import type { Deletion, Family, Lock, Milestone, SignatureRecord, Stop, Sweep } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import { fromJson, isStatus, unreadable } from "../record-texts.ts";

/** The columns of a {@link Row}, as they are selected. */
export const COLUMNS = `seq, id, root_id, parent_id, role, slot, key, kind, name, spec, status, prior, held_by,
  generation, origin, attempt, epoch, recoveries, priority, ready_at, due_at, deadline_at, worker_id, bound, message, result,
  error, family, sweep, stop, deletion, lock, milestone, credited, tags, created_at, started_at, finished_at`;

/** A row of `signatures`. `seq` is its place in the file; `error`, `family`, `stop`, `deletion`, `lock` and `tags` are JSON texts. */
export type Row = readonly [
  seq: number,
  id: string,
  rootId: string,
  parentId: string | null,
  role: Role,
  slot: number,
  key: string | null,
  kind: Kind,
  name: string,
  spec: string,
  status: Status,
  prior: "PENDING" | "RUNNING" | null,
  heldBy: string | null,
  generation: number,
  origin: number,
  attempt: number,
  epoch: number,
  recoveries: number,
  priority: number,
  readyAt: number | null,
  dueAt: number | null,
  deadlineAt: number | null,
  workerId: string | null,
  bound: string | null,
  message: string | null,
  result: string | null,
  error: string | null,
  family: string | null,
  sweep: Sweep | null,
  stop: string | null,
  deletion: string | null,
  lock: string | null,
  milestone: Milestone,
  credited: Milestone,
  tags: string | null,
  createdAt: number,
  startedAt: number | null,
  finishedAt: number | null,
];

/** Places in a row. */
export const SEQ = 0;
export const ID = 1;
export const DUE_AT = 20;
export const DEADLINE_AT = 21;
export const STOP = 29;
export const CREATED_AT = 35;

const NO_TAGS: readonly string[] = [];

/** @throws UnreadableError. */
export function toRecord(row: Row): SignatureRecord {
  try {
    if (isStatus(row[10])) return parsed(row);
  } catch (error) {
    throw unreadable(row[1], row[10], textsOf(row), error);
  }
  throw unreadable(row[1], row[10], textsOf(row));
}

function textsOf(row: Row) {
  return { error: row[26], family: row[27], stop: row[29], deletion: row[30], lock: row[31], tags: row[34] };
}

/** One literal, its fields in the order in which core makes them, so that all records have one shape in memory. */
function parsed(row: Row): SignatureRecord {
  return {
    id: row[1],
    rootId: row[2],
    parentId: row[3],
    role: row[4],
    slot: row[5],
    key: row[6],
    kind: row[7],
    name: row[8],
    spec: row[9],
    status: row[10],
    prior: row[11],
    heldBy: row[12],
    generation: row[13],
    origin: row[14],
    attempt: row[15],
    epoch: row[16],
    recoveries: row[17],
    priority: row[18],
    readyAt: row[19],
    dueAt: row[20],
    deadlineAt: row[21],
    workerId: row[22],
    bound: row[23],
    message: row[24],
    result: row[25],
    error: fromJson<StoredError>(row[26]),
    family: fromJson<Family>(row[27]),
    sweep: row[28],
    stop: fromJson<Stop>(row[29]),
    deletion: fromJson<Deletion>(row[30]),
    lock: fromJson<Lock>(row[31]),
    milestone: row[32],
    credited: row[33],
    tags: row[34] === null ? NO_TAGS : (JSON.parse(row[34]) as string[]),
    createdAt: row[35],
    startedAt: row[36],
    finishedAt: row[37],
  };
}

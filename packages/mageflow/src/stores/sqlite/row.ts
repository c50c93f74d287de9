import type { StoredError } from "../../core/errors.ts";
import type { Role } from "../../core/ids.ts";
import type { Kind } from "../../core/plan.ts";
import type { Family, Milestone, SignatureRecord, Sweep } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";

/** The columns of a {@link Row}, as they are selected. */
export const COLUMNS = `seq, id, root_id, parent_id, role, slot, key, kind, name, spec, status, prior, held_by,
  generation, attempt, epoch, recoveries, priority, ready_at, due_at, deadline_at, worker_id, bound, message, result,
  error, family, sweep, milestone, credited, tags, created_at, started_at, finished_at`;

/** A row of `signatures`. `seq` is its place in the file; `error`, `family` and `tags` are JSON texts. */
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
  milestone: Milestone,
  credited: Milestone,
  tags: string | null,
  createdAt: number,
  startedAt: number | null,
  finishedAt: number | null,
];

/** Places in a row. */
export const SEQ = 0;
export const DUE_AT = 19;
export const DEADLINE_AT = 20;

const NO_TAGS: readonly string[] = [];

/** One literal, its fields in the order in which core makes them, so that all records have one shape in memory. */
export function toRecord(row: Row): SignatureRecord {
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
    attempt: row[14],
    epoch: row[15],
    recoveries: row[16],
    priority: row[17],
    readyAt: row[18],
    dueAt: row[19],
    deadlineAt: row[20],
    workerId: row[21],
    bound: row[22],
    message: row[23],
    result: row[24],
    error: row[25] === null ? null : (JSON.parse(row[25]) as StoredError),
    family: row[26] === null ? null : (JSON.parse(row[26]) as Family),
    sweep: row[27],
    milestone: row[28],
    credited: row[29],
    tags: row[30] === null ? NO_TAGS : (JSON.parse(row[30]) as string[]),
    createdAt: row[31],
    startedAt: row[32],
    finishedAt: row[33],
  };
}

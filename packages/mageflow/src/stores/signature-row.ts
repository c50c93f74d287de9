import type { StoredError } from "../core/errors.ts";
import type { Role } from "../core/ids.ts";
import type { Kind } from "../core/plan.ts";
import type { Deletion, Family, Lock, Milestone, SignatureRecord, Stop, Sweep } from "../core/record.ts";
import type { Status } from "../core/status.ts";
import { fromJson, isStatus, unreadable } from "./record-texts.ts";

/** A row of signatures as stores select it; `error`, `family`, `stop`, `deletion`, `lock` and `tags` are JSON texts. */
export type Row = readonly [
  id: string,
  rootId: string,
  parentId: string | null,
  role: Role,
  slot: number,
  key: string | null,
  kind: Kind,
  name: string,
  spec: string,
  priority: number,
  bound: string | null,
  createdAt: number,
  status: Status,
  prior: "PENDING" | "RUNNING" | null,
  heldBy: string | null,
  generation: number,
  origin: number,
  attempt: number,
  epoch: number,
  recoveries: number,
  readyAt: number | null,
  dueAt: number | null,
  deadlineAt: number | null,
  workerId: string | null,
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
  startedAt: number | null,
  finishedAt: number | null,
];

const NO_TAGS: readonly string[] = [];

/** A store may select something behind it. @throws UnreadableError. */
export function toRecord(row: readonly [...Row, ...unknown[]]): SignatureRecord {
  try {
    if (isStatus(row[12])) return parsed(row);
  } catch (error) {
    throw unreadable(row[0], row[12], textsOf(row), error);
  }
  throw unreadable(row[0], row[12], textsOf(row));
}

function textsOf(row: readonly [...Row, ...unknown[]]) {
  return { error: row[26], family: row[27], stop: row[29], deletion: row[30], lock: row[31], tags: row[34] };
}

/** One literal, its fields in the order in which core makes them, so that all records have one shape in memory. */
function parsed(row: readonly [...Row, ...unknown[]]): SignatureRecord {
  return {
    id: row[0],
    rootId: row[1],
    parentId: row[2],
    role: row[3],
    slot: row[4],
    key: row[5],
    kind: row[6],
    name: row[7],
    spec: row[8],
    status: row[12],
    prior: row[13],
    heldBy: row[14],
    generation: row[15],
    origin: row[16],
    attempt: row[17],
    epoch: row[18],
    recoveries: row[19],
    priority: row[9],
    readyAt: row[20],
    dueAt: row[21],
    deadlineAt: row[22],
    workerId: row[23],
    bound: row[10],
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
    createdAt: row[11],
    startedAt: row[35],
    finishedAt: row[36],
  };
}

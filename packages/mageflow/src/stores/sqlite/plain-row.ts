import type { Role } from "../../core/ids.ts";
import type { Kind } from "../../core/plan.ts";
import { MILESTONE, type SignatureRecord } from "../../core/record.ts";
import type { Parameter } from "./connection.ts";

/**
 * A signature as it is most often while it waits for its turn: the defaults of the table are all that can be said of it,
 * but for these columns. Millions are written and read so, and a third of the columns takes a third of the time.
 */
export const PLAIN = "id, root_id, parent_id, role, slot, key, kind, name, spec, priority, bound, created_at";

/** True of the row of such a signature. */
export const IS_PLAIN = `status = 'PENDING' AND prior IS NULL AND held_by IS NULL AND generation = 1 AND origin = 1
  AND attempt = 0 AND epoch = 0 AND recoveries = 0 AND ready_at IS NULL AND due_at IS NULL AND deadline_at IS NULL
  AND worker_id IS NULL AND message IS NULL AND result IS NULL AND error IS NULL AND family IS NULL
  AND sweep IS NULL AND stop IS NULL AND deletion IS NULL AND lock IS NULL AND milestone = 0 AND credited = 0 AND tags IS NULL AND started_at IS NULL
  AND finished_at IS NULL`;

/** A row of {@link PLAIN} behind its place and whether it is plain: 1 or 0. */
export type PlainRow = readonly [
  seq: number,
  isPlain: 0 | 1,
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
];

/** The values of {@link PLAIN}. */
export function pushPlain(record: SignatureRecord, parameters: Parameter[]): void {
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

/**
 * The record of a plain row. Siblings have most texts alike: those of `sibling`, where they are the same, are kept in place of
 * the row's own.
 */
export function fromPlain(row: PlainRow, sibling: SignatureRecord | undefined): SignatureRecord {
  const alike = sibling !== undefined && sibling.parentId === row[4] && sibling.spec === row[10];
  return {
    id: row[2],
    rootId: alike ? sibling.rootId : row[3],
    parentId: alike ? sibling.parentId : row[4],
    role: alike ? sibling.role : row[5],
    slot: row[6],
    key: row[7],
    kind: alike ? sibling.kind : row[8],
    name: alike ? sibling.name : row[9],
    spec: alike ? sibling.spec : row[10],
    status: "PENDING",
    prior: null,
    heldBy: null,
    generation: 1,
    origin: 1,
    attempt: 0,
    epoch: 0,
    recoveries: 0,
    priority: row[11],
    readyAt: null,
    dueAt: null,
    deadlineAt: null,
    workerId: null,
    bound: row[12],
    message: null,
    result: null,
    error: null,
    family: null,
    sweep: null,
    stop: null,
    deletion: null,
    lock: null,
    milestone: MILESTONE.OPEN,
    credited: MILESTONE.OPEN,
    tags: NO_TAGS,
    createdAt: row[13],
    startedAt: null,
    finishedAt: null,
  };
}

const NO_TAGS: readonly string[] = [];

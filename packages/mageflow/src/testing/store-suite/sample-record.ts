import { callbackId, type CallbackRole, childId } from "../../core/ids.ts";
import { NO_FAMILY, type SignatureRecord } from "../../core/record.ts";

type Other = Partial<SignatureRecord>;

/** An instant in the past of any clock that a store may have. */
export const LONG_AGO = 1_700_000_000_000;

/** The last millisecond of the year 9999, the last instant that every database can tell. */
export const FAR_AHEAD = 253_402_300_799_999;

/** A root task that waits for its turn. */
export function sampleTask(id: string, other: Other = {}): SignatureRecord {
  return {
    id,
    rootId: id,
    parentId: null,
    role: "root",
    slot: 0,
    key: null,
    kind: "task",
    name: taskName(id),
    spec: "0",
    status: "PENDING",
    prior: null,
    heldBy: null,
    generation: 1,
    origin: 1,
    attempt: 0,
    epoch: 0,
    recoveries: 0,
    priority: 0,
    readyAt: null,
    dueAt: null,
    deadlineAt: null,
    workerId: null,
    bound: null,
    message: null,
    result: null,
    error: null,
    family: null,
    sweep: null,
    stop: null,
    deletion: null,
    lock: null,
    milestone: 0,
    credited: 0,
    tags: [],
    createdAt: LONG_AGO,
    startedAt: null,
    finishedAt: null,
    ...other,
  };
}

/** A root swarm that runs. */
export function sampleSwarm(id: string, other: Other = {}): SignatureRecord {
  return sampleTask(id, {
    kind: "swarm",
    status: "RUNNING",
    startedAt: LONG_AGO,
    family: NO_FAMILY,
    ...other,
  });
}

/** A step or an item, by the kind of its parent. */
export function sampleChild(parent: SignatureRecord, slot: number, other: Other = {}): SignatureRecord {
  return sampleTask(childId(parent.id, slot), {
    rootId: parent.rootId,
    parentId: parent.id,
    role: parent.kind === "chain" ? "step" : "item",
    slot,
    name: taskName(parent.rootId),
    ...other,
  });
}

/** As many items as are asked for, in order. */
export function sampleItems(parent: SignatureRecord, count: number, other: Other = {}): SignatureRecord[] {
  return Array.from({ length: count }, (_, slot) => sampleChild(parent, slot, other));
}

/** A callback of an outcome. */
export function sampleCallback(
  owner: SignatureRecord,
  role: CallbackRole,
  slot: number,
  other: Other = {},
): SignatureRecord {
  return sampleTask(callbackId(owner.id, role, slot, owner.generation), {
    rootId: owner.rootId,
    parentId: owner.id,
    role,
    slot,
    name: taskName(owner.rootId),
    ...other,
  });
}

/** A task that a worker may take. */
export function sampleReady(id: string, other: Other = {}): SignatureRecord {
  return sampleTask(id, { status: "READY", readyAt: LONG_AGO, ...other });
}

/** A record with a value in every field. */
export function fullRecord(id: string, other: Other = {}): SignatureRecord {
  return sampleTask(id, {
    rootId: `${id}root`,
    parentId: `${id}parent`,
    role: "item",
    slot: 2_147_483_647,
    key: "key of the item",
    kind: "swarm",
    name: "every field",
    spec: "12.3.success0g2",
    status: "SUSPENDED",
    prior: "RUNNING",
    heldBy: `${id}holder`,
    generation: 7,
    origin: 5,
    attempt: 3,
    epoch: 2_147_483_647,
    recoveries: 5,
    priority: -2_147_483_648,
    readyAt: 1,
    dueAt: FAR_AHEAD,
    deadlineAt: FAR_AHEAD - 1,
    workerId: `${id}worker`,
    bound: '{"b":1,"a":2}',
    message: "[]",
    result: "-0",
    error: {
      name: "TypeError",
      message: "no such thing",
      stack: "TypeError: no such thing\n    at here",
      code: "E_THING",
      attempts: 3,
      path: [
        { id: `${id}root`, name: "root", kind: "chain", slot: 0 },
        { id, name: "every field", kind: "swarm", slot: 4 },
      ],
      cause: { name: "Error", message: "deeper", cause: { name: "Error", message: "deepest", code: "1" } },
    },
    family: {
      unsettled: 1,
      uncleaned: 2,
      cleanups: 3,
      cleanupsEnded: 4,
      cleanupsFailed: 5,
      total: 10_000_000,
      active: 7,
      succeeded: 8,
      failed: 9,
      skipped: 10,
      halting: 11,
      open: true,
      stopping: true,
    },
    sweep: "unhold",
    stop: {
      verb: "interrupt",
      actor: "somebody",
      reason: "by hand",
      by: `${id}stopper`,
      until: FAR_AHEAD,
      own: false,
      clean: false,
      resumes: true,
      done: true,
    },
    deletion: {
      markedAt: 5,
      purgeAt: FAR_AHEAD,
      action: "delete",
      by: "somebody",
      reason: null,
      generation: 7,
      stub: true,
      purged: true,
    },
    lock: {
      held: { token: "t", by: "somebody", until: FAR_AHEAD, start: true },
      inside: [{ id: "r.1", token: "u", by: "somebody else", until: 6 }],
      purgeAt: FAR_AHEAD,
    },
    milestone: 2,
    credited: 1,
    tags: ["one", "two"],
    createdAt: 2,
    startedAt: 3,
    finishedAt: 4,
    ...other,
  });
}

/** One task name a workflow, so that cases on a shared database do not take each other's tasks. */
function taskName(rootId: string): string {
  return `task of ${rootId}`;
}

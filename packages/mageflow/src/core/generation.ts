import { IllegalTransitionError } from "./errors.ts";
import { isCleanup } from "./ids.ts";
import { isCancelled, MILESTONE, NO_FAMILY, type SignatureRecord } from "./record.ts";
import { type Addressed, type Decision, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";

/**
 * How a signature gets its next generation. `rerun` begins again and forgets; what was interrupted goes on, with its counters,
 * finished steps and checkpoints. Callbacks of earlier generations stay as they are.
 */

/**
 * Begins an ended root again. What is inside a container is reset when the container starts, window by window.
 *
 * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has not ended, and for what is inside another signature.
 */
export function rerun(record: SignatureRecord, message: string | undefined): Decision {
  const { id, status, role, rootId, milestone } = record;
  if (role !== "root")
    throw new IllegalTransitionError(id, "rerun", status, `rerun the root of its workflow, "${rootId}"`);
  if (isCancelled(record)) throw new IllegalTransitionError(id, "rerun", status, "it was cancelled");
  if (!isEnded(status)) {
    throw new IllegalTransitionError(id, "rerun", status, "only what has ended can be run again");
  }
  if (milestone !== MILESTONE.SETTLED) {
    const hint = "its callbacks have not ended; wait for settled(), and resume those that were stopped";
    throw new IllegalTransitionError(id, "rerun", status, hint);
  }
  const next = { ...renewed(record), message: message ?? record.message };
  return { ...unchanged(next), send: [{ to: id, signal: { type: "start" } }] };
}

/** The record as if it had never run. */
export function renewed(record: SignatureRecord): SignatureRecord {
  const { family } = record;
  return {
    ...nextGeneration(record),
    origin: record.generation + 1,
    recoveries: 0,
    dueAt: null,
    result: null,
    error: null,
    startedAt: null,
    deletion: null,
    family:
      record.kind === "task" || family === null
        ? null
        : { ...NO_FAMILY, total: family.total, unsettled: family.total },
  };
}

/** True for a container that begins again and whose children are still as they were at the end of the life before. */
export function awaitsReset({ kind, origin, startedAt, sweep }: SignatureRecord): boolean {
  return kind !== "task" && origin > 1 && (startedAt === null || sweep === "reset");
}

/** Lets what was interrupted go on, by whoever's turn it is to start it. What was delayed keeps its time. */
export function continued(record: SignatureRecord): Decision {
  const { id, parentId } = record;
  const next = reopened(record);
  const send: Addressed[] = isStartedByItself(record)
    ? [{ to: id, signal: { type: "start" } }]
    : [{ to: parentId!, signal: { type: "available" } }];
  return { ...unchanged(next), send };
}

/** What was interrupted, as it is before it goes on, or is skipped because its turn will not come again. */
export function reopened(record: SignatureRecord): SignatureRecord {
  const { family, attempt, dueAt, startedAt } = record;
  return {
    ...nextGeneration(record),
    // What has run waits neither for its retry nor for its delay again.
    dueAt: attempt === 0 ? dueAt : startedAt,
    family: family === null ? null : { ...family, cleanups: 0, cleanupsEnded: 0, cleanupsFailed: 0 },
  };
}

/** Steps, items and cleanups wait for their turn; nobody counts the turns of the others. */
function isStartedByItself({ role }: SignatureRecord): boolean {
  return role !== "step" && role !== "item" && !isCleanup(role);
}

function nextGeneration(record: SignatureRecord): SignatureRecord {
  return {
    ...record,
    status: "PENDING",
    prior: null,
    heldBy: null,
    generation: record.generation + 1,
    attempt: 0,
    readyAt: null,
    deadlineAt: null,
    workerId: null,
    sweep: null,
    stop: null,
    milestone: MILESTONE.OPEN,
    credited: MILESTONE.OPEN,
    finishedAt: null,
  };
}

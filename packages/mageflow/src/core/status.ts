/**
 * The execution status of a signature and the one table of its transitions.
 * Every decider changes a status through {@link move}, so a transition that is not listed here cannot happen.
 */
export const STATUSES = [
  "PENDING",
  "READY",
  "RUNNING",
  "WAITING",
  "SUSPENDED",
  "INTERRUPTED",
  "SUCCEEDED",
  "FAILED",
  "SKIPPED",
  "CANCELLED",
] as const;

export type Status = (typeof STATUSES)[number];

/** Statuses that no event of the same generation leaves. */
export type EndedStatus = "SUCCEEDED" | "FAILED" | "SKIPPED" | "CANCELLED";

/**
 * From each status, the statuses that may follow inside one generation.
 *
 * - A task is PENDING → READY → RUNNING → an outcome; a retry or a delay passes through WAITING.
 * - A container is PENDING (or WAITING for its time) → RUNNING → an outcome; it is never READY, no worker takes it.
 * - RUNNING → READY is a released or recovered task; RUNNING → SUSPENDED exists for containers only
 *   (suspending a running task is refused: what runs finishes).
 * - PENDING → FAILED and READY → FAILED are overall deadlines that pass before a worker takes the task again; READY → WAITING is a task that is locked.
 * - What is INTERRUPTED goes on in its next generation.
 */
const TRANSITIONS: Readonly<Record<Status, readonly Status[]>> = {
  PENDING: ["READY", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED", "FAILED", "SKIPPED", "CANCELLED"],
  READY: ["PENDING", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED", "FAILED", "SKIPPED", "CANCELLED"],
  RUNNING: ["READY", "WAITING", "SUSPENDED", "INTERRUPTED", "SUCCEEDED", "FAILED", "CANCELLED"],
  WAITING: ["PENDING", "READY", "RUNNING", "SUSPENDED", "INTERRUPTED", "FAILED", "SKIPPED", "CANCELLED"],
  SUSPENDED: ["PENDING", "RUNNING", "INTERRUPTED", "SKIPPED", "CANCELLED"],
  INTERRUPTED: ["CANCELLED"],
  SUCCEEDED: [],
  FAILED: [],
  SKIPPED: [],
  CANCELLED: [],
};

/** True for the statuses that end a generation. */
export function isEnded(status: Status): status is EndedStatus {
  return TRANSITIONS[status].length === 0;
}

/** True when `to` may follow `from`. */
export function canMove(from: Status, to: Status): boolean {
  return TRANSITIONS[from].includes(to);
}

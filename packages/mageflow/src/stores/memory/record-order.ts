import type { SignatureRecord } from "../../core/record.ts";

type Order = (a: SignatureRecord, b: SignatureRecord) => number;

/** Ids are ASCII, for which the order of UTF-16 units is the order of bytes. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const byId: Order = (a, b) => byText(a.id, b.id);

export const bySlot: Order = (a, b) => a.slot - b.slot || byId(a, b);

export const byPriorityAndSlot: Order = (a, b) => b.priority - a.priority || bySlot(a, b);

export const newestFirst: Order = (a, b) => b.createdAt - a.createdAt || byId(b, a);

export const soonestDue: Order = (a, b) => dueInstant(a)! - dueInstant(b)! || byId(a, b);

/**
 * When a record falls due: a WAITING one at its time, a task that no worker has at its deadline, a RUNNING one that is to
 * stop when it has had its grace. Else null.
 */
export function dueInstant({ status, kind, dueAt, deadlineAt, stop }: SignatureRecord): number | null {
  if (status === "RUNNING") return stop?.until ?? null;
  if (status !== "WAITING" && status !== "READY") return null;
  const time = status === "WAITING" && dueAt !== null ? dueAt : Infinity;
  const deadline = kind === "task" && deadlineAt !== null ? deadlineAt : Infinity;
  const instant = Math.min(time, deadline);
  return instant === Infinity ? null : instant;
}

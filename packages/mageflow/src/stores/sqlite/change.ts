import type { SignatureRecord } from "../../core/record.ts";
import type { Parameter } from "./connection.ts";

/**
 * Which columns a change of a signature touches: bit n stands for column n of {@link CHANGEABLE}. Records are values, so
 * objects that are the same object have not changed. Zero when nothing has.
 */
export type ChangeSet = number;

/** The columns that may change after a signature was stored. */
const CHANGEABLE: readonly string[] = [
  "status",
  "prior",
  "held_by",
  "generation",
  "attempt",
  "epoch",
  "recoveries",
  "priority",
  "ready_at",
  "due_at",
  "deadline_at",
  "worker_id",
  "message",
  "result",
  "error",
  "family",
  "sweep",
  "milestone",
  "credited",
  "tags",
  "started_at",
  "finished_at",
  "origin",
  "stop",
  "deletion",
  "lock",
  "bound",
  "spec",
  "key",
];

/** Written out, as is {@link pushChanged}: a loop over field names costs a tenth of the whole update. */
export function changeOf(before: SignatureRecord, now: SignatureRecord): ChangeSet {
  let set = 0;
  if (before.status !== now.status) set |= 1 << 0;
  if (before.prior !== now.prior) set |= 1 << 1;
  if (before.heldBy !== now.heldBy) set |= 1 << 2;
  if (before.generation !== now.generation) set |= 1 << 3;
  if (before.attempt !== now.attempt) set |= 1 << 4;
  if (before.epoch !== now.epoch) set |= 1 << 5;
  if (before.recoveries !== now.recoveries) set |= 1 << 6;
  if (before.priority !== now.priority) set |= 1 << 7;
  if (before.readyAt !== now.readyAt) set |= 1 << 8;
  if (before.dueAt !== now.dueAt) set |= 1 << 9;
  if (before.deadlineAt !== now.deadlineAt) set |= 1 << 10;
  if (before.workerId !== now.workerId) set |= 1 << 11;
  if (before.message !== now.message) set |= 1 << 12;
  if (before.result !== now.result) set |= 1 << 13;
  if (before.error !== now.error) set |= 1 << 14;
  if (before.family !== now.family) set |= 1 << 15;
  if (before.sweep !== now.sweep) set |= 1 << 16;
  if (before.milestone !== now.milestone) set |= 1 << 17;
  if (before.credited !== now.credited) set |= 1 << 18;
  if (before.tags !== now.tags) set |= 1 << 19;
  if (before.startedAt !== now.startedAt) set |= 1 << 20;
  if (before.finishedAt !== now.finishedAt) set |= 1 << 21;
  if (before.origin !== now.origin) set |= 1 << 22;
  if (before.stop !== now.stop) set |= 1 << 23;
  if (before.deletion !== now.deletion) set |= 1 << 24;
  if (before.lock !== now.lock) set |= 1 << 25;
  if (before.bound !== now.bound) set |= 1 << 26;
  if (before.spec !== now.spec) set |= 1 << 27;
  if (before.key !== now.key) set |= 1 << 28;
  return set;
}

export function changedColumns(set: ChangeSet): string[] {
  return CHANGEABLE.filter((_, n) => (set & (1 << n)) !== 0);
}

/** Appends what the columns of a change set become, in the order of {@link changedColumns}. */
export function pushChanged(set: ChangeSet, now: SignatureRecord, parameters: Parameter[]): void {
  if ((set & (1 << 0)) !== 0) parameters.push(now.status);
  if ((set & (1 << 1)) !== 0) parameters.push(now.prior);
  if ((set & (1 << 2)) !== 0) parameters.push(now.heldBy);
  if ((set & (1 << 3)) !== 0) parameters.push(now.generation);
  if ((set & (1 << 4)) !== 0) parameters.push(now.attempt);
  if ((set & (1 << 5)) !== 0) parameters.push(now.epoch);
  if ((set & (1 << 6)) !== 0) parameters.push(now.recoveries);
  if ((set & (1 << 7)) !== 0) parameters.push(now.priority);
  if ((set & (1 << 8)) !== 0) parameters.push(now.readyAt);
  if ((set & (1 << 9)) !== 0) parameters.push(now.dueAt);
  if ((set & (1 << 10)) !== 0) parameters.push(now.deadlineAt);
  if ((set & (1 << 11)) !== 0) parameters.push(now.workerId);
  if ((set & (1 << 12)) !== 0) parameters.push(now.message);
  if ((set & (1 << 13)) !== 0) parameters.push(now.result);
  if ((set & (1 << 14)) !== 0) parameters.push(toJson(now.error));
  if ((set & (1 << 15)) !== 0) parameters.push(toJson(now.family));
  if ((set & (1 << 16)) !== 0) parameters.push(now.sweep);
  if ((set & (1 << 17)) !== 0) parameters.push(now.milestone);
  if ((set & (1 << 18)) !== 0) parameters.push(now.credited);
  if ((set & (1 << 19)) !== 0) parameters.push(tagsToJson(now.tags));
  if ((set & (1 << 20)) !== 0) parameters.push(now.startedAt);
  if ((set & (1 << 21)) !== 0) parameters.push(now.finishedAt);
  if ((set & (1 << 22)) !== 0) parameters.push(now.origin);
  if ((set & (1 << 23)) !== 0) parameters.push(toJson(now.stop));
  if ((set & (1 << 24)) !== 0) parameters.push(toJson(now.deletion));
  if ((set & (1 << 25)) !== 0) parameters.push(toJson(now.lock));
  if ((set & (1 << 26)) !== 0) parameters.push(now.bound);
  if ((set & (1 << 27)) !== 0) parameters.push(now.spec);
  if ((set & (1 << 28)) !== 0) parameters.push(now.key);
}

/** How objects are stored. */
export function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

export function tagsToJson(tags: readonly string[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags);
}

import type { SignatureRecord } from "./record.ts";
import { isSettled } from "./record.ts";
import type { Status } from "./status.ts";

/** What the journal tells of a signature. */
export type EventType =
  | "created"
  | "ready"
  | "started"
  | "waiting"
  | "retrying"
  | "recovered"
  | "suspended"
  | "resumed"
  | "stopping"
  | "interrupted"
  | "abandoned"
  | "rerun"
  | "marked"
  | "restored"
  | "succeeded"
  | "failed"
  | "skipped"
  | "cancelled"
  | "progress"
  | "settled";

/** An entry of the journal, before the store numbers it. */
export interface Entry {
  readonly id: string;
  readonly type: EventType;
  readonly status: Status;
  readonly generation: number;
  readonly attempt: number;
  /** Of `progress`. */
  readonly progress?: Progress;
}

/** How far a task says it is. */
export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly note: string | null;
}

/** A journal entry of a workflow. `seq` starts at 1 and has no gaps within the workflow. */
export interface FlowEvent extends Entry {
  readonly seq: number;
  /** The store's time, epoch milliseconds. */
  readonly at: number;
}

const NEVER_RESUMED: readonly Status[] = ["SKIPPED", "INTERRUPTED", "CANCELLED"];

const BY_STATUS: Readonly<Record<Exclude<Status, "PENDING">, EventType>> = {
  READY: "ready",
  RUNNING: "started",
  WAITING: "waiting",
  SUSPENDED: "suspended",
  INTERRUPTED: "interrupted",
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  SKIPPED: "skipped",
  CANCELLED: "cancelled",
};

function sameLife(before: SignatureRecord, now: SignatureRecord): boolean {
  return before.generation === now.generation;
}

/** True when the journal may have something to tell of this change. */
export function tells(before: SignatureRecord, now: SignatureRecord): boolean {
  return (
    before.status !== now.status ||
    before.milestone !== now.milestone ||
    before.stop !== now.stop ||
    before.deletion !== now.deletion
  );
}

/**
 * The entries that one commit adds for one signature: `before` is null when the commit creates it. Children and
 * callbacks that wait for their turn are not told of; the root's creation is.
 */
export function entriesOf(before: SignatureRecord | null, now: SignatureRecord): Entry[] {
  const entries: Entry[] = [];
  const add = (type: EventType): void => {
    entries.push({ id: now.id, type, status: now.status, generation: now.generation, attempt: now.attempt });
  };
  if (before === null && now.role === "root") add("created");
  if (before !== null && now.generation > before.generation) {
    if (now.origin === before.origin) add("resumed");
    else if (now.role === "root") add("rerun");
  }
  if (before !== null && before.deletion === null && now.deletion !== null) add("marked");
  if (before?.deletion && now.deletion === null && now.generation === before.generation) add("restored");
  if (before !== null && now.stop !== null && before.stop === null && now.status === "RUNNING")
    add("stopping");
  const was = before?.status ?? "PENDING";
  if (before !== null && now.recoveries > before.recoveries) add("recovered");
  if (was !== now.status) {
    if (was === "SUSPENDED" && !NEVER_RESUMED.includes(now.status)) add("resumed");
    if (was === "RUNNING" && now.status === "WAITING" && now.recoveries === before?.recoveries)
      add("retrying");
    else if (now.status !== "PENDING" && !(was === "SUSPENDED" && now.status === "RUNNING"))
      add(BY_STATUS[now.status]);
    if (now.kind === "task" && now.stop?.clean === false && was === "RUNNING") add("abandoned");
  }
  if (
    now.parentId === null &&
    isSettled(now) &&
    !(before !== null && sameLife(before, now) && isSettled(before))
  )
    add("settled");
  return entries;
}

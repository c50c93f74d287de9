import type { SignatureRecord } from "./record.ts";
import { MILESTONE } from "./record.ts";
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
  | "interrupted"
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
  const was = before?.status ?? "PENDING";
  if (before !== null && now.recoveries > before.recoveries) add("recovered");
  if (was !== now.status) {
    if (was === "SUSPENDED" && !NEVER_RESUMED.includes(now.status)) add("resumed");
    if (was === "RUNNING" && now.status === "WAITING") add("retrying");
    else if (now.status !== "PENDING" && !(was === "SUSPENDED" && now.status === "RUNNING"))
      add(BY_STATUS[now.status]);
  }
  if (now.milestone === MILESTONE.SETTLED && before?.milestone !== MILESTONE.SETTLED && now.parentId === null)
    add("settled");
  return entries;
}

import type { StoredError } from "../core/errors.ts";
import type { Progress } from "../core/event.ts";
import { isClean } from "../core/halt.ts";
import type { Role } from "../core/ids.ts";
import type { Kind } from "../core/plan.ts";
import type { Deletion, SignatureRecord } from "../core/record.ts";
import type { Status } from "../core/status.ts";
import type { OpenPart } from "./what-is-open.ts";

/** Deletion is an axis of its own, shown in the place of the status. */
export type ShownStatus = Status | "MARKED_FOR_DELETION";

export function shownStatus({ status, deletion }: SignatureRecord): ShownStatus {
  return deletion === null ? status : "MARKED_FOR_DELETION";
}

/** What lists show of a signature. Instants are epoch milliseconds by the store's clock. */
export interface SignatureView {
  readonly id: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly role: Role;
  readonly slot: number;
  readonly key: string | null;
  readonly kind: Kind;
  readonly name: string;
  /** What to show: of what is marked for deletion, that. */
  readonly status: ShownStatus;
  /** The execution status. */
  readonly execution: Status;
  readonly generation: number;
  readonly attempt: number;
  readonly recoveries: number;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly workerId: string | null;
  /** Why it failed, or why the last attempt did. */
  readonly error: StoredError | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** When a WAITING signature goes on. */
  readonly dueAt: number | null;
  /** Of a root that is marked for deletion. */
  readonly deletion: Deletion | null;
  /** Who keeps others from changing it, and until when: over, if that has passed. */
  readonly lock: { readonly by: string; readonly until: number } | null;
  /** Why it was stopped, and whether all that ran had ended by itself: null while something inside still stops. */
  readonly interrupted: { readonly reason: string | null; readonly clean: boolean | null } | null;
}

/** Children of a container by status, as of now. */
export interface Counts {
  readonly total: number;
  readonly pending: number;
  readonly ready: number;
  readonly running: number;
  readonly waiting: number;
  readonly suspended: number;
  readonly interrupted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  /** Cleanup callbacks of the signature itself that failed. */
  readonly cleanupFailed: number;
}

/** A lock, and the signature that somebody has locked. */
export interface RunStatusLock {
  readonly id: string;
  readonly by: string;
  /** Epoch milliseconds by the store's clock. */
  readonly until: number;
}

export interface RunStatus {
  /** What to show. */
  readonly status: ShownStatus;
  /** The execution status. */
  readonly execution: Status;
  /** The mark of deletion, the second axis beside execution; null while there is none. */
  readonly deletion: Deletion | null;
  readonly counts: Counts;
  readonly progress: Progress;
  /** The suspended container that keeps it from going on, or null. */
  readonly heldBy: string | null;
  /** Locks that keep others from steering it: its own, those of what it stands in, from the inside out, and those inside it. */
  readonly locks: readonly RunStatusLock[];
  /** Once it has ended, some of what keeps it from settling: callbacks that are open, those first that somebody has stopped. */
  readonly open: readonly OpenPart[];
}

export function viewOf(record: SignatureRecord): SignatureView {
  const held = record.lock?.held ?? null;
  const { id, rootId, parentId, role, slot, key, kind, name, status, generation, attempt } = record;
  const { recoveries, priority, tags, workerId, createdAt, startedAt, finishedAt } = record;
  return {
    id,
    rootId,
    parentId,
    role,
    slot,
    key,
    kind,
    name,
    status: shownStatus(record),
    execution: status,
    generation,
    attempt,
    recoveries,
    priority,
    tags,
    workerId,
    error: status === "FAILED" || (kind === "task" && status !== "SUCCEEDED") ? record.error : null,
    createdAt,
    startedAt,
    finishedAt,
    dueAt: status === "WAITING" ? record.dueAt : null,
    deletion: record.deletion,
    lock: held === null ? null : { by: held.by, until: held.until },
    interrupted:
      status === "INTERRUPTED" && record.stop !== null
        ? { reason: record.stop.reason, clean: isClean(record) }
        : null,
  };
}

/** `open` are the children that have started and not ended, by status. */
export function countsOf({ family }: SignatureRecord, open: ReadonlyMap<Status, number>): Counts {
  const { total = 0, succeeded = 0, failed = 0, skipped = 0, cleanupsFailed = 0 } = family ?? {};
  const of = (status: Status): number => open.get(status) ?? 0;
  const started = of("READY") + of("RUNNING") + of("WAITING") + of("SUSPENDED") + of("INTERRUPTED");
  return {
    total,
    pending: Math.max(0, total - succeeded - failed - skipped - started),
    ready: of("READY"),
    running: of("RUNNING"),
    waiting: of("WAITING"),
    suspended: of("SUSPENDED"),
    interrupted: of("INTERRUPTED"),
    succeeded,
    failed,
    skipped,
    cleanupFailed: cleanupsFailed,
  };
}

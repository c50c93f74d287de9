import type { StoredError } from "../core/errors.ts";
import type { Progress } from "../core/event.ts";
import type { Role } from "../core/ids.ts";
import type { Kind } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Status } from "../core/status.ts";

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
  readonly status: Status;
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

export interface RunStatus {
  /** What to show. */
  readonly status: Status;
  /** The execution status. */
  readonly execution: Status;
  /** The mark of deletion, the second axis beside execution; null while there is none. */
  readonly deletion: null;
  readonly counts: Counts;
  readonly progress: Progress;
  /** The suspended container that keeps it from going on, or null. */
  readonly heldBy: string | null;
}

export function viewOf(record: SignatureRecord): SignatureView {
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
    status,
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

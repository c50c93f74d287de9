import { isCleanup } from "../core/ids.ts";
import type { Change } from "./batch.ts";

/** What this process has committed since it opened the store. The numbers only grow; take differences for rates. */
export interface Metrics {
  /** Transactions. */
  readonly commits: number;
  /** Tasks that workers of this process took: first attempts, retries, and those taken over. */
  readonly claims: number;
  /** Attempts that failed and are tried again. */
  readonly retries: number;
  /** Tasks that went on after they had lost their worker. */
  readonly recoveries: number;
  /** Tasks by how they ended, cleanups included. */
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly interrupted: number;
  readonly cancelled: number;
  /** Cleanup callbacks, of any kind, that ended, and those of them that failed: `CLEANUP_FAILED`. */
  readonly cleanups: number;
  readonly cleanupsFailed: number;
  /** Signatures that waited for nothing and were made to go on. Anything but 0 comes of a bug, or of a hand in the store. */
  readonly mended: number;
}

type Counts = Omit<Metrics, "mended">;

/** The status in which a task ends, and where it is counted. */
const ENDS = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  SKIPPED: "skipped",
  INTERRUPTED: "interrupted",
  CANCELLED: "cancelled",
} as const;

/** What a signature was before the commit that creates it, which may start it as well. */
const UNBORN = { status: "PENDING", epoch: 0, recoveries: 0, attempt: 0 } as const;

/** Keeps those of {@link Metrics} that commits tell. */
export class Meter {
  readonly #counts = {
    commits: 0,
    claims: 0,
    retries: 0,
    recoveries: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    interrupted: 0,
    cancelled: 0,
    cleanups: 0,
    cleanupsFailed: 0,
  };

  get counts(): Counts {
    return { ...this.#counts };
  }

  /** To be called once a commit. */
  count(changed: readonly Change[]): void {
    const counts = this.#counts;
    counts.commits++;
    for (const { before: known, now } of changed) {
      const before = known ?? UNBORN;
      if (now.epoch > before.epoch && now.workerId !== null) counts.claims++;
      if (now.recoveries > before.recoveries) counts.recoveries++;
      else if (now.attempt > before.attempt && before.attempt > 0) counts.retries++;
      if (now.status === before.status || !(now.status in ENDS)) continue;
      const end = ENDS[now.status as keyof typeof ENDS];
      if (now.kind === "task") counts[end]++;
      if (!isCleanup(now.role)) continue;
      counts.cleanups++;
      if (end === "failed") counts.cleanupsFailed++;
    }
  }
}

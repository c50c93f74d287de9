import type { SignatureRecord } from "./record.ts";

/**
 * What is kept of a workflow beside its tombstone, when that was asked for: how it went, and nothing of what it worked on. Inputs,
 * results, checkpoints, logs and the messages of errors are gone.
 */
export interface Stub {
  readonly generation: number;
  readonly tags: readonly string[];
  /** Steps or items; zeros for a task, but for the cleanups of it that failed. */
  readonly counts: {
    readonly total: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly skipped: number;
    readonly cleanupFailed: number;
  };
  /** Of the error that it failed with, if that has one. */
  readonly errorCode: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export function stubOf({
  generation,
  tags,
  family,
  error,
  createdAt,
  startedAt,
  finishedAt,
}: SignatureRecord): Stub {
  const { total = 0, succeeded = 0, failed = 0, skipped = 0, cleanupsFailed = 0 } = family ?? {};
  return {
    generation,
    tags,
    counts: { total, succeeded, failed, skipped, cleanupFailed: cleanupsFailed },
    errorCode: error?.code ?? null,
    createdAt,
    startedAt,
    finishedAt,
  };
}

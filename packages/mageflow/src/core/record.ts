import type { StoredError } from "./errors.ts";
import type { Role } from "./ids.ts";
import type { Kind } from "./plan.ts";
import type { Status } from "./status.ts";

/** How far a signature has come: its outcome, its cleanups and those inside it, everything under it. */
export const MILESTONE = { OPEN: 0, ENDED: 1, CLEANED: 2, SETTLED: 3 } as const;
export type Milestone = (typeof MILESTONE)[keyof typeof MILESTONE];

/**
 * Counters of a signature's family, kept in the commits that change it. A leaf without callbacks has none.
 * Of a chain, `succeeded` is also the slot of the current step.
 */
export interface Family {
  /** Children and callbacks that are not settled. */
  unsettled: number;
  /** Children that have ended and whose cleanups have not. */
  uncleaned: number;
  /** Cleanup callbacks of this signature: in all, ended, and failed. */
  cleanups: number;
  cleanupsEnded: number;
  cleanupsFailed: number;
  /** Steps or items: in all, started and not ended, and by outcome. */
  total: number;
  active: number;
  succeeded: number;
  failed: number;
  skipped: number;
  /** A swarm that takes more items. */
  open: boolean;
  /** A container that is past its failure: what has not started is being skipped. */
  stopping: boolean;
}

/**
 * Work that a commit leaves to the next one because it is done window by window: `start` children up to the
 * window, `skip` children that will never start, `unhold` what a suspension held.
 */
export type Sweep = "start" | "skip" | "unhold";

/** A signature as it is stored: one row. Instants are epoch milliseconds by the store's clock; texts are JSON. */
export interface SignatureRecord {
  readonly id: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly role: Role;
  readonly slot: number;
  readonly key: string | null;
  readonly kind: Kind;
  readonly name: string;
  /** Id of its spec within the workflow. */
  readonly spec: string;
  readonly status: Status;
  /** What a SUSPENDED signature goes back to. */
  readonly prior: "PENDING" | "RUNNING" | null;
  /** The suspended container that keeps this one from starting; set while PENDING only. */
  readonly heldBy: string | null;
  readonly generation: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly recoveries: number;
  readonly priority: number;
  readonly readyAt: number | null;
  readonly dueAt: number | null;
  readonly deadlineAt: number | null;
  readonly workerId: string | null;
  readonly bound: string | null;
  readonly message: string | null;
  readonly result: string | null;
  readonly error: StoredError | null;
  readonly family: Family | null;
  readonly sweep: Sweep | null;
  readonly milestone: Milestone;
  /** The milestone that the parent has taken into its counters; behind `milestone` while the parent was busy. */
  readonly credited: Milestone;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** The row of a spec. Spec ids are unique within a workflow. */
export interface SpecRow {
  readonly rootId: string;
  readonly id: string;
  /** JSON text of a {@link Spec}. */
  readonly body: string;
}

export const NO_FAMILY: Family = {
  unsettled: 0,
  uncleaned: 0,
  cleanups: 0,
  cleanupsEnded: 0,
  cleanupsFailed: 0,
  total: 0,
  active: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  open: false,
  stopping: false,
};

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
  /** Children, and callbacks of what had ended, that were told to stop and have not reported that they have. */
  halting: number;
  /** A swarm that takes more items. */
  open: boolean;
  /** A container that is past its failure: what has not started is being skipped. */
  stopping: boolean;
}

/**
 * Work that a commit leaves to the next one because it is done window by window: `start` children up to the
 * window, `skip` children that will never start, `unhold` what this one held, `clean` those cleanups among it which a stopped
 * container lets through, `interrupt` or `cancel` children that have started, `hasten` tasks inside that have longer to stop than this one,
 * `reset` children that ran in an earlier generation.
 */
export type Sweep = "start" | "skip" | "unhold" | "clean" | "interrupt" | "cancel" | "hasten" | "reset";

/**
 * An order to stop. On what is RUNNING it is under way; what has stopped keeps it, to tell why. What had ended before it was cancelled
 * keeps its status and has the order too, for nothing that follows from it starts any more.
 */
export interface Stop {
  readonly verb: "interrupt" | "cancel";
  /** Who gave the order. */
  readonly actor: string;
  readonly reason: string | null;
  /** The container that passed the order on and waits to hear that it has been carried out, or null. */
  readonly by: string | null;
  /** It was itself what was to be stopped, so that it does not go on along with its container. */
  readonly own: boolean;
  /** Instant after which what still runs is fenced off. */
  readonly until: number;
  /** Whether all that ran ended by itself, so that nothing may still go on somewhere. */
  readonly clean: boolean;
  /** Resumed while it was still stopping: it goes on when it has. */
  readonly resumes: boolean;
  /** It has stopped, with all that was to stop inside it, and has been cleaned up. */
  readonly done: boolean;
}

/** The mark of deletion, a second axis beside the status. What is marked and runs goes on to its end. */
export interface Deletion {
  readonly markedAt: number;
  /** The tree is removed at this instant, or when it has settled after it. */
  readonly purgeAt: number;
  readonly action: "delete" | "retention" | "cancel";
  readonly by: string;
  readonly reason: string | null;
  readonly generation: number;
  /** Whether a stub is kept beside the tombstone. */
  readonly stub: boolean;
  /** It is gone for everybody, and what it consists of is being removed. */
  readonly purged: boolean;
}

/** The right to be the only one who gives orders to a signature and to what is inside it, until it expires. */
export interface Held {
  readonly token: string;
  readonly by: string;
  readonly until: number;
}

/** What keeps others from giving orders to a signature. */
export interface Lock {
  /** Its own lock; `start` when a start waits for the end of it. */
  readonly held: (Held & { readonly start: boolean }) | null;
  /** Locks on what is inside it, at any depth, so that an order to this one need not look for them. Those that have expired may stay. */
  readonly inside: readonly (Held & { readonly id: string })[];
  /** When the tree was to be removed that waits for the end of all of them; null when none does. */
  readonly purgeAt: number | null;
}

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
  /**
   * The suspended or interrupted container that keeps this one from starting. Set while PENDING, and while INTERRUPTED on that
   * container's behalf.
   */
  readonly heldBy: string | null;
  readonly generation: number;
  /** The generation that this one goes on with: what tasks memoise and save is kept under it. */
  readonly origin: number;
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
  readonly stop: Stop | null;
  readonly deletion: Deletion | null;
  readonly lock: Lock | null;
  readonly milestone: Milestone;
  /** The milestone that the parent has taken into its counters; behind `milestone` while the parent was busy. */
  readonly credited: Milestone;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** True when nothing of it is open: it has ended with everything under it, or has stopped for good or until it is resumed. */
export function isSettled({ milestone, stop }: SignatureRecord): boolean {
  return milestone === MILESTONE.SETTLED || stop?.done === true;
}

/** True for what nothing may start in any more, cleanups excepted, and which nobody brings back. */
export function isCancelled({ stop }: SignatureRecord): boolean {
  return stop?.verb === "cancel";
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
  halting: 0,
  open: false,
  stopping: false,
};

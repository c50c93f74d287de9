import type { Json } from "./payload.ts";
import type { StoredRetention } from "./retention.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Version } from "./version.ts";

/** `task` is a leaf; the others are containers. Anything nests in anything. */
export const KINDS = ["task", "chain", "swarm"] as const;
export type Kind = (typeof KINDS)[number];

/** What a callback is attached to. */
export type Outcome = "success" | "error" | "cleanup";

/** Callback plans by outcome, in the order in which they were added. */
export interface Callbacks {
  readonly success: readonly PlanNode[];
  readonly error: readonly PlanNode[];
  readonly cleanup: readonly PlanNode[];
}

export const NO_CALLBACKS: Callbacks = { success: [], error: [], cleanup: [] };

/** What every kind has. Spans are in milliseconds, `at` is an instant in epoch milliseconds. */
interface SpecBase {
  readonly name: string;
  readonly callbacks: Callbacks;
  /** Ready tasks of higher priority go first; null inherits the container's (0 at the root). */
  readonly priority: number | null;
  readonly delay: number;
  readonly at: number | null;
  /** Adds a draw from 0 to this to the start, per signature. */
  readonly stagger: number;
  readonly tags: readonly string[];
  readonly metadata: { readonly [key: string]: Json };
  /** How long a workflow with this root is kept once it has settled, by its outcome (ms); null for ever. */
  readonly retain?: StoredRetention;
}

export interface TaskSpec extends SpecBase {
  readonly kind: "task";
  readonly retry: RetryPolicy;
  /** Limit of one attempt, or null. */
  readonly timeout: number | null;
  /** Limit of all attempts and the waits between them, from the first claim of a generation, or null. */
  readonly totalTimeout: number | null;
  /** Times a task may lose its worker before it fails with `CRASH_LOOP`. */
  readonly maxRecoveries: number;
  /** False: when it has lost its worker, it waits for somebody to resume it. Else how many of it go on a second, if that is limited. */
  readonly autoResume?: false | { readonly perSecond: number };
  /** Of the code that the plan was made with, if it has one. */
  readonly version?: Version;
}

export interface ChainSpec extends SpecBase {
  readonly kind: "chain";
}

export interface SwarmSpec extends SpecBase {
  readonly kind: "swarm";
  /** Items that may be started and not ended at once; null is unlimited. */
  readonly concurrency: number | null;
  /** More failures than this fail the swarm; null: only when all items fail. */
  readonly stopAfterFailures: number | null;
  /** What becomes of running items past the limit: they end, or are stopped. */
  readonly onLimit: "finish" | "interrupt";
  readonly maxTasks: number | null;
  /** An open swarm takes items until it is closed. */
  readonly open: boolean;
  /** Declared once, fired for every item. */
  readonly itemCallbacks: Callbacks;
}

/**
 * Everything about a signature that does not differ between siblings. Plans that differ in their input only
 * share one spec, and it is stored once for them all.
 */
export type Spec = TaskSpec | ChainSpec | SwarmSpec;

/** A plan as core sees it: a value, JSON all through once its children are an array. */
export interface PlanNode {
  readonly spec: Spec;
  /** JSON text bound by `with`, or null. */
  readonly bound: string | null;
  /** Of a swarm's item: unique within the swarm. */
  readonly key: string | null;
  /** Steps or items; null for a task. A swarm's may be any iterable, which is read once at every submit. */
  readonly children: Iterable<PlanNode> | null;
}

/** Items a swarm without a limit may have started at once, so that no step of it grows with its size. */
export const WIDEST_WINDOW = 10_000;

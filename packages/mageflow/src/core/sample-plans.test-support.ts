import { describeThrown, MageFlowError } from "./errors.ts";
import {
  type ChainSpec,
  type Callbacks,
  NO_CALLBACKS,
  type PlanNode,
  type Spec,
  type SwarmSpec,
  type TaskSpec,
} from "./plan.ts";
import type { SignatureRecord } from "./record.ts";
import { retryPolicy } from "./retry.ts";
import type { AttemptOutcome } from "./signal.ts";

/** Plans whose names say what becomes of them, and that. */

type Attached = { callbacks?: Partial<Callbacks>; key?: string; bound?: string };
type Options<S extends Spec> = Partial<Omit<S, "kind" | "name" | "callbacks" | "itemCallbacks">> &
  Attached & { itemCallbacks?: Partial<Callbacks>; name?: string };

function base(name: string, options: Options<Spec>) {
  return {
    name,
    callbacks: { ...NO_CALLBACKS, ...options.callbacks },
    priority: options.priority ?? null,
    delay: options.delay ?? 0,
    at: options.at ?? null,
    stagger: options.stagger ?? 0,
    tags: options.tags ?? [],
    metadata: options.metadata ?? {},
    ...(options.retain === undefined ? {} : { retain: options.retain }),
  };
}

/** A task; its name is its script: `bad…` always fails, `dead…` fails for good, `flaky…` fails once, others succeed. */
export function task(name: string, options: Options<TaskSpec> = {}): PlanNode {
  const spec: TaskSpec = {
    kind: "task",
    ...base(name, options),
    retry: options.retry ?? retryPolicy(undefined),
    timeout: options.timeout ?? null,
    totalTimeout: options.totalTimeout ?? null,
    maxRecoveries: options.maxRecoveries ?? 5,
    ...(options.autoResume === undefined ? {} : { autoResume: options.autoResume }),
  };
  return { spec, bound: options.bound ?? null, key: options.key ?? null, children: null };
}

export function chain(children: readonly PlanNode[], options: Options<ChainSpec> = {}): PlanNode {
  const spec: ChainSpec = { kind: "chain", ...base(options.name ?? "chain", options) };
  return { spec, bound: options.bound ?? null, key: options.key ?? null, children };
}

export function swarm(children: Iterable<PlanNode>, options: Options<SwarmSpec> = {}): PlanNode {
  const spec: SwarmSpec = {
    kind: "swarm",
    ...base(options.name ?? "swarm", options),
    concurrency: options.concurrency === undefined ? 30 : options.concurrency,
    stopAfterFailures: options.stopAfterFailures ?? null,
    onLimit: options.onLimit ?? "finish",
    maxTasks: options.maxTasks ?? null,
    open: options.open ?? false,
    itemCallbacks: { ...NO_CALLBACKS, ...options.itemCallbacks },
  };
  return { spec, bound: options.bound ?? null, key: options.key ?? null, children };
}

/** `count` times the plan, one spec for all. */
export function times(count: number, plan: PlanNode): PlanNode[] {
  return Array.from({ length: count }, () => plan);
}

export type Script = (record: SignatureRecord) => AttemptOutcome;

export const succeed = (result: unknown = null): AttemptOutcome => ({
  ok: true,
  result: JSON.stringify(result),
});

export const fail = (message = "boom", terminal = false): AttemptOutcome => ({
  ok: false,
  terminal,
  cause: describeThrown(new MageFlowError("BOOM", message)),
});

/** What the name of a task says, see {@link task}. The result of a success is the id. */
export const byName: Script = (record) => {
  if (record.name.startsWith("bad")) return fail(record.id);
  if (record.name.startsWith("dead")) return fail(record.id, true);
  if (record.name.startsWith("flaky") && record.attempt === 1) return fail(record.id);
  return succeed(record.id);
};

/** The outcome of a plan under {@link byName}, worked out from the plan alone. */
export function outcomeOf({ spec, children }: PlanNode): "SUCCEEDED" | "FAILED" {
  if (spec.kind === "task") {
    if (spec.name.startsWith("bad") || spec.name.startsWith("dead")) return "FAILED";
    return spec.name.startsWith("flaky") && spec.retry.attempts < 2 ? "FAILED" : "SUCCEEDED";
  }
  const outcomes = [...(children ?? [])].map(outcomeOf);
  const failed = outcomes.filter((outcome) => outcome === "FAILED").length;
  if (spec.kind === "chain") return failed > 0 ? "FAILED" : "SUCCEEDED";
  const limit = spec.stopAfterFailures;
  return (limit !== null && failed > limit) || (outcomes.length > 0 && failed === outcomes.length)
    ? "FAILED"
    : "SUCCEEDED";
}

import { InvalidPlanError } from "../core/errors.ts";
import type { AnyPlan, InputOf, NeedsOf, OutputOf, Part } from "../core/flow.ts";
import { inWords } from "../core/in-words.ts";
import { type OptionNames, requireOptions } from "../core/known-options.ts";
import { requireKey } from "../core/label.ts";
import { encode } from "../core/payload.ts";
import { PLAN_OPTIONS, type PlanOptions } from "../core/plan-options.ts";
import { completed } from "../core/retention.ts";
import { Plan } from "../core/plans.ts";
import { Run } from "./run.ts";
import type { Runtime } from "./runtime.ts";
import type { Submission } from "./submit.ts";

export interface RunOptions extends PlanOptions {
  /** Idempotency key: a second run with the same key gives the handle of the first, and is refused when it is of another kind, name or input. */
  key?: string;
}

const RUN_OPTIONS: OptionNames<RunOptions> = { key: true, ...PLAN_OPTIONS };

/** A message is needed when the plan's input is not complete; of a plan that nothing is known of, it may be. */
export type RunArguments<P extends AnyPlan> = [NeedsOf<P>] extends [never]
  ? [message?: unknown, options?: RunOptions]
  : Record<never, never> extends NeedsOf<P>
    ? [message?: Part<InputOf<P>>, options?: RunOptions]
    : unknown extends NeedsOf<P>
      ? [message?: unknown, options?: RunOptions]
      : [message: NeedsOf<P> & Part<InputOf<P>>, options?: RunOptions];

/** Stores a plan with what was given to it at run. */
export async function launch<P extends AnyPlan>(
  runtime: Runtime,
  plan: P,
  message: unknown,
  options: RunOptions,
  how: Pick<Submission, "start" | "by">,
): Promise<Run<OutputOf<P>>> {
  const { text, key, given } = readRun(plan, message, options);
  const { kind, retain: own } = given.spec;
  const all = runtime.retain(kind);
  const root = all === null ? given : given.options({ retain: completed(own, all) });
  const id = await runtime.submit({ plan: root, message: text, key, tags: root.spec.tags, ...how });
  return new Run(runtime, id);
}

/** What is to be run, checked: the plan with its options, and the JSON text of the message. */
export function readRun(
  plan: unknown,
  message: unknown,
  options: RunOptions,
): { given: Plan<unknown, unknown, unknown>; text: string | null; key: string | null } {
  if (!(plan instanceof Plan)) {
    throw new InvalidPlanError(`${inWords(plan)} was given to be run; pass a task, chain or swarm`);
  }
  requireOptions(options, RUN_OPTIONS, "a run");
  const text = message === undefined ? null : encode(message, "message");
  const { key = null, ...rest } = options;
  if (key !== null) requireKey(key);
  const given: Plan<unknown, unknown, unknown> = Object.keys(rest).length === 0 ? plan : plan.options(rest);
  return { given, text, key };
}

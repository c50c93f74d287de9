import { availableParallelism } from "node:os";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Duration, someMilliseconds } from "./core/duration.ts";
import { InvalidPlanError } from "./core/errors.ts";
import { inWords } from "./core/in-words.ts";
import { type OptionNames, requireOptions } from "./core/known-options.ts";
import { NO_CALLBACKS } from "./core/plan.ts";
import { PLAN_OPTIONS, type PlanOptions, storedOptions } from "./core/plan-options.ts";
import { TaskPlan } from "./core/plans.ts";
import { type Retry, retryPolicy } from "./core/retry.ts";
import { requireVersion, type Version } from "./core/version.ts";
import { type AutoResume, type TaskAutoResume, taskAutoResume } from "./runtime/auto-resume.ts";
import type { Handler } from "./runtime/handler.ts";
import { type IsolationKind, isolationOf } from "./runtime/isolate/isolation.ts";

export interface TaskOptions<
  I extends StandardSchemaV1 = StandardSchemaV1,
  O extends StandardSchemaV1 = StandardSchemaV1,
> extends PlanOptions {
  /** Any Standard Schema (zod, valibot, arktype …). The function gets its output. */
  input?: I;
  output?: O;
  retry?: Retry;
  /** Limit of one attempt. Default: none. */
  timeout?: Duration;
  /** Limit of all attempts and the waits between them, from the start of the first. Default: none. */
  totalTimeout?: Duration;
  /** Most attempts of this task that one worker runs at once. Default: the worker's concurrency; when isolated, the cores there are. */
  concurrency?: number;
  /**
   * Runs its code beside that of all others (`"inline"`, the default), or in a thread or process of its own, which is ended when it does
   * not stop in time. Needs `module`.
   */
  isolation?: IsolationKind;
  /** `import.meta.url` of the module that registers the task: it is loaded again where the code runs. */
  module?: string;
  /** Most megabytes of JavaScript heap that an isolated task may fill, or else fail with `OUT_OF_MEMORY`. */
  maxMemoryMb?: number;
  /** Times it may lose its worker before it fails with `CRASH_LOOP`. Default 5, or what `MageFlow` was told. */
  maxRecoveries?: number;
  /**
   * Names the state of its code, and is stored with its signatures: one that has lost its worker goes on by itself only when the
   * version that is registered is the same, or `autoResume.compatible` with it. Default: none, which is as good as a version.
   */
  version?: Version;
  /** What becomes of it when it has lost its worker. False: it is interrupted, and goes on when somebody resumes it. */
  autoResume?: false | TaskAutoResume;
}

const TASK_OPTIONS: OptionNames<TaskOptions> = {
  input: true,
  output: true,
  retry: true,
  timeout: true,
  totalTimeout: true,
  concurrency: true,
  isolation: true,
  module: true,
  maxMemoryMb: true,
  maxRecoveries: true,
  version: true,
  autoResume: true,
  ...PLAN_OPTIONS,
};

/** A task's plan, and what runs it. @throws InvalidPlanError (`INVALID_PLAN`) for a bad option, or no function. */
export function defineTask(
  name: string,
  options: TaskOptions,
  run: Handler["run"] | undefined,
  resumes: AutoResume,
): { plan: TaskPlan<unknown, unknown, unknown>; handler: Handler } {
  if (typeof run !== "function") throw new InvalidPlanError(`task "${name}" has no function`);
  requireOptions(options, TASK_OPTIONS, `task "${name}"`);
  const isolation = isolationOf(name, options);
  const { concurrency = isolation === null ? null : availableParallelism() } = options;
  if (concurrency !== null && (!Number.isInteger(concurrency) || concurrency < 1)) {
    throw new InvalidPlanError(
      `the concurrency of task "${name}" is ${inWords(concurrency)}; give a whole number from 1`,
    );
  }
  requireVersion(options.version, name);
  const resuming = taskAutoResume(name, options.autoResume, options.maxRecoveries, resumes);
  const plan = new TaskPlan<unknown, unknown, unknown>({
    spec: {
      kind: "task",
      name,
      callbacks: NO_CALLBACKS,
      ...storedOptions(options),
      retry: retryPolicy(options.retry),
      timeout: limit(options.timeout, "timeout"),
      totalTimeout: limit(options.totalTimeout, "totalTimeout"),
      ...resuming.stored,
      ...(options.version === undefined ? {} : { version: options.version }),
    },
    bound: null,
    key: null,
  });
  const input = schema(options.input, `the input of task "${name}"`);
  const output = schema(options.output, `the output of task "${name}"`);
  const handler: Handler = {
    name,
    input,
    output,
    concurrency,
    isolation,
    version: options.version ?? null,
    compatible: resuming.compatible,
    mayResume: resuming.validate,
    run,
  };
  return { plan, handler };
}

/** @throws InvalidPlanError (`INVALID_PLAN`) for what is no Standard Schema. */
function schema(given: StandardSchemaV1 | undefined, what: string): StandardSchemaV1 | null {
  if (given === undefined) return null;
  if (typeof given?.["~standard"]?.validate === "function") return given;
  throw new InvalidPlanError(
    `${what} is ${inWords(given)}, not a Standard Schema; see https://standardschema.dev`,
  );
}

function limit(duration: Duration | undefined, what: string): number | null {
  return duration === undefined ? null : someMilliseconds(duration, what);
}

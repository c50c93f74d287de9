import { InvalidPlanError, MageFlowError } from "../core/errors.ts";
import { inWords } from "../core/in-words.ts";
import { misgiven, type OptionNames } from "../core/known-options.ts";
import type { TaskSpec } from "../core/plan.ts";
import type { ResumeRules } from "../core/recovery.ts";
import type { Version } from "../core/version.ts";
import type { SignatureView } from "./signature-view.ts";

/** Says whether a task that lost its worker, or was handed back by one, may go on; it is asked outside of transactions, for ten seconds at most. */
export type ResumeValidator = (view: SignatureView) => boolean | Promise<boolean>;

/** Says whether a task that was stored by one version of its code may go on with another; null is a task without a version. */
export type Compatible = (stored: Version | null, registered: Version | null) => boolean;

/**
 * What becomes of running tasks whose worker was lost. Those that may not go on are interrupted, and `run.resume()` makes them go on
 * from their last checkpoint. A worker leaves these rules in the store, so that they hold whoever finds it lost; `validate` is asked there.
 */
export interface AutoResumeOptions {
  /** Default true. */
  enabled?: boolean;
  /** Names of the only tasks that go on by themselves. Default: all. */
  only?: readonly string[];
  /** Names of tasks that do not. */
  except?: readonly string[];
  /** How many each process lets go on a second; with `"full"` jitter (the default) each at a random moment of its turn. Default: all at once. */
  stagger?: { perSecond: number; jitter?: "full" | "none" };
  /** Times a task may lose its worker before it fails with `CRASH_LOOP`, unless the task says so itself. Default 5. */
  maxRecoveries?: number;
  validate?: ResumeValidator;
}

/** The same for one task. What is said here of the number is stored with its signatures, and holds in every process. */
export interface TaskAutoResume {
  maxRecoveries?: number;
  perSecond?: number;
  /** Asked when the stored version is not the registered one. Default: they must be equal. */
  compatible?: Compatible;
  /** Asked in processes that have registered the task. */
  validate?: ResumeValidator;
}

/** {@link AutoResumeOptions}, checked. */
export interface AutoResume {
  readonly rules: ResumeRules;
  readonly maxRecoveries: number;
  readonly validate: ResumeValidator | null;
}

const OPTIONS: OptionNames<AutoResumeOptions> = {
  enabled: true,
  only: true,
  except: true,
  stagger: true,
  maxRecoveries: true,
  validate: true,
};
const STAGGER: OptionNames<NonNullable<AutoResumeOptions["stagger"]>> = { perSecond: true, jitter: true };
const TASK_OPTIONS: OptionNames<TaskAutoResume> = {
  maxRecoveries: true,
  perSecond: true,
  compatible: true,
  validate: true,
};

/** @throws MageFlowError (`INVALID_ARGUMENT`) */
export function autoResume(options: AutoResumeOptions = {}): AutoResume {
  const wrong = misgiven(options, OPTIONS, "autoResume") ?? wrongOptions(options);
  if (wrong !== null) throw new MageFlowError("INVALID_ARGUMENT", wrong);
  const { enabled = true, only = null, except = [], stagger, maxRecoveries = 5, validate = null } = options;
  return {
    // Copies: what is done to the options later changes nothing.
    rules: {
      enabled,
      only: only === null ? null : [...only],
      except: [...except],
      stagger:
        stagger === undefined ? null : { perSecond: stagger.perSecond, jitter: stagger.jitter ?? "full" },
    },
    maxRecoveries,
    validate,
  };
}

function wrongOptions({
  enabled,
  only,
  except,
  stagger,
  maxRecoveries,
  validate,
}: AutoResumeOptions): string | null {
  if (enabled !== undefined && typeof enabled !== "boolean")
    return `autoResume.enabled is ${inWords(enabled)}; give true or false`;
  return (
    wrongNames(only, "autoResume.only") ??
    wrongNames(except, "autoResume.except") ??
    (stagger === undefined ? null : wrongStagger(stagger)) ??
    wrongCount(maxRecoveries, "autoResume.maxRecoveries") ??
    wrongFunction(validate, "autoResume.validate")
  );
}

/** What of a task's `autoResume` is stored with its signatures, and what its handler keeps. */
export interface TaskRules {
  readonly stored: Pick<TaskSpec, "maxRecoveries" | "autoResume">;
  readonly compatible: Compatible | null;
  readonly validate: ResumeValidator | null;
}

/**
 * `maxRecoveries` is the task's option of this name beside `autoResume`.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`)
 */
export function taskAutoResume(
  name: string,
  options: false | TaskAutoResume | undefined,
  maxRecoveries: number | undefined,
  overall: AutoResume,
): TaskRules {
  const own = options === false ? {} : (options ?? {});
  const what = `autoResume of task "${name}"`;
  const wrong =
    wrongCount(maxRecoveries, `maxRecoveries of task "${name}"`) ??
    misgiven(own, TASK_OPTIONS, what) ??
    wrongCount(own.maxRecoveries, `${what}: maxRecoveries`) ??
    wrongPace(own.perSecond, `${what}: perSecond`) ??
    wrongFunction(own.compatible, `${what}: compatible`) ??
    wrongFunction(own.validate, `${what}: validate`) ??
    (own.maxRecoveries !== undefined && maxRecoveries !== undefined
      ? `task "${name}" has maxRecoveries twice; leave out the one in its autoResume`
      : null);
  if (wrong !== null) throw new InvalidPlanError(wrong);
  const { perSecond, compatible = null, validate = null } = own;
  const stored = options === false ? false : perSecond === undefined ? undefined : { perSecond };
  return {
    stored: {
      maxRecoveries: own.maxRecoveries ?? maxRecoveries ?? overall.maxRecoveries,
      ...(stored === undefined ? {} : { autoResume: stored }),
    },
    compatible,
    validate,
  };
}

function wrongNames(names: unknown, what: string): string | null {
  if (names === undefined) return null;
  if (!Array.isArray(names)) return `${what} is ${inWords(names)}; give an array of names of tasks`;
  const stranger = names.find((name) => typeof name !== "string");
  return stranger === undefined ? null : `${what} has ${inWords(stranger)}; give names of tasks`;
}

function wrongStagger(stagger: NonNullable<AutoResumeOptions["stagger"]>): string | null {
  const wrong = misgiven(stagger, STAGGER, "autoResume.stagger");
  if (wrong !== null) return wrong;
  const { perSecond, jitter = "full" } = stagger;
  if (jitter !== "full" && jitter !== "none")
    return `autoResume.stagger.jitter is ${inWords(jitter)}; give "full" or "none"`;
  return perSecond === undefined
    ? "autoResume.stagger has no perSecond; give a number above 0"
    : wrongPace(perSecond, "autoResume.stagger.perSecond");
}

/** A turn of more than an hour is a mistake. */
const SLOWEST = 1 / 3_600;

function wrongPace(perSecond: unknown, what: string): string | null {
  if (perSecond === undefined) return null;
  const fits = typeof perSecond === "number" && Number.isFinite(perSecond) && perSecond >= SLOWEST;
  return fits ? null : `${what} is ${inWords(perSecond)}; give a number from 1/3600, one an hour`;
}

function wrongCount(count: unknown, what: string): string | null {
  const fits = count === undefined || (typeof count === "number" && Number.isInteger(count) && count >= 0);
  return fits ? null : `${what} is ${inWords(count)}; give a whole number from 0`;
}

function wrongFunction(given: unknown, what: string): string | null {
  return given === undefined || typeof given === "function"
    ? null
    : `${what} is ${inWords(given)}; give a function that says whether a task may go on`;
}

import { composeInput } from "../core/compose.ts";
import { describeThrown, ValidationError } from "../core/errors.ts";
import { standsInPlan } from "../core/ids.ts";
import type { TaskSpec } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { type Schema, validate } from "../core/validate.ts";
import type { Clock } from "../ports/clock.ts";
import type { Assignment } from "./assignment.ts";
import type { Version } from "../core/version.ts";
import type { Compatible, ResumeValidator } from "./auto-resume.ts";
import type { Handler } from "./handler.ts";
import { viewOf } from "./signature-view.ts";

/** Whether a task may go on, as only code can tell. */
export interface Question {
  readonly record: SignatureRecord;
  /** That of its code and that which is registered, when they differ; else null. */
  readonly versions: {
    readonly stored: Version | null;
    readonly registered: Version | null;
    readonly compatible: Compatible | null;
  } | null;
  /** Its input and the schema that it must fit, or null. */
  readonly input: { readonly schema: Schema; readonly assignment: Assignment } | null;
  readonly validators: readonly ResumeValidator[];
}

/** What is to be asked of a task, or null for nothing. `validate` is that of all tasks; `assignment` gives what its input is made of. */
export async function questionOf(
  record: SignatureRecord,
  spec: TaskSpec,
  { input: schema, version: registered, compatible, mayResume }: Handler,
  validate: ResumeValidator | null,
  assignment: () => Promise<Assignment>,
): Promise<Question | null> {
  const stored = spec.version ?? null;
  // What it follows has come to its end, and settles by it.
  const overall = standsInPlan(record.id) ? validate : null;
  const validators = [overall, mayResume].filter((validator) => validator !== null);
  const versions = stored === registered ? null : { stored, registered, compatible };
  if (versions === null && schema === null && validators.length === 0) return null;
  const input = schema === null ? null : { schema, assignment: await assignment() };
  return { record, versions, input, validators };
}

/** `reason` is why it may not go on, or null. It holds for the run of the task under `epoch`. */
export interface Verdict {
  readonly epoch: number;
  readonly reason: string | null;
}

/** How long one question may take (ms). */
const PATIENCE_MS = 10_000;
/** Characters of a reason. */
const LONGEST = 500;

/** Answers a question; code that throws, or does not answer, refuses. Never rejects. */
export async function judge(clock: Clock, question: Question): Promise<Verdict> {
  const over = new AbortController();
  const limit = clock
    .sleep(PATIENCE_MS, over.signal, { background: true })
    .then(() => `validate did not answer within ${PATIENCE_MS} ms`);
  const reason = await Promise.race([answer(question), limit]);
  over.abort();
  return { epoch: question.record.epoch, reason: reason === null ? null : reason.slice(0, LONGEST) };
}

async function answer({ record, versions, input, validators }: Question): Promise<string | null> {
  const skew = versions === null ? null : skewed(versions);
  if (skew !== null) return skew;
  try {
    if (input !== null) await validate(input.schema, composeInput(input.assignment), "the input");
  } catch (error) {
    return `its input does not fit any more: ${misfit(error)}`;
  }
  try {
    for (const ask of validators) if (!(await ask(viewOf(record)))) return "refused by validate";
    return null;
  } catch (error) {
    return `refused by validate, which threw: ${describeThrown(error).message}`;
  }
}

function skewed({ stored, registered, compatible }: NonNullable<Question["versions"]>): string | null {
  const what = `it was stored ${by(stored)}, and its task is registered ${by(registered)}`;
  try {
    return compatible?.(stored, registered) === true ? null : what;
  } catch (error) {
    return `${what}; compatible threw: ${describeThrown(error).message}`;
  }
}

function by(version: Version | null): string {
  return version === null ? "without a version" : `as version ${JSON.stringify(version)}`;
}

function misfit(error: unknown): string {
  return error instanceof ValidationError
    ? error.issues.map(({ path, message }) => `${path}: ${message}`).join("; ")
    : describeThrown(error).message;
}

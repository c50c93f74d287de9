import type { Schema } from "../core/validate.ts";
import type { Version } from "../core/version.ts";
import type { Compatible, ResumeValidator } from "./auto-resume.ts";
import type { TaskContext } from "./context.ts";
import type { Isolation } from "./isolate/isolation.ts";

/** A registered task: its code and what it says about its values. */
export interface Handler {
  readonly name: string;
  readonly input: Schema | null;
  readonly output: Schema | null;
  /** Most attempts of this task that one worker runs at once, or null. */
  readonly concurrency: number | null;
  readonly version: Version | null;
  /** Says whether one that was stored by another version may go on with this one; null: none may. */
  readonly compatible: Compatible | null;
  /** Says whether one that lost its worker, or was handed back, may go on, or null. */
  readonly mayResume: ResumeValidator | null;
  /** The thread or process that its code gets, or null when it runs inline. */
  readonly isolation: Isolation | null;
  readonly run: (input: never, context: TaskContext) => unknown;
}

/** A task of which nothing is said but its code. */
export function plainHandler(name: string, run: Handler["run"]): Handler {
  const unsaid = { input: null, output: null, concurrency: null, isolation: null };
  return { ...unsaid, version: null, compatible: null, mayResume: null, name, run };
}

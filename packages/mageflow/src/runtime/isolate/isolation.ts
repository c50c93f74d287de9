import { InvalidPlanError } from "../../core/errors.ts";
import { inWords } from "../../core/in-words.ts";

/** Where the code of a task runs: beside all others, in a thread of its own, or in a process of its own. */
export type IsolationKind = "inline" | "thread" | "process";

/** What a task that does not run inline asks for. */
export interface Isolation {
  readonly kind: Exclude<IsolationKind, "inline">;
  /** URL of the module that registers the task. */
  readonly module: string;
  /** Most megabytes of its JavaScript heap, or null for what Node gives. */
  readonly maxMemoryMb: number | null;
}

interface Asked {
  isolation?: IsolationKind;
  module?: string;
  maxMemoryMb?: number;
}

/** What the options of a task ask for; null is inline. @throws InvalidPlanError (`INVALID_PLAN`) */
export function isolationOf(task: string, asked: Asked): Isolation | null {
  const { isolation: kind = "inline", module, maxMemoryMb = null } = asked;
  switch (kind) {
    case "inline":
      if (maxMemoryMb === null) return null;
      throw new InvalidPlanError(
        `task "${task}" has a maxMemoryMb and shares its memory with all others; give it isolation: "thread" or "process"`,
      );
    case "thread":
    case "process":
      break;
    default:
      kind satisfies never;
      throw new InvalidPlanError(
        `the isolation of task "${task}" is ${inWords(kind)}; give "inline", "thread" or "process"`,
      );
  }
  if (typeof module !== "string" || !URL.canParse(module)) {
    throw new InvalidPlanError(
      `task "${task}" runs in a ${kind} of its own, and its module is ${inWords(module)}; give module: import.meta.url, where that finds its code`,
    );
  }
  if (maxMemoryMb !== null && (!Number.isSafeInteger(maxMemoryMb) || maxMemoryMb < 1)) {
    throw new InvalidPlanError(
      `the maxMemoryMb of task "${task}" is ${inWords(maxMemoryMb)}; give a whole number from 1`,
    );
  }
  return { kind, module, maxMemoryMb };
}

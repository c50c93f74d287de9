import { InvalidPlanError } from "./errors.ts";
import { inWords } from "./in-words.ts";
import { A_LABEL, isLabel } from "./label.ts";

/** Names a state of a task's code, as its author counts them. */
export type Version = string | number;

/** @throws InvalidPlanError (`INVALID_PLAN`) */
export function requireVersion(given: unknown, task: string): void {
  if (given === undefined || Number.isSafeInteger(given) || isLabel(given)) return;
  throw new InvalidPlanError(
    `the version of task "${task}" is ${inWords(given)}; give a whole number, or ${A_LABEL}`,
  );
}

import { type Duration, milliseconds } from "./duration.ts";
import { misgiven, type OptionNames } from "./known-options.ts";
import { InvalidPlanError } from "./errors.ts";

/** How long a workflow is kept once it has settled, by its outcome. What is left out is kept for ever. */
export interface Retention {
  succeeded?: Duration;
  /** Also of what was skipped. */
  failed?: Duration;
}

/** {@link Retention} in ms. */
export interface StoredRetention {
  readonly succeeded: number | null;
  readonly failed: number | null;
}

const OUTCOMES: OptionNames<Retention> = { succeeded: true, failed: true };

/** @throws InvalidPlanError (`INVALID_PLAN`) for an outcome that is not known, or a bad duration. */
export function storedRetention(retain: Retention): StoredRetention {
  const wrong = misgiven(retain, OUTCOMES, "retain");
  if (wrong !== null) throw new InvalidPlanError(wrong);
  const { succeeded, failed } = retain;
  return {
    succeeded: succeeded === undefined ? null : milliseconds(succeeded, "retain.succeeded"),
    failed: failed === undefined ? null : milliseconds(failed, "retain.failed"),
  };
}

import { type Duration, milliseconds } from "./duration.ts";
import { misgiven, type OptionNames } from "./known-options.ts";
import { InvalidPlanError } from "./errors.ts";
import { inWords } from "./in-words.ts";

/** How long a workflow is kept once it has settled, by its outcome. What is left out is kept for ever. */
export interface Retention {
  succeeded?: Duration;
  /** Also of what was skipped. */
  failed?: Duration;
  /** Keeps how it went when it is removed, without any payload: see `mage.tombstone`. Default false. */
  stub?: boolean;
}

/** {@link Retention} in ms. */
export interface StoredRetention {
  readonly succeeded: number | null;
  readonly failed: number | null;
  readonly stub: boolean;
}

export const OUTCOMES: OptionNames<Retention> = { succeeded: true, failed: true, stub: true };

/** What is left out of the retention of a plan is that of all plans. */
export function completed(own: StoredRetention | undefined, all: Retention): Retention {
  if (own === undefined) return all;
  const { succeeded, failed, stub } = own;
  return {
    ...all,
    ...(succeeded === null ? {} : { succeeded }),
    ...(failed === null ? {} : { failed }),
    stub: stub || all.stub === true,
  };
}

/** @throws InvalidPlanError (`INVALID_PLAN`) for an outcome that is not known, or a bad duration. */
export function storedRetention(retain: Retention): StoredRetention {
  const wrong = misgiven(retain, OUTCOMES, "retain");
  if (wrong !== null) throw new InvalidPlanError(wrong);
  const { succeeded, failed, stub = false } = retain;
  if (typeof stub !== "boolean")
    throw new InvalidPlanError(`retain.stub is ${inWords(stub)}; give true or false`);
  return {
    succeeded: succeeded === undefined ? null : milliseconds(succeeded, "retain.succeeded"),
    failed: failed === undefined ? null : milliseconds(failed, "retain.failed"),
    stub,
  };
}

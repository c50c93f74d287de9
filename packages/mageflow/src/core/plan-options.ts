import { type Duration, milliseconds } from "./duration.ts";
import { InvalidPlanError } from "./errors.ts";
import { inWords } from "./in-words.ts";
import { instant } from "./instant.ts";
import type { OptionNames } from "./known-options.ts";
import { A_LABEL, isLabel } from "./label.ts";
import { decode, encode, type Json } from "./payload.ts";
import type { Spec } from "./plan.ts";
import { type Retention, storedRetention } from "./retention.ts";

/** What can be set on a plan of any kind. */
export interface PlanOptions {
  /** Ready tasks of higher priority are taken first. Inherited by what is inside; default 0. */
  priority?: number;
  /** Wait before the start, from the moment it is its turn. */
  delay?: Duration;
  /** Earliest start, instead of a `delay`: a `Date`, or epoch milliseconds. */
  at?: Date | number;
  /** Adds a random part of this span to the start, drawn per signature. */
  stagger?: Duration;
  tags?: readonly string[];
  /** Plain data, handed to the task and inherited by what is inside. */
  metadata?: { readonly [key: string]: Json };
  /** How long it is kept once it has settled, as the root of a workflow. Default: for ever, or what `MageFlow` was told. */
  retain?: Retention;
}

export const PLAN_OPTIONS: OptionNames<PlanOptions> = {
  priority: true,
  delay: true,
  at: true,
  stagger: true,
  tags: true,
  metadata: true,
  retain: true,
};

/** {@link PlanOptions} as they are stored. */
export type StoredOptions = Pick<
  Spec,
  "priority" | "delay" | "at" | "stagger" | "tags" | "metadata" | "retain"
>;

/** @throws InvalidPlanError (`INVALID_PLAN`), PayloadError (`PAYLOAD`) for metadata that JSON cannot carry. */
export function storedOptions(options: PlanOptions): StoredOptions {
  const { priority = null, tags = [], metadata = {} } = options;
  if (priority !== null && !Number.isSafeInteger(priority)) {
    throw new InvalidPlanError(`priority is ${inWords(priority)}; give a whole number`);
  }
  if (!Array.isArray(tags)) throw new InvalidPlanError(`tags is ${inWords(tags)}; give an array of texts`);
  for (const tag of tags)
    if (!isLabel(tag)) throw new InvalidPlanError(`a tag must be ${A_LABEL}, not ${inWords(tag)}`);
  if (options.at !== undefined && options.delay !== undefined) {
    throw new InvalidPlanError("`at` and `delay` are both given; a start has one of them");
  }
  return {
    priority,
    delay: milliseconds(options.delay ?? 0, "delay"),
    at: options.at === undefined ? null : instant(options.at, "at"),
    stagger: milliseconds(options.stagger ?? 0, "stagger"),
    tags: [...tags],
    metadata: copied(metadata),
    ...(options.retain === undefined ? {} : { retain: storedRetention(options.retain) }),
  };
}

/** A plan is a value: what is done to the object later does not reach it. */
function copied(metadata: unknown): { readonly [key: string]: Json } {
  const copy = decode(encode(metadata, "metadata"));
  if (typeof copy === "object" && copy !== null && !Array.isArray(copy)) return copy;
  throw new InvalidPlanError(`metadata is ${inWords(metadata)}; give an object`);
}

import { type CheckInput, frontDoor } from "../core/door.ts";
import { InvalidPlanError } from "../core/errors.ts";
import { expand } from "../core/expand.ts";
import { depthOf } from "../core/ids.ts";
import { MAX_PAYLOAD_BYTES } from "../core/payload.ts";
import type { PlanNode } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { SpecBook } from "../core/spec-book.ts";
import { twinPlace, twinPrefix } from "../core/twin.ts";
import type { Batch } from "./batch.ts";

/** A plan that is to release what a task holds. Both are JSON texts. */
export interface Twin {
  readonly plan: string;
  readonly descriptor: string;
}

/**
 * Stores a twin of a task that runs. `check` refuses a descriptor that does not fit, or is null when all are taken.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`), ValidationError (`VALIDATION`); nothing has changed then.
 */
export function storeTwin(
  batch: Batch,
  owner: SignatureRecord,
  { plan, descriptor }: Twin,
  check: CheckInput | null,
): void {
  // As for other callbacks: what is stored of one goes into a text.
  if (plan.length > MAX_PAYLOAD_BYTES) {
    throw new InvalidPlanError(
      `a plan that "${owner.name}" registered to release something is ${plan.length} characters, more than ${MAX_PAYLOAD_BYTES}; start large plans from inside a small one`,
    );
  }
  const place = twinPlace(batch, owner, descriptor, check === null ? null : frontDoor(check));
  const book = new SpecBook(owner.rootId, twinPrefix(place));
  const records = [...expand(JSON.parse(plan) as PlanNode, place, book, depthOf(place.id))];
  for (const row of book.take()) batch.addSpec(row);
  for (const record of records) batch.insert(record);
  batch.tell(owner, { type: "attach", epoch: owner.epoch });
}

import { createHash } from "node:crypto";
import { canonical } from "../core/canonical.ts";
import { IdempotencyConflictError } from "../core/errors.ts";
import { decode, type Json } from "../core/payload.ts";
import type { Store } from "../ports/store.ts";
import type { Batch } from "./batch.ts";
import type { Submission } from "./submit.ts";

/** The name of the note among the steps of a root's first generation; no step of a task is called so. */
export const REQUEST = "\u0004asked for";

/**
 * What was asked for under an idempotency key, as far as it must be the same when the key is used again: the plan's kind, name and input.
 * What is inside it is not looked at, for the items of a swarm are read only once; nor are options, which an application may change from
 * release to release.
 */
export function requestDigest({ plan, message }: Pick<Submission, "plan" | "message">): string {
  const { kind, name } = plan.spec;
  const value = (text: string | null): Json => (text === null ? null : decode(text));
  const asked = { kind, name, bound: value(plan.bound), message: value(message) };
  return createHash("sha256").update(canonical(asked)).digest("hex");
}

/** Keeps it beside the root, since what the root itself says may be changed by edits and reruns. */
export function noteRequest(batch: Batch, id: string, digest: string): void {
  batch.extras.steps.push({ id, generation: 1, name: REQUEST, result: JSON.stringify(digest) });
}

/** @throws IdempotencyConflictError (`IDEMPOTENCY_CONFLICT`) when the root with the key was asked for as something else. */
export async function requireSameRequest(
  store: Store,
  { id, key }: { id: string; key: string },
  digest: string,
): Promise<void> {
  const noted = (await store.notes(id, 1)).steps.get(REQUEST);
  if (noted !== undefined && noted !== JSON.stringify(digest)) throw new IdempotencyConflictError(key, id);
}

import type { SignatureRecord } from "../core/record.ts";
import type { Store } from "../ports/store.ts";
import type { Batch } from "./batch.ts";

/** The name of the note among the steps; no step of a task is called so. */
export const UNCLEAN = "\u0003went on unclean";

/**
 * Notes of what was told to go on that code of it had not ended by itself, so that whoever resumes it once more in that generation hears the
 * same: its record does not tell any more how it had stopped.
 */
export function noteUnclean(batch: Batch, { id, origin, generation, stop }: SignatureRecord): void {
  // What still stops goes on when it has.
  const next = stop === null ? generation : generation + 1;
  batch.extras.steps.push({ id, generation: origin, name: UNCLEAN, result: String(next) });
}

/** Whether it went on in this generation although code of it had not ended by itself. */
export async function wentOnUnclean(store: Store, id: string): Promise<boolean> {
  const [record] = await store.get([id]);
  if (record === undefined) return false;
  const { steps } = await store.notes(id, record.origin);
  return steps.get(UNCLEAN) === String(record.generation);
}

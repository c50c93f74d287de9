import { isDeepStrictEqual } from "node:util";
import { StoreError } from "../core/errors.ts";
import type { SignatureRecord } from "../core/record.ts";
import { ancestry } from "./ancestry.ts";

/** What these stand below, each once. */
export function above(ids: readonly string[]): string[] {
  return [...new Set(ids.flatMap((id) => ancestry(id).slice(1)))];
}

/**
 * Whether two states of a signature tell the same to what stands below it. Its counters do not matter, which in a swarm change with every item
 * that ends, as long as it is not past its limit.
 */
export function tellsAlike(a: SignatureRecord, b: SignatureRecord): boolean {
  return (
    a.status === b.status &&
    a.generation === b.generation &&
    a.heldBy === b.heldBy &&
    a.bound === b.bound &&
    a.message === b.message &&
    a.family?.stopping === b.family?.stopping &&
    ((a.stop ?? a.deletion ?? a.lock ?? b.stop ?? b.deletion ?? b.lock) === null ||
      isDeepStrictEqual([a.stop, a.deletion, a.lock], [b.stop, b.deletion, b.lock]))
  );
}

/** What runs below something goes by what that is: it is not let run by what it was. */
export function isTaskBelow({ id, kind }: SignatureRecord, changed: ReadonlySet<string>): boolean {
  return kind === "task" && changed.size > 0 && above([id]).some((parent) => changed.has(parent));
}

/**
 * A tree that was removed while something in it was being locked: whoever asks again finds none of it. One whose records were
 * damaged is still there. `existing` gives those that are.
 *
 * @throws StoreError (`STORE_BUSY`)
 */
export async function requireAbove(
  missing: readonly string[],
  locked: Iterable<SignatureRecord>,
  existing: (ids: readonly string[]) => Promise<readonly string[]>,
): Promise<void> {
  if (missing.length === 0) return;
  const gone = new Set(missing);
  const below = [...locked].flatMap(({ id, parentId }) =>
    parentId !== null && gone.has(parentId) ? id : [],
  );
  if (below.length === 0) return;
  const left = new Set(await existing(below));
  for (const id of below)
    if (!left.has(id))
      throw new StoreError("STORE_BUSY", `"${id}" was removed while it was being locked; try again`);
}

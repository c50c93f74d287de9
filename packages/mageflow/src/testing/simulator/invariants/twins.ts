import type { SignatureRecord } from "../../../core/record.ts";
import { generationOf, isTwin, type SeenCommit, type Shadow } from "../shadow.ts";
import type { Invariant } from "./invariant.ts";

/**
 * I4 (twins): what a task registers to release what it holds is stored by the worker that holds the task, once for each descriptor in a
 * generation, behind everything that runs after it.
 */
export const twins: Invariant = {
  name: "I4 twins",
  check(shadow, commit, report) {
    for (const { before, now } of commit.changed) {
      if (before !== null || !isTwin(now)) continue;
      const owner = shadow.parent(now)!;
      if (!isHeld(shadow, owner, generationOf(now), commit))
        report(`${commit.by} stored ${now.id} for ${owner.id}, which it does not hold`);
      const others = shadow
        .callbacks(owner.id)
        .filter((each) => isTwin(each) && each !== now && generationOf(each) === generationOf(now));
      for (const other of others) if (other.message === now.message) report(`${now.id} is ${other.id} again`);
      const declared = shadow.spec(owner).callbacks.cleanup.length;
      const earlier = others.filter(({ slot }) => slot < now.slot);
      if (now.slot !== declared + earlier.length)
        report(`${now.id} stands behind ${declared} cleanups and ${earlier.length} twins`);
    }
  },
};

/** It is held when the writer held it at some moment of the commit: before it, or after what the commit did first. */
function isHeld(
  shadow: Shadow,
  owner: SignatureRecord,
  generation: number,
  { by, changed }: SeenCommit,
): boolean {
  const before = changed.find(({ now }) => now === owner)?.before ?? owner;
  return [before, owner].some(
    (record) =>
      record.generation === generation &&
      record.workerId !== null &&
      shadow.sessions.get(record.workerId) === by,
  );
}

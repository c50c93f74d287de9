import type { SignatureRecord } from "../../../core/record.ts";
import { hasEnded, type Shadow } from "../shadow.ts";
import type { Invariant } from "./invariant.ts";

/** I4: cleanups run one after the other, last registered first, after the outcome and after those inside have ended. */
export const cleanups: Invariant = {
  name: "I4 cleanups",
  check(shadow, { changed }, report) {
    for (const { before, now } of changed) {
      if (now.role !== "cleanup" && now.role !== "itemCleanup") continue;
      const started = now.status !== "PENDING" && now.status !== "SUSPENDED" && now.status !== "SKIPPED";
      if (!started || (before !== null && before.status !== "PENDING")) continue;
      const owner = shadow.parent(now)!;
      if (!hasEnded(owner)) report(`${now.id} started before ${owner.id} had ended`);
      for (const other of shadow.callbacks(owner.id)) {
        if (turn(other) > turn(now) && !hasEnded(other))
          report(`${now.id} started before ${other.id} had ended`);
      }
      for (const child of shadow.children(owner.id)) {
        const dirty = uncleaned(shadow, child);
        if (dirty !== null) report(`${now.id} started before the inner cleanup ${dirty.id} had ended`);
      }
    }
  },
  end(shadow, report) {
    for (const record of shadow.records.values()) {
      if (record.role.endsWith("leanup") && !hasEnded(record)) report(`the cleanup ${record.id} never ran`);
    }
  },
};

/** Higher goes first: own cleanups before those that the swarm declares for its items, last registered first. */
function turn({ role, slot }: SignatureRecord): number {
  if (role === "cleanup") return 1_000 + slot;
  return role === "itemCleanup" ? slot : -1;
}

/** A cleanup of this signature, or of anything inside it, that has not ended. */
function uncleaned(shadow: Shadow, record: SignatureRecord): SignatureRecord | null {
  for (const callback of shadow.callbacks(record.id)) {
    if (turn(callback) >= 0 && !hasEnded(callback)) return callback;
  }
  for (const child of shadow.children(record.id)) {
    const inner = uncleaned(shadow, child);
    if (inner !== null) return inner;
  }
  return null;
}

import type { SignatureRecord } from "../../../core/record.ts";
import { generationOf, hasEnded, type Shadow } from "../shadow.ts";
import type { Invariant } from "./invariant.ts";

/**
 * I4: cleanups run one after the other, last registered first, after their owner has come to its end or was stopped, and after those
 * inside have ended.
 */
export const cleanups: Invariant = {
  name: "I4 cleanups",
  check(shadow, { changed }, report) {
    for (const { before, now } of changed) {
      if (!isCleanup(now) || !hasStarted(now)) continue;
      if (before !== null && before.status !== "PENDING") continue;
      const owner = shadow.parent(now)!;
      if (!hasEnded(owner) && owner.status !== "INTERRUPTED")
        report(`${now.id} started before ${owner.id} had ended`);
      for (const other of shadow.callbacks(owner.id)) {
        const before = generationOf(other) === generationOf(now) && turn(other) > turn(now);
        if (before && !hasEnded(other)) report(`${now.id} started before ${other.id} had ended`);
      }
      // What has not begun itself has nothing inside that it would wait for.
      if (owner.startedAt === null) continue;
      for (const child of shadow.children(owner.id)) {
        const dirty = uncleaned(shadow, child);
        if (dirty !== null) report(`${now.id} started before the inner cleanup ${dirty.id} had ended`);
      }
    }
  },
  end(shadow, report) {
    for (const record of shadow.records.values()) {
      if (isCleanup(record) && !hasEnded(record)) report(`the cleanup ${record.id} never ran`);
    }
  },
};

function isCleanup({ role }: SignatureRecord): boolean {
  return role === "cleanup" || role === "itemCleanup";
}

function hasStarted({ status }: SignatureRecord): boolean {
  return (
    status === "READY" ||
    status === "RUNNING" ||
    status === "WAITING" ||
    status === "SUCCEEDED" ||
    status === "FAILED"
  );
}

/** Higher goes first: own cleanups before those that the swarm declares for its items, last registered first. */
function turn({ role, slot }: SignatureRecord): number {
  if (role === "cleanup") return 1_000 + slot;
  return role === "itemCleanup" ? slot : -1;
}

/** A cleanup of this signature, or of anything inside it, that has not ended; what never began and was stopped by itself counts for itself. */
function uncleaned(shadow: Shadow, record: SignatureRecord): SignatureRecord | null {
  if (record.startedAt === null) return null;
  for (const callback of shadow.callbacks(record.id)) {
    if (turn(callback) >= 0 && !hasEnded(callback)) return callback;
  }
  for (const child of shadow.children(record.id)) {
    const inner = uncleaned(shadow, child);
    if (inner !== null) return inner;
  }
  return null;
}

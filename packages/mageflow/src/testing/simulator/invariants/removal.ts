import { standsInCleanup } from "../../../core/ids.ts";
import { isCancelled } from "../../../core/record.ts";
import { hasEnded, type Shadow } from "../shadow.ts";
import type { Invariant } from "./invariant.ts";

/**
 * I10: a workflow is removed when it is marked, when its time has come, in the life that was marked, and when nothing of it is open or
 * nothing of it has begun, or nothing but cleanups of something cancelled, which somebody has given up. It leaves a tombstone, nothing is written to it after that, and what was cancelled is removed in the end.
 */
export const removal: Invariant = {
  name: "I10 removal",
  check(shadow, { condemned, changed, now, writes }, report) {
    for (const root of condemned) {
      const { id, deletion, generation, milestone, stop, startedAt, status } = root;
      if (deletion === null) {
        report(`${id} was removed and is not marked`);
        continue;
      }
      if (deletion.purgeAt > now) report(`${id} was removed ${deletion.purgeAt - now} ms too early`);
      if (deletion.generation !== generation)
        report(`${id} was marked in generation ${deletion.generation} and removed in ${generation}`);
      if (!deletion.purged) report(`${id} was removed and does not say so`);
      const settled = milestone === 3 || stop?.done === true;
      const untouched = startedAt === null && status !== "RUNNING" && stop === null;
      const abandoned = isCancelled(root) && timesTold(shadow, "purge", id) > 0;
      if (!settled && !untouched && !abandoned) report(`${id} was removed while it was ${status}`);
      const inside = shadow.removed.values().filter((record) => record.rootId === id);
      for (const { id: inner, kind, status: at } of inside) {
        const given = abandoned && standsInCleanup(inner, id);
        if (kind === "task" && at === "RUNNING" && !given) report(`${id} was removed while ${inner} ran`);
      }
      if (!shadow.tombstones.has(id)) report(`${id} was removed without a tombstone`);
      if (stop?.verb === "cancel") {
        const told = timesTold(shadow, "cancel", id);
        if (told !== 1) report(`the audit trail tells ${told} times that ${id} was cancelled`);
      }
    }
    const gone = new Set(condemned.map(({ id }) => id));
    for (const { now: record } of changed) {
      if (shadow.removed.has(record.id) && !gone.has(record.rootId))
        report(`${record.id} was written to after it was removed`);
      if (gone.has(record.rootId) && record.status === "RUNNING" && record.kind === "task")
        report(`${record.id} began in the commit that removed it`);
    }
    for (const { audit = [] } of writes) {
      for (const row of audit) {
        const before = shadow.audit[row.seq - 2];
        if (shadow.audit[row.seq - 1] !== row || (before?.hash ?? "0".repeat(64)) !== row.previousHash)
          report(`row ${row.seq} of the audit trail does not follow the one before`);
      }
    }
  },
  end(shadow, report) {
    for (const record of shadow.records.values()) {
      if (record.role !== "root") continue;
      if (record.stop?.verb === "cancel") report(`${record.id} was cancelled and is still there`);
      if (hasEnded(record) && record.deletion?.purged === true)
        report(`${record.id} says that it was removed`);
    }
  },
};

/** How often the audit trail tells of it. */
function timesTold(shadow: Shadow, deed: string, id: string): number {
  return shadow.audit.filter(({ action, target }) => action === deed && target === id).length;
}

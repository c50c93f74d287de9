import type { Changes, Transaction } from "../ports/store.ts";

/** A transaction that tells of each write before it makes it, and waits for `telling` behind it. */
export function notedWrites(tx: Transaction, telling: (changes: Changes) => Promise<void>): Transaction {
  return {
    now: tx.now,
    lock: (ids, options) => tx.lock(ids, options),
    read: (ids) => tx.read(ids),
    specs: (refs) => tx.specs(refs),
    byKey: (key) => tx.byKey(key),
    itemsByKey: (parentId, keys) => tx.itemsByKey(parentId, keys),
    window: (query) => tx.window(query),
    ready: (demand) => tx.ready(demand),
    due: (limit) => tx.due(limit),
    lapsed: (limit) => tx.lapsed(limit),
    alive: (workerId) => tx.alive(workerId),
    heldByWorker: (workerId, limit) => tx.heldByWorker(workerId, limit),
    owing: (parentId, limit) => tx.owing(parentId, limit),
    owed: (limit) => tx.owed(limit),
    sweeping: (limit) => tx.sweeping(limit),
    awaited: (ids) => tx.awaited(ids),
    tally: (parentId, statuses) => tx.tally(parentId, statuses),
    purgeable: (limit) => tx.purgeable(limit),
    underWayIn: (rootId, limit) => tx.underWayIn(rootId, limit),
    lastAudit: () => tx.lastAudit(),
    lastStart: () => tx.lastStart(),
    ticket: (token) => tx.ticket(token),
    abandoned: (before, limit) => tx.abandoned(before, limit),
    discard: (rootId, limit) => tx.discard(rootId, limit),
    async write(changes) {
      const told = telling(changes);
      await tx.write(changes);
      await told;
    },
  };
}

import { describe } from "vitest";
import { awaitedCases } from "./cases/awaited.ts";
import { byKeyCases } from "./cases/by-key.ts";
import { childrenCases } from "./cases/children.ts";
import { condemnCases } from "./cases/condemn.ts";
import { damageCases } from "./cases/damage.ts";
import { differentialCases } from "./cases/differential.ts";
import { draftsCases } from "./cases/drafts.ts";
import { dueCases } from "./cases/due.ts";
import { getCases } from "./cases/get.ts";
import { holdersCases } from "./cases/holders.ts";
import { journalCases } from "./cases/journal.ts";
import { listCases } from "./cases/list.ts";
import { listThroughCases } from "./cases/list-through.ts";
import { lockCases } from "./cases/lock.ts";
import { logsCases } from "./cases/logs.ts";
import { notesCases } from "./cases/notes.ts";
import { openCloseCases } from "./cases/open-close.ts";
import { owingCases } from "./cases/owing.ts";
import { purgeableCases } from "./cases/purgeable.ts";
import { readyCases } from "./cases/ready.ts";
import { auditCases } from "./cases/audit.ts";
import { tombstoneCases } from "./cases/tombstone.ts";
import { reportsCases } from "./cases/reports.ts";
import { scanCases } from "./cases/scan.ts";
import { specsCases } from "./cases/specs.ts";
import { stalledCases } from "./cases/stalled.ts";
import { stopsCases } from "./cases/stops.ts";
import { straysCases } from "./cases/strays.ts";
import { tallyCases } from "./cases/tally.ts";
import { textsCases } from "./cases/texts.ts";
import { ticketCases } from "./cases/ticket.ts";
import { transactCases } from "./cases/transact.ts";
import { underWayInCases } from "./cases/under-way-in.ts";
import { unreadableCases } from "./cases/unreadable.ts";
import { unsettledCases } from "./cases/unsettled.ts";
import { watchCases } from "./cases/watch.ts";
import { windowCases } from "./cases/window.ts";
import { windowBesideCases } from "./cases/window-beside.ts";
import { windowToStopCases } from "./cases/window-to-stop.ts";
import { workersCases } from "./cases/workers.ts";
import { writeCases } from "./cases/write.ts";
import type { StoreHarness } from "./harness.ts";

/**
 * Runs the conformance suite of the store port on one store; to be called at the top of a vitest file. A bug found in one
 * store becomes a case here, for all.
 *
 * @example
 * storeSuite({
 *   name: "memory",
 *   create: async () => {
 *     const store = memoryStore();
 *     await store.open();
 *     return store;
 *   },
 *   destroy: (store) => store.close(),
 * });
 */
export function storeSuite(harness: StoreHarness): void {
  describe(`store suite: ${harness.name}`, () => {
    openCloseCases(harness);
    transactCases(harness);
    getCases(harness);
    lockCases(harness);
    byKeyCases(harness);
    specsCases(harness);
    childrenCases(harness);
    tallyCases(harness);
    listCases(harness);
    listThroughCases(harness);
    scanCases(harness);
    journalCases(harness);
    logsCases(harness);
    notesCases(harness);
    readyCases(harness);
    dueCases(harness);
    windowCases(harness);
    windowToStopCases(harness);
    windowBesideCases(harness);
    workersCases(harness);
    owingCases(harness);
    straysCases(harness);
    stalledCases(harness);
    holdersCases(harness);
    unsettledCases(harness);
    awaitedCases(harness);
    stopsCases(harness);
    purgeableCases(harness);
    underWayInCases(harness);
    draftsCases(harness);
    condemnCases(harness);
    reportsCases(harness);
    auditCases(harness);
    tombstoneCases(harness);
    ticketCases(harness);
    damageCases(harness);
    unreadableCases(harness);
    watchCases(harness);
    writeCases(harness);
    textsCases(harness);
    differentialCases(harness);
  });
}

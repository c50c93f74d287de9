import { standsInCleanup } from "../../../core/ids.ts";
import { isCancelled } from "../../../core/record.ts";
import type { Invariant } from "./invariant.ts";

/** While a signature is locked, nobody but its holder, who does nothing here, changes what becomes of it, and it does not begin. */
export const locks: Invariant = {
  name: "locks",
  check(shadow, { changed, now: at }, report) {
    for (const { before, now } of changed) {
      const lock = before?.lock ?? null;
      if (lock === null || lock.until <= at || now.lock === null) continue;
      const begins = now.status === "RUNNING" && before!.status !== "RUNNING" && before!.prior !== "RUNNING";
      if (begins) report(`${now.id} began although it is locked`);
      const ordered = now.stop !== null && now.stop.by === null && before!.stop === null;
      // Who holds a part does not hold its workflow, whose cleanups are given up when it was cancelled.
      const givenUp = isCancelled(shadow.get(now.rootId)) && standsInCleanup(now.id, now.rootId);
      if (ordered && !givenUp) report(`${now.id} was told to stop although it is locked`);
      if (now.status === "SUSPENDED" && before!.status !== "SUSPENDED")
        report(`${now.id} was suspended although it is locked`);
      // What settles is marked by itself.
      const { deletion } = now;
      const marked = deletion?.action !== before!.deletion?.action;
      if (marked && (deletion === null || deletion.action === "delete"))
        report(`the mark of ${now.id} changed although it is locked`);
    }
  },
};

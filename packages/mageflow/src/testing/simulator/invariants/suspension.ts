import type { Invariant } from "./invariant.ts";

/** I8: while a signature is suspended nothing inside it begins. */
export const suspension: Invariant = {
  name: "I8 suspension",
  check(shadow, { changed }, report) {
    for (const { before, now } of changed) {
      if (
        before?.status === "SUSPENDED" &&
        now.status !== "SUSPENDED" &&
        now.status !== "SKIPPED" &&
        now.stop === null &&
        !shadow.resumed.has(now.id)
      ) {
        report(`${now.id} left its suspension for ${now.status}, nobody resumed it`);
      }
      const begins = now.status === "RUNNING" && before?.status !== "RUNNING" && before?.prior !== "RUNNING";
      if (!begins) continue;
      for (let above = shadow.parent(now); above !== null; above = shadow.parent(above)) {
        if (above.status === "SUSPENDED") report(`${now.id} began although ${above.id} is suspended`);
      }
    }
  },
};

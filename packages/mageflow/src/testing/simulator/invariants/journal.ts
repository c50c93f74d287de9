import type { Invariant } from "./invariant.ts";

const TOLD = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  SKIPPED: "skipped",
  RUNNING: "started",
  READY: "ready",
  INTERRUPTED: "interrupted",
  CANCELLED: "cancelled",
} as const;

/** I13 (content): every end and every start of a task is told once, in its commit. Gaps are looked for at the end, in the store. */
export const journal: Invariant = {
  name: "I13 journal",
  check(_shadow, { changed, writes }, report) {
    const told = new Map<string, number>();
    for (const { journal: journals = new Map() } of writes) {
      for (const entries of journals.values()) {
        for (const { id, type } of entries) told.set(`${id} ${type}`, (told.get(`${id} ${type}`) ?? 0) + 1);
      }
    }
    for (const { before, now } of changed) {
      if (before?.status === now.status || !(now.status in TOLD)) continue;
      if (now.status === "RUNNING" && before?.status === "SUSPENDED") continue;
      const type = TOLD[now.status as keyof typeof TOLD];
      const times = told.get(`${now.id} ${type}`) ?? 0;
      if (times !== 1)
        report(`${now.id} became ${now.status} and the journal tells "${type}" ${times} times`);
    }
  },
  end(shadow, report) {
    for (const [rootId, entries] of shadow.journals) {
      // What is cancelled may have been interrupted before, in the same generation.
      if (shadow.removed.has(rootId)) continue;
      const outcomes = new Map<string, number>();
      for (const { id, type, generation } of entries) {
        if (type === "settled" || type === "succeeded" || type === "failed" || type === "skipped") {
          const key = `${type === "settled" ? `${id} settled` : `${id} outcome`} in generation ${generation}`;
          outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
        }
      }
      for (const [key, times] of outcomes)
        if (times > 1) report(`the journal of ${rootId} tells ${key} ${times} times`);
    }
  },
};

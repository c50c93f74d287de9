import type { SwarmSpec } from "../../../core/plan.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { generationOf, isAhead, type Shadow } from "../shadow.ts";
import type { Invariant, Report } from "./invariant.ts";

const ENDED = 1;
const SETTLED = 3;

/**
 * I5: the counters of a family equal a recount at every commit, where a child counts with the milestone that its parent
 * has been credited with; and a swarm never has more items under way than its concurrency.
 */
export const counters: Invariant = {
  name: "I5 counters",
  check(shadow, { changed }, report) {
    const touched = new Set<string>();
    for (const { now } of changed) {
      touched.add(now.id);
      if (now.parentId !== null) touched.add(now.parentId);
    }
    for (const id of touched) {
      const record = shadow.records.get(id);
      if (record !== undefined) recount(shadow, record, report);
    }
  },
  end(shadow, report) {
    for (const record of shadow.records.values()) recount(shadow, record, report);
  },
};

function recount(shadow: Shadow, record: SignatureRecord, report: Report): void {
  const { family } = record;
  if (family === null) {
    // What begins again has forgotten the callbacks of the lives before.
    const forgot = record.kind === "task" && record.origin > 1;
    if (shadow.family.has(record.id) && !forgot) report(`${record.id} has a family and no counters`);
    return;
  }
  // What is cancelled counts nothing any more but what it waits for.
  if (isAhead(record) || record.status === "CANCELLED") return halting(shadow, record, report);
  const children = shadow.children(record.id);
  const callbacks = shadow.callbacks(record.id);
  const cleanups = callbacks.filter(
    (each) =>
      (each.role === "cleanup" || each.role === "itemCleanup") && generationOf(each) === record.generation,
  );
  const credited = children.filter((child) => child.credited >= ENDED);
  const expected = {
    total: children.length,
    unsettled: [...children, ...callbacks].filter((each) => each.credited < SETTLED).length,
    uncleaned: children.filter((child) => child.credited === ENDED).length,
    cleanups: cleanups.length,
    cleanupsEnded: cleanups.filter((each) => each.credited >= ENDED).length,
    cleanupsFailed: cleanups.filter((each) => each.credited >= ENDED && each.status === "FAILED").length,
    succeeded: credited.filter(({ status }) => status === "SUCCEEDED").length,
    failed: credited.filter(({ status }) => status === "FAILED").length,
    skipped: credited.filter(({ status }) => status === "SKIPPED").length,
  };
  for (const [name, count] of Object.entries(expected)) {
    const kept = family[name as keyof typeof expected];
    if (kept !== count) report(`${record.id} (${record.status}) counts ${kept} ${name}, there are ${count}`);
  }
  halting(shadow, record, report);
  if (record.kind === "swarm") width(shadow, record, children, report);
}

/** Whom it has told to stop, by the order that it has itself or because it is past its limit of failures, and has not heard of. */
function halting(shadow: Shadow, record: SignatureRecord, report: Report): void {
  const { stop, family } = record;
  const limited = stop === null && family!.stopping;
  const verb = limited ? "interrupt" : stop?.done === false ? stop.verb : null;
  const told = [...shadow.children(record.id), ...shadow.callbacks(record.id)].filter(
    (each) => each.stop?.by === record.id && each.stop.verb === verb && !each.stop.done,
  );
  const kept = family!.halting;
  if (kept !== told.length)
    report(`${record.id} (${record.status}) waits for ${kept} to stop, there are ${told.length}`);
}

function width(
  shadow: Shadow,
  swarm: SignatureRecord,
  items: readonly SignatureRecord[],
  report: Report,
): void {
  const active = items.filter((item) => item.readyAt !== null && item.credited < ENDED).length;
  if (swarm.family!.active !== active)
    report(`${swarm.id} counts ${swarm.family!.active} active, there are ${active}`);
  const { concurrency, maxTasks } = shadow.spec(swarm) as SwarmSpec;
  const under = items.filter(
    ({ status, prior }) =>
      status === "READY" || status === "RUNNING" || status === "WAITING" || prior === "RUNNING",
  );
  if (concurrency !== null && under.length > concurrency) {
    report(`${swarm.id} has ${under.length} items under way, its concurrency is ${concurrency}`);
  }
  if (maxTasks !== null && items.length > maxTasks)
    report(`${swarm.id} has ${items.length} items, more than ${maxTasks}`);
}

import { awaitsReset } from "./generation.ts";
import { callbackId, isCallback, isCleanup } from "./ids.ts";
import type { SwarmSpec } from "./plan.ts";
import { MILESTONE, type SignatureRecord } from "./record.ts";
import { isEnded } from "./status.ts";
import type { View } from "./view.ts";

/**
 * What must hold of records at any time: their counters agree with what they count, one by one.
 *
 * @throws Error that names what does not.
 */
export function audit(view: View, records: readonly SignatureRecord[]): void {
  const families = new Map<string, SignatureRecord[]>();
  for (const record of records) {
    if (record.parentId === null) continue;
    const family = families.get(record.parentId);
    if (family === undefined) families.set(record.parentId, [record]);
    else family.push(record);
  }
  for (const record of records) auditOne(view, record, families.get(record.id) ?? []);
}

function auditOne(view: View, record: SignatureRecord, all: readonly SignatureRecord[]): void {
  const agree = <T extends string | number | boolean>(what: string, counted: T, found: T): void => {
    if (counted !== found)
      throw new Error(`${record.id} (${record.status}) says ${what} ${counted}, it is ${found}`);
  };
  // Its counters are ahead of its children.
  const ahead = awaitsReset(record) && (!isEnded(record.status) || record.sweep === "reset");
  const family = ahead || record.status === "CANCELLED" ? null : record.family;
  const members = all.filter((child) => !isCallback(child.role));
  // Callbacks of this generation; those of earlier ones have ended.
  const own = all.filter(
    (child) =>
      isCallback(child.role) && child.id === callbackId(record.id, child.role, child.slot, record.generation),
  );
  if (family !== null) {
    const ended = members.filter((child) => child.credited > MILESTONE.OPEN);
    agree("total", family.total, members.length);
    agree("unsettled", family.unsettled, all.filter((child) => child.credited < MILESTONE.SETTLED).length);
    agree(
      "uncleaned",
      family.uncleaned,
      members.filter((child) => child.credited === MILESTONE.ENDED).length,
    );
    for (const [what, status] of [
      ["succeeded", "SUCCEEDED"],
      ["failed", "FAILED"],
      ["skipped", "SKIPPED"],
    ] as const) {
      agree(what, family[what], ended.filter((child) => child.status === status).length);
    }
    const cleanups = own.filter((child) => isCleanup(child.role));
    const told = [...members, ...own.filter((child) => !isCleanup(child.role))];
    agree("halting", family.halting, told.filter((child) => isHalting(child, record)).length);
    agree("cleanups", family.cleanups, cleanups.length);
    const done = cleanups.filter((child) => child.credited > MILESTONE.OPEN);
    agree("cleanupsEnded", family.cleanupsEnded, done.length);
    agree("cleanupsFailed", family.cleanupsFailed, done.filter((child) => child.status === "FAILED").length);
    if (record.kind === "swarm") {
      const started = members.filter((child) => child.readyAt !== null && child.credited === MILESTONE.OPEN);
      agree("active", family.active, started.length);
      const { concurrency } = view.spec(record) as SwarmSpec;
      if (concurrency !== null && family.active > concurrency) {
        throw new Error(
          `${record.id} has ${family.active} active items, more than its concurrency ${concurrency}`,
        );
      }
    }
  }
  if (record.milestone > MILESTONE.OPEN) agree("a milestone, ended", true, isEnded(record.status));
  if (record.milestone === MILESTONE.SETTLED) {
    for (const child of all)
      agree(`settled, with ${child.id} settled`, true, child.milestone === MILESTONE.SETTLED);
  }
  if (record.status === "SKIPPED") agree("callbacks of what was never reached", 0, own.length);
  for (const child of own) {
    if (child.role === "success" || child.role === "itemSuccess")
      agree(`its outcome for ${child.id}`, record.status, "SUCCEEDED");
    if (child.role === "error" || child.role === "itemError")
      agree(`its outcome for ${child.id}`, record.status, "FAILED");
    if (isCallback(child.role) && child.status === "SKIPPED")
      throw new Error(`callback ${child.id} was skipped`);
  }
}

/**
 * What was told to stop on behalf of its container or owner, and has not reported: by the order that this one has, or by the limit of
 * failures that this one is past.
 */
function isHalting({ stop }: SignatureRecord, by: SignatureRecord): boolean {
  if (stop?.by !== by.id || stop.done) return false;
  if (by.stop === null) return by.family?.stopping === true;
  return stop.verb === by.stop.verb && !by.stop.done;
}

import type { Lock, SignatureRecord } from "../core/record.ts";
import type { Report } from "./verify-signature.ts";

/** What the values of one record must be, whatever stands around it. Only a hand in the store makes them otherwise. */
export function checkValues(record: SignatureRecord, breach: Report): void {
  checkCounts(record, breach);
  for (const field of INSTANTS) {
    const at = record[field];
    if (at !== null && !Number.isSafeInteger(at)) breach("RECORD", `its ${field} is no instant: ${clip(at)}`);
  }
  const { deletion, lock, priority, tags } = record;
  if (!Number.isFinite(priority)) breach("RECORD", `its priority is no number: ${clip(priority)}`);
  if (deletion !== null && !(areInstants(deletion.markedAt, deletion.purgeAt) && isText(deletion.by)))
    breach("I10", "its mark of deletion does not say by whom, since when or until when");
  if (lock !== null && !isLock(lock)) breach("RECORD", "its lock does not say by whom or until when");
  if (!Array.isArray(tags) || !tags.every(isText)) breach("RECORD", "its tags are not a list of texts");
}

const INSTANTS = ["createdAt", "startedAt", "finishedAt", "readyAt", "dueAt", "deadlineAt"] as const;

/** A worker's claim begins an attempt, and a recovery follows one; a retry is counted before its claim. */
function checkCounts({ attempt, epoch, recoveries }: SignatureRecord, breach: Report): void {
  for (const [name, count] of Object.entries({ attempt, epoch, recoveries })) {
    if (!Number.isSafeInteger(count) || count < 0) breach("RECORD", `its ${name} is ${clip(count)}`);
  }
  if (attempt > epoch + 1 || (attempt > 0 && epoch === 0))
    breach("I7", `it is in attempt ${attempt}, but in epoch ${epoch}`);
  if (recoveries > epoch) breach("I7", `it was recovered ${recoveries} times, but is in epoch ${epoch}`);
}

/** Clocks are set back now and then: that alone is no breach. */
export function endsBeforeItStarts({ startedAt, finishedAt }: SignatureRecord): boolean {
  return startedAt !== null && finishedAt !== null && finishedAt < startedAt;
}

function isLock({ held, inside, purgeAt }: Lock): boolean {
  if (!Array.isArray(inside) || !(purgeAt === null || areInstants(purgeAt))) return false;
  const locks = held === null ? inside : [held, ...inside];
  return locks.every(({ token, by, until }) => areInstants(until) && isText(token) && isText(by));
}

function areInstants(...values: unknown[]): boolean {
  return values.every(Number.isSafeInteger);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function clip(value: unknown): string {
  return String(value).slice(0, 80);
}

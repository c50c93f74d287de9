import { MILESTONE, type SignatureRecord } from "../core/record.ts";

/** True for what the defaults of the table describe. */
export function isPlain(record: SignatureRecord): boolean {
  return (
    record.status === "PENDING" &&
    record.prior === null &&
    record.heldBy === null &&
    record.generation === 1 &&
    record.origin === 1 &&
    record.attempt === 0 &&
    record.epoch === 0 &&
    record.recoveries === 0 &&
    record.readyAt === null &&
    record.dueAt === null &&
    record.deadlineAt === null &&
    record.workerId === null &&
    record.message === null &&
    record.result === null &&
    record.error === null &&
    record.family === null &&
    record.sweep === null &&
    record.stop === null &&
    record.deletion === null &&
    record.lock === null &&
    record.milestone === MILESTONE.OPEN &&
    record.credited === MILESTONE.OPEN &&
    record.tags.length === 0 &&
    record.startedAt === null &&
    record.finishedAt === null
  );
}

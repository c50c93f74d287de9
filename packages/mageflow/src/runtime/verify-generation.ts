import { isCallback, isCleanup } from "../core/ids.ts";
import { MILESTONE, type SignatureRecord } from "../core/record.ts";
import { isEnded } from "../core/status.ts";
import type { Report } from "./verify-signature.ts";

/** What the lives of a signature must satisfy, its own and that of what it follows or stands in. */

/** The generation of the owner that a callback's id tells of. */
export function generationIn(id: string): number {
  const match = /\.[a-zA-Z]+\d+g(\d+)$/.exec(id);
  return match === null ? 1 : Number(match[1]);
}

/**
 * True for a container that begins again and has not got to what is inside it: what has ended there belongs to the life before,
 * while its counters tell of this one.
 */
export function isAhead({ kind, origin, startedAt, sweep, status }: SignatureRecord): boolean {
  if (kind === "task" || origin === 1) return false;
  const hasEnded = status === "SUCCEEDED" || status === "FAILED" || status === "SKIPPED";
  return sweep === "reset" || (startedAt === null && !hasEnded);
}

/** True for a step or item that is still as the life before left it. */
export function isOfLifeBefore({ role, status }: SignatureRecord, parent: SignatureRecord): boolean {
  return !isCallback(role) && isEnded(status) && isAhead(parent);
}

export function checkGeneration(
  record: SignatureRecord,
  parent: SignatureRecord | undefined,
  breach: Report,
): void {
  const { role, kind, status, prior, generation, origin, startedAt } = record;
  if (origin < 1 || origin > generation)
    breach("I2", `it is in generation ${generation}, but goes on with generation ${origin}`);
  const waits = status === "PENDING" || status === "WAITING" || prior === "PENDING";
  if (kind !== "task" && waits && generation === 1 && startedAt !== null)
    breach("RECORD", `it is ${status} in its first generation, but has a start time`);
  if (isCallback(role)) {
    if (origin > 1) breach("I2", "it is a callback, but began again");
    if (parent !== undefined) checkFollowed(record, parent, breach);
  } else if (parent?.origin === 1 && origin > 1) {
    breach("I2", "it began again, but its container did not");
  }
}

/** A callback follows a life of its owner that came to its end, and what is not this life is over. */
function checkFollowed(
  { id, role, milestone }: SignatureRecord,
  { generation }: SignatureRecord,
  breach: Report,
): void {
  const followed = generationIn(id);
  const law = isCleanup(role) ? "I4" : "I3";
  if (followed > generation)
    breach(law, `it follows generation ${followed} of its owner, which is in generation ${generation}`);
  const over = isCleanup(role) ? milestone >= MILESTONE.ENDED : milestone === MILESTONE.SETTLED;
  if (followed < generation && !over)
    breach(law, `its owner has gone on to generation ${generation}, but it has not ended`);
}

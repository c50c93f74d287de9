import { LockedError } from "./errors.ts";
import type { Lock, SignatureRecord } from "./record.ts";

/** True while nobody but its holder changes the signature. */
export function isLocked({ lock }: SignatureRecord, now: number): boolean {
  return lock !== null && lock.until > now;
}

/** @throws LockedError (`LOCKED`) while somebody else holds it than whoever has this token. */
export function requireUnlocked(record: SignatureRecord, token: string | null, now: number): void {
  const { id, lock } = record;
  if (lock !== null && isLocked(record, now) && lock.token !== token)
    throw new LockedError(id, lock.by, lock.until);
}

/** A start that was to be now waits for the end of the lock. */
export function startAfterLock(record: SignatureRecord): SignatureRecord {
  const lock = { ...record.lock!, start: true };
  return { ...record, status: "WAITING", dueAt: lock.until, lock };
}

/** A removal that was to be now waits for the end of the lock. */
export function removeAfterLock(record: SignatureRecord): SignatureRecord {
  const lock = record.lock!;
  const deletion = record.deletion!;
  const purgeAt = lock.purgeAt ?? deletion.purgeAt;
  return { ...record, lock: { ...lock, purgeAt }, deletion: { ...deletion, purgeAt: lock.until } };
}

/** Gives a lock its holder's new end, or takes it away. What waits for its end waits for the new one, or no longer. */
export function relocked(
  record: SignatureRecord,
  next: Pick<Lock, "token" | "by" | "until"> | null,
  now: number,
): SignatureRecord {
  const { lock, status, deletion } = record;
  // Suspended meanwhile, it keeps its time.
  const waits = status === "WAITING" || status === "SUSPENDED" || status === "PENDING";
  const starts = lock?.start === true && waits && record.dueAt === lock.until;
  const purges = lock !== null && lock.purgeAt !== null && deletion?.purgeAt === lock.until;
  return {
    ...record,
    lock: next === null ? null : { ...next, start: starts, purgeAt: purges ? lock.purgeAt : null },
    dueAt: starts ? (next?.until ?? now) : record.dueAt,
    deletion: purges ? { ...deletion, purgeAt: next?.until ?? lock.purgeAt } : deletion,
  };
}

import { LockedError } from "./errors.ts";
import type { Held, Lock, SignatureRecord } from "./record.ts";
import { ancestors, type View } from "./view.ts";

/**
 * A lock keeps others from giving orders to a signature and to all that is inside it, at any depth, and to what it stands in, as far as that
 * would reach it. Work goes on: what runs ends, and what follows from that starts.
 */

/**
 * What an order to a signature changes: `tree` that and what is inside, `itself` nothing that anybody inside would notice. What takes a lock
 * away by force asks for none.
 */
export type Reach = "tree" | "itself" | "nothing";

/** Locks that are noted at one signature for what is inside it: an order looks at all of them, and each is a part of its record. */
export const MOST_INSIDE = 100;

/** True while a signature itself is locked: it does not start. */
export function isLocked({ lock }: SignatureRecord, now: number): boolean {
  const held = lock?.held ?? null;
  return held !== null && held.until > now;
}

/** True while a signature, or anything inside it, is locked: it is not removed. */
export function isGuarded({ lock }: SignatureRecord, now: number): boolean {
  return lock !== null && endOf(lock) > now;
}

/** What stands around a signature, and the time. */
type Surroundings = Pick<View, "now" | "get">;

/** The locks by which an order to a signature may be refused. */
export function* locksOn(
  view: Surroundings,
  record: SignatureRecord,
  reach: Reach,
): Generator<Held & { id: string }> {
  if (reach === "nothing") return;
  for (const at of [record, ...ancestors(view, record)]) {
    if (isLocked(at, view.now)) yield { ...at.lock!.held!, id: at.id };
  }
  if (reach === "tree") yield* liveInside(record.lock, view.now);
}

/** True while somebody else holds one of those locks than whoever has this token. */
export function isGuardedFrom(view: View, record: SignatureRecord, token: string | null): boolean {
  return locksOn(view, record, "tree").some((lock) => lock.token !== token);
}

/** @throws LockedError (`LOCKED`) while somebody else holds one of those locks than whoever has this token. */
export function requireUnlocked(
  view: View,
  record: SignatureRecord,
  token: string | null,
  reach: Reach = "tree",
): void {
  for (const lock of locksOn(view, record, reach)) {
    if (lock.token !== token) throw new LockedError(lock.id, lock.by, lock.until);
  }
}

/** A start that was to be now waits for the end of the lock. */
export function startAfterLock(record: SignatureRecord): SignatureRecord {
  const lock = record.lock!;
  const held = { ...lock.held!, start: true };
  return { ...record, status: "WAITING", dueAt: held.until, lock: { ...lock, held } };
}

/** A removal that was to be now waits for the end of all locks on the tree. */
export function removeAfterLock(record: SignatureRecord): SignatureRecord {
  const lock = record.lock!;
  const deletion = record.deletion!;
  const purgeAt = lock.purgeAt ?? deletion.purgeAt;
  return { ...record, lock: { ...lock, purgeAt }, deletion: { ...deletion, purgeAt: endOf(lock) } };
}

/** Gives a lock its holder's new end, or takes it away. What waits for its end waits for the new one, or no longer. */
export function relocked(record: SignatureRecord, next: Held | null, now: number): SignatureRecord {
  const { lock, status } = record;
  const held = lock?.held ?? null;
  // Suspended meanwhile, it keeps its time.
  const waits = status === "WAITING" || status === "SUSPENDED" || status === "PENDING";
  const starts = held?.start === true && waits && record.dueAt === held.until;
  return {
    ...withLocks(record, next === null ? null : { ...next, start: starts }, liveInside(lock, now)),
    dueAt: starts ? (next?.until ?? now) : record.dueAt,
  };
}

/**
 * Notes at `record` that something inside it is locked until then, or no longer.
 *
 * @throws LockedError (`LOCKED`) when so much inside is locked that it cannot note one more.
 */
export function notedInside(
  record: SignatureRecord,
  id: string,
  next: Held | null,
  now: number,
): SignatureRecord {
  const others = liveInside(record.lock, now).filter((lock) => lock.id !== id);
  if (next !== null && others.length >= MOST_INSIDE) {
    const first = others.reduce((one, other) => (other.until < one.until ? other : one));
    throw new LockedError(first.id, first.by, first.until);
  }
  const inside = next === null ? others : [...others, { ...next, id }];
  return withLocks(record, record.lock?.held ?? null, inside);
}

/** What waits to be removed waits for the end of these locks, or no longer. */
function withLocks(record: SignatureRecord, held: Lock["held"], inside: Lock["inside"]): SignatureRecord {
  const { lock, deletion } = record;
  const purgeAt = lock !== null && deletion?.purgeAt === endOf(lock) ? lock.purgeAt : null;
  const next: Lock | null = held === null && inside.length === 0 ? null : { held, inside, purgeAt };
  return {
    ...record,
    lock: next,
    deletion: purgeAt === null ? deletion : { ...deletion!, purgeAt: next === null ? purgeAt : endOf(next) },
  };
}

function liveInside(lock: Lock | null, now: number): Lock["inside"] {
  return (lock?.inside ?? []).filter(({ until }) => until > now);
}

/** When the last of them ends. */
function endOf({ held, inside }: Lock): number {
  return inside.reduce((end, { until }) => Math.max(end, until), held?.until ?? 0);
}

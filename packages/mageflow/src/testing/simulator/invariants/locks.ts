import { isLocked } from "../../../core/lock.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { OFF } from "../../../core/recovery.ts";
import type { Shadow } from "../shadow.ts";
import type { Invariant } from "./invariant.ts";

/**
 * While a signature is locked, nobody but its holder, who does nothing here, changes what becomes of it, of what is inside it and of what
 * it stands in, and it does not begin. What one commit locks or lets go may have been told something before or after that.
 */
export const locks: Invariant = {
  name: "locks",
  check(shadow, { changed, now: at }, report) {
    const before = new Map(changed.map((change) => [change.now.id, change.before]));
    const stays = (now: SignatureRecord): boolean => {
      const found = before.has(now.id) ? before.get(now.id)! : now;
      return found !== null && isLocked(found, at) && found.lock!.held!.token === now.lock?.held?.token;
    };
    for (const { before: was, now } of changed) {
      if (was === null) continue;
      const begins = now.status === "RUNNING" && was.status !== "RUNNING" && was.prior !== "RUNNING";
      if (begins && stays(now)) report(`${now.id} began although it is locked`);
      const locked = stays(now) ? now.id : (around(shadow, now, stays) ?? inside(was, now, at));
      if (locked === null) continue;
      const ordered = now.stop !== null && now.stop.by === null && was.stop === null;
      // What has lost its worker is parked by its rules.
      if (ordered && now.stop.reason !== OFF)
        report(`${now.id} was told to stop although ${locked} is locked`);
      if (now.status === "SUSPENDED" && was.status !== "SUSPENDED")
        report(`${now.id} was suspended although ${locked} is locked`);
      // What settles is marked by itself.
      const { deletion } = now;
      const marked = deletion?.action !== was.deletion?.action;
      if (marked && (deletion === null || deletion.action === "delete"))
        report(`the mark of ${now.id} changed although ${locked} is locked`);
    }
  },
};

function around(
  shadow: Shadow,
  record: SignatureRecord,
  stays: (record: SignatureRecord) => boolean,
): string | null {
  for (let above = shadow.parent(record); above !== null; above = shadow.parent(above))
    if (stays(above)) return above.id;
  return null;
}

function inside(was: SignatureRecord, now: SignatureRecord, at: number): string | null {
  const kept = new Set((now.lock?.inside ?? []).map(({ token }) => token));
  return (was.lock?.inside ?? []).find(({ until, token }) => until > at && kept.has(token))?.id ?? null;
}

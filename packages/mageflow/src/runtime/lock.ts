import { above } from "../core/ids.ts";
import { notedInside, relocked } from "../core/lock.ts";
import type { Held, SignatureRecord } from "../core/record.ts";
import { record as audit } from "./audit.ts";
import type { Batch } from "./batch.ts";
import { control } from "./control.ts";
import type { Runtime } from "./runtime.ts";

/** The right to be the only one who steers a signature and what is inside it, until it is released or expires. */
export interface RunLock extends AsyncDisposable {
  /** Epoch milliseconds by the store's clock. */
  readonly until: number;
  /** Who has it may do what the holder may: see `mage.get(id, { lock })`. */
  readonly token: string;
  /** Gives it back. Again, or when it has expired, is a no-op. */
  release(): Promise<void>;
}

/**
 * Locks a signature for `span` ms: nobody else steers, edits or deletes it, what is inside it, or, as far as that would reach it, what it
 * stands in, and it does not start meanwhile; what runs ends as it would. Its holder may lock it again to give it another end; it stays one
 * lock, which the first release ends.
 *
 * @throws LockedError (`LOCKED`) while somebody else holds any of these, NotFoundError (`NOT_FOUND`), GoneError (`GONE`).
 */
export async function lock(
  runtime: Runtime,
  {
    id,
    token,
    span,
    onHeld,
  }: { id: string; token: string | null; span: number; onHeld: (token: string | null) => void },
): Promise<RunLock> {
  const mine = token ?? runtime.newToken();
  const until = await control(runtime, {
    id,
    token,
    also: above(id),
    apply: (batch, record) => {
      const end = batch.now + span;
      hold(batch, record, { token: mine, by: runtime.actor, until: end });
      return end;
    },
  });
  onHeld(mine);
  const release = async (): Promise<void> => {
    await unlock(runtime, { id, token: mine, force: false, reason: null }).catch(() => {});
    onHeld(null);
  };
  return { until, token: mine, release, [Symbol.asyncDispose]: release };
}

/** Takes a lock away: that of whoever has the token, or with `force` whoever's it is, which the audit trail then tells. */
export async function unlock(
  runtime: Runtime,
  { id, token, force, reason }: { id: string; token: string | null; force: boolean; reason: string | null },
): Promise<void> {
  const { actor } = runtime;
  await control(runtime, {
    id,
    token,
    reach: force ? "nothing" : "itself",
    also: above(id),
    apply: async (batch, record) => {
      const held = record.lock?.held ?? null;
      if (held === null || (!force && held.token !== token)) return;
      hold(batch, record, null);
      if (held.token === token) return;
      const details = { by: held.by, until: held.until };
      await audit(batch, { actor, action: "unlock", target: id, reason, details });
    },
  });
}

/** Writes the lock into the signature, and notes it where an order comes by that would reach it. */
function hold(batch: Batch, record: SignatureRecord, held: Held | null): void {
  const { id, dueAt } = record;
  const around = above(id).flatMap((each) => batch.get(each) ?? []);
  // Whoever cannot note it throws, before anything has changed.
  const noted = around.map((at) => notedInside(at, id, held, batch.now));
  const now = relocked(record, held, batch.now);
  for (const each of [now, ...noted]) batch.put(each);
  if (held === null && now.dueAt !== dueAt) batch.send({ to: id, signal: { type: "due" } });
}

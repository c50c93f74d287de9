import { relocked } from "../core/lock.ts";
import { control } from "./control.ts";
import type { Runtime } from "./runtime.ts";

/** The right to be the only one who changes a signature, until it is released or expires. */
export interface RunLock extends AsyncDisposable {
  /** Epoch milliseconds by the store's clock. */
  readonly until: number;
  /** Gives it back. Again, or when it has expired, is a no-op. */
  release(): Promise<void>;
}

/**
 * Locks a signature for `span` ms: nobody else suspends, interrupts, edits, cancels, deletes or purges it, and it does not start
 * meanwhile; what runs ends as it would. Its holder may lock it again to give it another end; it stays one lock, which the first
 * release ends.
 *
 * @throws LockedError (`LOCKED`) while somebody else holds it, NotFoundError (`NOT_FOUND`), GoneError (`GONE`).
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
    apply: (batch, record) => {
      const end = batch.now + span;
      batch.put(relocked(record, { token: mine, by: runtime.actor, until: end }, batch.now));
      return end;
    },
  });
  onHeld(mine);
  const release = async (): Promise<void> => {
    await control(runtime, {
      id,
      token: mine,
      apply: (batch, record) => {
        if (record.lock?.token !== mine) return;
        const released = relocked(record, null, batch.now);
        batch.put(released);
        if (released.dueAt !== record.dueAt) batch.send({ to: id, signal: { type: "due" } });
      },
    }).catch(() => {});
    onHeld(null);
  };
  return { until, release, [Symbol.asyncDispose]: release };
}

import { abandoned } from "../core/deletion.ts";
import { GoneError, IllegalTransitionError, NotFoundError, WaitTimeoutError } from "../core/errors.ts";
import { cleanupAround, standsInCleanup } from "../core/ids.ts";
import { isCancelled, type SignatureRecord } from "../core/record.ts";
import { isEnded } from "../core/status.ts";
import type { Batch } from "./batch.ts";
import { control } from "./control.ts";
import { remove } from "./purger.ts";
import type { Runtime } from "./runtime.ts";
import { openParts } from "./what-is-open.ts";

/** What code of a cleanup has (ms) to end when it is given up. */
const GRACE_MS = 1_000;
/** What still runs then is fenced off by the next round of any process, within this time (ms). */
const FENCING_MS = 2_000;
/** So often cleanups are told that begin when others have been given up. What begins later finds that it is gone. */
const ROUNDS = 5;
const WINDOW = 500;

/**
 * Removes a workflow that was cancelled although its cleanups have not ended: because their code does not end, no worker knows their task,
 * or somebody has stopped them. Code of them that runs is told, and fenced off when it does not end; no other cleanup begins any more.
 *
 * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) while what was cancelled still has its grace, LockedError (`LOCKED`).
 */
export async function abandonCleanups(
  runtime: Runtime,
  root: SignatureRecord,
  { token, reason }: { token: string | null; reason: string | null },
): Promise<void> {
  const { store, waiters } = runtime;
  const { id } = root;
  const parts = (await openParts(store, root)).map((part) => ({ ...part }));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const running = await control(runtime, {
        id,
        token,
        apply: (batch, record) => stopCleanups(batch, record, { actor: runtime.actor, reason }),
      });
      if (running.length === 0) break;
      await Promise.all(
        running.map((one) =>
          waiters.until(one, ({ status }) => status !== "RUNNING", GRACE_MS + FENCING_MS).catch(unlessPassed),
        ),
      );
    }
    await control(runtime, {
      id,
      token,
      deed: { action: "purge", reason, details: { abandoned: parts } },
      apply: async (batch, record) => {
        await runningIn(batch, record);
        remove(batch, { ...abandoned(record, batch.now), lock: null });
      },
    });
  } catch (error) {
    // They have ended meanwhile.
    if (!(error instanceof GoneError && error.action === "cancel")) throw error;
  }
}

function unlessPassed(error: unknown): void {
  if (!(error instanceof WaitTimeoutError || error instanceof NotFoundError || error instanceof GoneError))
    throw error;
}

/** Tells the cleanups whose code runs to stop. Returns the tasks. */
async function stopCleanups(
  batch: Batch,
  root: SignatureRecord,
  { actor, reason }: { actor: string; reason: string | null },
): Promise<string[]> {
  const running = await runningIn(batch, root);
  const order = { type: "halt", verb: "interrupt", actor, reason, grace: GRACE_MS, by: null } as const;
  const around = new Set(running.map(({ id }) => cleanupAround(id)!));
  await batch.lock(around, { wait: true });
  for (const { id } of running) {
    const cleanup = batch.get(cleanupAround(id)!)!;
    // What follows a cleanup that has ended is told by itself.
    batch.tell(isEnded(cleanup.status) ? batch.get(id)! : cleanup, order);
  }
  return running.map(({ id }) => id);
}

/** The tasks of its cleanups whose code runs. */
async function runningIn(batch: Batch, root: SignatureRecord): Promise<SignatureRecord[]> {
  if (!isCancelled(root))
    throw new IllegalTransitionError(root.id, "purge", root.status, "it is not cancelled");
  const ids = (await batch.tx.underWayIn(root.id, WINDOW)).map(({ id }) => id);
  await batch.lock(ids, { wait: true });
  // This very transaction may have ended some.
  const running = ids.map((id) => batch.get(id)!).filter(({ status }) => status === "RUNNING");
  const stopping = running.find(({ id }) => !standsInCleanup(id, root.id));
  if (stopping === undefined) return running;
  const hint = `"${stopping.id}" has its grace to stop; wait for it, or confirm the cancellation again with a shorter one`;
  throw new IllegalTransitionError(root.id, "purge", root.status, hint);
}

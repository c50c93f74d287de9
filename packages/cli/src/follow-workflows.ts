import type { MageFlow, Run } from "mageflow";
import { pause } from "./pause.ts";

/** Time between two looks for new workflows (ms). */
const LOOK_MS = 1_000;
/** Workflows that are followed at once; each costs a read whenever something happens in the store. */
const MOST = 100;

/**
 * Follows the workflows of a store as long as they are open: those that come from their first event, those that are there from now on.
 * While more than {@link MOST} are open, it is the newest that are followed.
 */
export async function followWorkflows(
  mage: MageFlow,
  follow: (run: Run, since: number | null) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Set<string>();
  const followed = new Set<string>();
  let first = true;
  while (!signal.aborted) {
    try {
      const { items } = await mage.list({ limit: MOST });
      for (const { id, finishedAt } of items) {
        if (known.has(id) || followed.size >= MOST) continue;
        known.add(id);
        if (first && finishedAt !== null) continue;
        followed.add(id);
        void follow(await mage.get(id), first ? null : 0).finally(() => followed.delete(id));
      }
      const listed = new Set(items.map(({ id }) => id));
      for (const id of known) if (!listed.has(id) && !followed.has(id)) known.delete(id);
      first = false;
    } catch {
      // The store is busy, or a workflow was removed; the next look tells.
    }
    await pause(LOOK_MS, signal);
  }
}

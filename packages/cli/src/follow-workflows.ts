import type { MageFlow, Run } from "mageflow";
import { pause } from "./pause.ts";

/** Time between two looks for new workflows (ms). */
const LOOK_MS = 1_000;
/** Workflows that are followed at once; each costs a read whenever something happens in the store. */
const MOST = 100;

/**
 * Follows the workflows of a store as long as they are open: those that come from their first event, those that are there from now on.
 * While more than {@link MOST} are open, it is the newest that are followed. One that begins again or goes on after an interruption is
 * followed again, from behind the last event that `follow` says it has seen.
 */
export async function followWorkflows(
  mage: MageFlow,
  follow: (run: Run, since: number | null) => Promise<number | null>,
  signal: AbortSignal,
): Promise<void> {
  /** Generations that were looked at, by workflow. */
  const known = new Map<string, number>();
  const seen = new Map<string, number | null>();
  const followed = new Set<string>();
  let first = true;
  while (!signal.aborted) {
    try {
      const { items } = await mage.list({ limit: MOST });
      for (const { id, generation, finishedAt } of items) {
        if (known.get(id) === generation || followed.has(id) || followed.size >= MOST) continue;
        const since = first ? null : known.has(id) ? (seen.get(id) ?? null) : 0;
        known.set(id, generation);
        if (first && finishedAt !== null) continue;
        followed.add(id);
        void follow(await mage.get(id), since)
          .then((last) => seen.set(id, last))
          .finally(() => followed.delete(id));
      }
      const listed = new Set(items.map(({ id }) => id));
      for (const id of known.keys()) {
        if (listed.has(id) || followed.has(id)) continue;
        known.delete(id);
        seen.delete(id);
      }
      first = false;
    } catch {
      // The store is busy, or a workflow was removed; the next look tells.
    }
    await pause(LOOK_MS, signal);
  }
}

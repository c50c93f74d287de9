import type { SignatureRecord } from "../../packages/mageflow/src/core/record.ts";
import type { Store } from "../../packages/mageflow/src/ports/store.ts";
import {
  LONG_AGO,
  sampleItems,
  sampleSwarm,
} from "../../packages/mageflow/src/testing/store-suite/sample-record.ts";
import { sampleWorker } from "../../packages/mageflow/src/testing/store-suite/sample-worker.ts";

/** The swarm that everything is in, and the session that runs some of it. */
export const SWARM = "crowd";
export const WORKER = "worker";
/** So many of it are under way in each way. */
export const RUNNING = 1_000;
const CHUNK = 5_000;

/** Fills a store with a swarm: half of it has ended, a thousand items are ready, a thousand run, a thousand wait, and the rest is to come. */
export async function fill(store: Store, items: number): Promise<void> {
  const swarm = sampleSwarm(SWARM, { tags: ["crowd"] });
  await store.transact((tx) =>
    tx.write({
      insert: [swarm],
      specs: [{ rootId: SWARM, id: "0", body: "{}" }],
      workers: [sampleWorker(WORKER)],
    }),
  );
  const all = sampleItems(swarm, items).map((item) => ({ ...item, ...stateOf(item.slot, items) }));
  for (let at = 0; at < all.length; at += CHUNK)
    await store.transact((tx) => tx.write({ insert: all.slice(at, at + CHUNK) }));
}

function stateOf(slot: number, items: number): Partial<SignatureRecord> {
  const half = items >> 1;
  if (slot < half)
    return { status: "SUCCEEDED", milestone: 3, credited: 3, finishedAt: LONG_AGO, result: "1" };
  switch (Math.floor((slot - half) / RUNNING)) {
    case 0:
      return { status: "READY", readyAt: LONG_AGO };
    case 1:
      return { status: "RUNNING", readyAt: LONG_AGO, workerId: WORKER, attempt: 1, epoch: 1 };
    case 2:
      return { status: "WAITING", readyAt: null, dueAt: LONG_AGO + slot };
    default:
      return {};
  }
}

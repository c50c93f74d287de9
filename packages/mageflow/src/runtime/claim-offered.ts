import { choose, type Demand } from "../core/choose.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Delivery } from "../ports/engine.ts";
import type { Batch } from "./batch.ts";

/** What has become of what was offered. What is in neither list is offered again. */
interface Claimed {
  readonly claimed: SignatureRecord[];
  /** What is not, or not any more, as it was published. */
  readonly stale: Delivery[];
  /** Some are locked by another transaction, which will be over soon. */
  readonly busy: boolean;
}

/**
 * Claims, of the tasks that an engine has brought, those that are ready as they were when they were published and that the worker has room
 * for. The store is asked for these and for nothing else.
 */
export async function claimOffered(
  batch: Batch,
  demand: Demand,
  offered: readonly Delivery[],
): Promise<Claimed> {
  const ids = offered.map(({ id }) => id);
  const busy = new Set(await batch.lock(ids, { wait: false }));
  const stale = new Map<string, Delivery>();
  const ready: SignatureRecord[] = [];
  for (const delivery of offered) {
    if (busy.has(delivery.id)) continue;
    const record = asOffered(batch, delivery);
    if (record === null) stale.set(delivery.id, delivery);
    else ready.push(record);
  }
  const sound = new Set(batch.sound(ready));
  for (const record of ready) if (!sound.has(record)) stale.set(record.id, deliveryOf(offered, record));
  const claimed: SignatureRecord[] = [];
  for (const record of choose([...sound], demand)) {
    const now = batch.tell(record, { type: "claim", workerId: demand.workerId });
    if (now.status === "RUNNING") claimed.push(now);
    else stale.set(record.id, deliveryOf(offered, record));
  }
  await batch.settle();
  return { claimed, stale: [...stale.values()], busy: busy.size > 0 };
}

/** The record if it is ready as it was published; what has waited for its time until now becomes ready here. */
function asOffered(batch: Batch, { id, generation, epoch, name }: Delivery): SignatureRecord | null {
  const found = batch.get(id);
  if (found === undefined || batch.isRemoved(found)) return null;
  if (found.name !== name || found.generation !== generation || found.epoch !== epoch) return null;
  const isDue = found.status === "WAITING" && found.dueAt !== null && found.dueAt <= batch.now;
  const record = isDue ? batch.tell(found, { type: "due" }) : found;
  return record.status === "READY" ? record : null;
}

function deliveryOf(offered: readonly Delivery[], { id }: SignatureRecord): Delivery {
  return offered.find((delivery) => delivery.id === id)!;
}

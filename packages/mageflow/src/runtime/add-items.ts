import { IllegalTransitionError } from "../core/errors.ts";
import { expandChildren } from "../core/expand.ts";
import { childId } from "../core/ids.ts";
import type { PlanNode } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { SpecBook } from "../core/spec-book.ts";
import { checkRoom } from "../core/swarm.ts";
import type { Batch } from "./batch.ts";

/** Most items that one call adds: they are stored in one transaction, which holds the event loop meanwhile. */
export const MOST_ADDED = 10_000;

/**
 * Stores items of an open swarm, all or none, and returns the id of each plan in order: that of the known item where the key is
 * known already.
 *
 * @throws SwarmClosedError (`SWARM_CLOSED`), InvalidPlanError (`INVALID_PLAN`), IllegalTransitionError (`ILLEGAL_TRANSITION`)
 */
export async function addItems(
  batch: Batch,
  swarm: SignatureRecord,
  plans: readonly PlanNode[],
): Promise<string[]> {
  requireSwarm(swarm, "add to");
  const known = new Map<string, string>();
  const keys = plans.flatMap(({ key }) => key ?? []);
  if (keys.length > 0) {
    for (const item of await batch.tx.itemsByKey(swarm.id, keys)) known.set(item.key!, item.id);
  }
  const fresh = plans.filter(({ key }) => key === null || !known.has(key));
  const first = swarm.family!.total;
  if (fresh.length > 0) {
    checkRoom(batch, swarm, fresh.length);
    store(batch, swarm, fresh, first);
    batch.tell(swarm, { type: "add", count: fresh.length });
  }
  let slot = first;
  return plans.map(({ key }) => (key === null ? undefined : known.get(key)) ?? childId(swarm.id, slot++));
}

function store(batch: Batch, swarm: SignatureRecord, items: readonly PlanNode[], first: number): void {
  const spec = batch.spec(swarm);
  const book = new SpecBook(swarm.rootId, `${swarm.id.slice(swarm.rootId.length)}+${first}.`);
  const place = { ...swarm, message: null, tags: [], now: batch.now, door: null };
  const plan = { spec: { ...spec, maxTasks: null } as typeof spec, bound: null, key: null, children: items };
  batch.insertBulk([...expandChildren(plan, place, first, book)]);
  for (const row of book.take()) batch.addSpec(row);
}

/** @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not a swarm. */
export function requireSwarm(record: SignatureRecord, verb: string): void {
  if (record.kind !== "swarm") {
    throw new IllegalTransitionError(record.id, verb, record.status, `it is a ${record.kind}, not a swarm`);
  }
}

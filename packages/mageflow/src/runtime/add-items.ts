import { type CheckInput, type Door, frontDoor, innerDoor } from "../core/door.ts";
import { IllegalTransitionError, InvalidPlanError } from "../core/errors.ts";
import { expandChildren } from "../core/expand.ts";
import { childId, depthOf, isCallback } from "../core/ids.ts";
import { inWords } from "../core/in-words.ts";
import type { PlanNode } from "../core/plan.ts";
import { requirePlan } from "../core/plans.ts";
import type { SignatureRecord } from "../core/record.ts";
import { SpecBook } from "../core/spec-book.ts";
import { checkRoom } from "../core/swarm.ts";
import { ancestors } from "../core/view.ts";
import type { Batch } from "./batch.ts";

/** Most items that one call adds: they are stored in one transaction, which holds the event loop meanwhile. */
const MOST_ADDED = 10_000;
/** Most records of one call, those inside its items included. */
const MOST_RECORDS = 20_000;

/** The plans that somebody wants to add. @throws InvalidPlanError (`INVALID_PLAN`) */
export function plansToAdd(given: unknown): readonly PlanNode[] {
  if (typeof (given as Iterable<unknown> | null)?.[Symbol.iterator] !== "function") {
    throw new InvalidPlanError(`the items to add are ${inWords(given)}; give an array of plans`);
  }
  const plans: PlanNode[] = [];
  for (const plan of given as Iterable<unknown>) {
    if (plans.length === MOST_ADDED) {
      throw new InvalidPlanError(`one call adds at most ${MOST_ADDED} items; add them in several calls`);
    }
    requirePlan(plan, `item ${plans.length} to add`);
    plans.push(plan);
  }
  return plans;
}

/**
 * Stores items of an open swarm, all or none, and returns the id of each plan in order: that of the known item where the key is
 * known already. `check` refuses complete inputs, or is null when all are taken.
 *
 * @throws SwarmClosedError (`SWARM_CLOSED`), InvalidPlanError (`INVALID_PLAN`), ValidationError (`VALIDATION`), IllegalTransitionError
 *   (`ILLEGAL_TRANSITION`)
 */
export async function addItems(
  batch: Batch,
  swarm: SignatureRecord,
  plans: readonly PlanNode[],
  check: CheckInput | null,
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
    store(batch, swarm, fresh, first, check === null ? null : doorOf(batch, swarm, check));
    batch.tell(swarm, { type: "add", count: fresh.length });
  }
  let slot = first;
  return plans.map(({ key }) => (key === null ? undefined : known.get(key)) ?? childId(swarm.id, slot++));
}

function store(
  batch: Batch,
  swarm: SignatureRecord,
  items: readonly PlanNode[],
  first: number,
  door: Door | null,
): void {
  const spec = batch.spec(swarm);
  const book = new SpecBook(swarm.rootId, `${swarm.id.slice(swarm.rootId.length)}+${first}.`);
  const place = { ...swarm, tags: [], now: batch.now, door };
  const { bound } = swarm;
  const plan = { spec: { ...spec, maxTasks: null } as typeof spec, bound, key: null, children: items };
  const records: SignatureRecord[] = [];
  for (const record of expandChildren(plan, place, first, book, depthOf(swarm.id))) {
    if (records.length === MOST_RECORDS) {
      const [they, help] =
        items.length === 1
          ? ["one item is", "add a task instead that starts it by ctx.run"]
          : [
              `${items.length} items are`,
              "add them in several calls, and what is too large by itself as a task that starts it by ctx.run",
            ];
      throw new InvalidPlanError(`${they} more than ${MOST_RECORDS} signatures with what is inside; ${help}`);
    }
    records.push(record);
  }
  batch.insertBulk(records);
  for (const row of book.take()) batch.addSpec(row);
}

/** Where the swarm stands, when everything that comes in to it is known: no result of a step, and no message that is still to be given. */
function doorOf(batch: Batch, swarm: SignatureRecord, check: CheckInput): Door | null {
  const way = [swarm, ...ancestors(batch, swarm)].reverse();
  if (way[0]!.readyAt === null) return null;
  if (way.some(({ role, slot }) => isCallback(role) || (role === "step" && slot > 0))) return null;
  return way
    .slice(0, -1)
    .reduce((door, { bound, message }) => innerDoor(door, bound, message), frontDoor(check));
}

/** @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not a swarm. */
export function requireSwarm(record: SignatureRecord, verb: string): void {
  if (record.kind !== "swarm") {
    throw new IllegalTransitionError(record.id, verb, record.status, `it is a ${record.kind}, not a swarm`);
  }
}

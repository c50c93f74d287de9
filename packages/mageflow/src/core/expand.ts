import { checkAt, type Door, innerDoor } from "./door.ts";
import { InvalidPlanError } from "./errors.ts";
import { childId, type Role } from "./ids.ts";
import { inWords } from "./in-words.ts";
import { requireDepth } from "./nesting.ts";
import type { PlanNode } from "./plan.ts";
import { type Family, MILESTONE, NO_FAMILY, type SignatureRecord } from "./record.ts";
import { requireSize } from "./payload.ts";
import type { SpecNumbers } from "./spec-book.ts";

/** Where a plan is stored: the place it takes in a tree. */
export interface Place {
  readonly id: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly role: Role;
  readonly slot: number;
  readonly key: string | null;
  readonly priority: number;
  readonly message: string | null;
  readonly tags: readonly string[];
  readonly now: number;
  /** What checks inputs that are complete already, or null where they depend on results. */
  readonly door: Door | null;
}

/**
 * The records of a plan, children before their container (whose counters need them), the top one last. Nothing is
 * started: every record is PENDING. Lazy, so that a swarm of any size can be stored in chunks.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) for an empty chain, two items of one key, more items than `maxTasks`, nesting
 *   that is too deep, or something that is not a plan; PayloadError (`PAYLOAD`) for inputs that are too large. `depth` is the number of containers and callbacks around the plan.
 */
export function* expand(
  plan: PlanNode,
  place: Place,
  book: SpecNumbers,
  depth = 0,
): Generator<SignatureRecord> {
  const spec = plan?.spec;
  if (spec === undefined || plan.bound === undefined) {
    throw new InvalidPlanError(
      `${place.id}: ${inWords(plan)} stands where a plan should; pass a task, chain or swarm`,
    );
  }
  requireDepth(spec, depth);
  let family: Family | null = null;
  if (spec.kind !== "task") {
    const total = yield* expandChildren(plan, place, 0, book, depth);
    if (spec.kind === "chain" && total === 0) {
      throw new InvalidPlanError(`chain "${spec.name}" is empty; give it at least one step`);
    }
    family = { ...NO_FAMILY, total, unsettled: total, open: spec.kind === "swarm" && spec.open };
  }
  yield record(plan, place, book.id(spec, depth), family);
}

/** The records of a container's children from slot `first` on; returns how many there are. */
export function* expandChildren(
  plan: PlanNode,
  place: Place,
  first: number,
  book: SpecNumbers,
  depth = 0,
): Generator<SignatureRecord, number> {
  const { spec } = plan;
  const role = spec.kind === "chain" ? "step" : "item";
  const limit = spec.kind === "swarm" ? spec.maxTasks : null;
  const door = place.door === null ? null : innerDoor(place.door, plan.bound, place.message);
  const keys = new Set<string>();
  const priority = spec.priority ?? place.priority;
  let slot = first;
  for (const child of plan.children ?? []) {
    if (limit !== null && slot >= limit) {
      throw new InvalidPlanError(`swarm "${spec.name}" has more than its maxTasks of ${limit} items`);
    }
    // A key names an item among the items of its swarm. Of a step it says nothing.
    const key = role === "item" ? (child?.key ?? null) : null;
    if (key !== null) {
      if (keys.has(key))
        throw new InvalidPlanError(`swarm "${spec.name}" has two items with the key ${JSON.stringify(key)}`);
      keys.add(key);
    }
    const below: Place = {
      id: childId(place.id, slot),
      rootId: place.rootId,
      parentId: place.id,
      role,
      slot,
      key,
      priority,
      message: null,
      tags: NO_TAGS,
      now: place.now,
      door: role === "item" || slot === 0 ? door : null,
    };
    if (child?.spec?.kind === "task" && child.bound !== undefined)
      yield record(child, below, book.id(child.spec, depth + 1), null);
    else yield* expand(child, below, book, depth + 1);
    slot++;
  }
  return slot - first;
}

const NO_TAGS: readonly string[] = [];

function record(plan: PlanNode, place: Place, spec: string, family: Family | null): SignatureRecord {
  // Both are kept with the record.
  if (place.message !== null) requireSize([plan.bound, place.message], `input of "${plan.spec.name}"`);
  const made: SignatureRecord = {
    id: place.id,
    rootId: place.rootId,
    parentId: place.parentId,
    role: place.role,
    slot: place.slot,
    key: place.key,
    kind: plan.spec.kind,
    name: plan.spec.name,
    spec,
    status: "PENDING",
    prior: null,
    heldBy: null,
    generation: 1,
    origin: 1,
    attempt: 0,
    epoch: 0,
    recoveries: 0,
    priority: plan.spec.priority ?? place.priority,
    readyAt: null,
    dueAt: null,
    deadlineAt: null,
    workerId: null,
    bound: plan.bound,
    message: place.message,
    result: null,
    error: null,
    family,
    sweep: null,
    stop: null,
    deletion: null,
    lock: null,
    milestone: MILESTONE.OPEN,
    credited: MILESTONE.OPEN,
    tags: place.tags,
    createdAt: place.now,
    startedAt: null,
    finishedAt: null,
  };
  if (place.door !== null && made.kind === "task") checkAt(place.door, made);
  return made;
}

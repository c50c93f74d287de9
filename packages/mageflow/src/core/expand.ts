import { composeInput, type InputLayers } from "./compose.ts";
import { InvalidPlanError } from "./errors.ts";
import { childId, type Role } from "./ids.ts";
import { MAX_PAYLOAD_BYTES, stringify } from "./payload.ts";
import { MAX_PLAN_DEPTH, type PlanNode, type Spec } from "./plan.ts";
import { type Family, MILESTONE, NO_FAMILY, type SignatureRecord, type SpecRow } from "./record.ts";

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

/** Inputs that are known before anything has run, on their way down the plan. */
export interface Door {
  /** JSON text of what comes in at this place, or null. */
  readonly incoming: string | null;
  /** The `with` of each enclosing container, from the outermost in. */
  readonly bound: readonly (string | null)[];
  /** Throws when the task's schema refuses the input. */
  readonly check: (task: string, layers: InputLayers) => void;
}

/** Specs remembered for sharing; a plan with more different ones stores some of them twice. */
const REMEMBERED = 1_000;

/**
 * Gives spec ids within one expansion. `origin` keeps the ids of later expansions of the same workflow apart: it is the
 * place of the first signature of the expansion, relative to the root.
 */
export class SpecBook {
  readonly #rootId: string;
  readonly #origin: string;
  readonly #ids = new Map<Spec, string>();
  #given = 0;
  #fresh: SpecRow[] = [];

  constructor(rootId: string, origin: string) {
    this.#rootId = rootId;
    this.#origin = origin === rootId ? "" : origin.slice(rootId.length);
  }

  id(spec: Spec): string {
    let id = this.#ids.get(spec);
    if (id === undefined) {
      const body = JSON.stringify(spec);
      if (body.length > MAX_PAYLOAD_BYTES) {
        throw new InvalidPlanError(
          `the options and callbacks of "${spec.name}" are ${body.length} characters, more than ${MAX_PAYLOAD_BYTES}; start large callbacks from inside a small one`,
        );
      }
      checkCallbacks(spec);
      if (this.#ids.size === REMEMBERED) this.#ids.clear();
      id = `${this.#given++}${this.#origin}`;
      this.#ids.set(spec, id);
      this.#fresh.push({ rootId: this.#rootId, id, body });
    }
    return id;
  }

  /** The rows that are new since the last call. */
  take(): SpecRow[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }
}

/** Callbacks are stored when they fire; one that cannot be must be refused now, not then. */
function checkCallbacks(spec: Spec): void {
  const lists = [spec.callbacks, ...(spec.kind === "swarm" ? [spec.itemCallbacks] : [])];
  for (const { success, error, cleanup } of lists) {
    for (const plan of [...success, ...error, ...cleanup]) {
      const id = `a callback of "${spec.name}"`;
      const place = {
        id,
        rootId: id,
        parentId: id,
        role: "success",
        slot: 0,
        key: null,
        priority: 0,
      } as const;
      const records = expand(
        plan,
        { ...place, message: null, tags: NO_TAGS, now: 0, door: null },
        new SpecBook(id, id),
      );
      while (records.next().done !== true);
    }
  }
}

/**
 * The records of a plan, children before their container (whose counters need them), the top one last. Nothing is
 * started: every record is PENDING. Lazy, so that a swarm of any size can be stored in chunks.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) for an empty chain, two items of one key, more items than `maxTasks`, nesting beyond
 *   {@link MAX_PLAN_DEPTH}, or something that is not a plan.
 */
export function* expand(plan: PlanNode, place: Place, book: SpecBook, depth = 0): Generator<SignatureRecord> {
  const spec = plan?.spec;
  if (spec === undefined || plan.bound === undefined) {
    throw new InvalidPlanError(
      `${place.id}: a ${typeof plan} stands where a plan should; pass a task, chain or swarm`,
    );
  }
  if (spec.kind !== "task" && depth >= MAX_PLAN_DEPTH) {
    throw new InvalidPlanError(
      `"${spec.name}" nests containers deeper than ${MAX_PLAN_DEPTH}; flatten the plan`,
    );
  }
  let family: Family | null = null;
  if (spec.kind !== "task") {
    const total = yield* expandChildren(plan, place, 0, book, depth);
    if (spec.kind === "chain" && total === 0) {
      throw new InvalidPlanError(`chain "${spec.name}" is empty; give it at least one step`);
    }
    family = { ...NO_FAMILY, total, unsettled: total, open: spec.kind === "swarm" && spec.open };
  }
  yield record(plan, place, book.id(spec), family);
}

/** The records of a container's children from slot `first` on; returns how many there are. */
export function* expandChildren(
  plan: PlanNode,
  place: Place,
  first: number,
  book: SpecBook,
  depth = 0,
): Generator<SignatureRecord, number> {
  const { spec } = plan;
  const role = spec.kind === "chain" ? "step" : "item";
  const limit = spec.kind === "swarm" ? spec.maxTasks : null;
  const door = place.door === null ? null : inner(place.door, plan, place);
  const keys = new Set<string>();
  const priority = spec.priority ?? place.priority;
  let slot = first;
  for (const child of plan.children ?? []) {
    if (limit !== null && slot >= limit) {
      throw new InvalidPlanError(`swarm "${spec.name}" has more than its maxTasks of ${limit} items`);
    }
    const key = child?.key ?? null;
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
      yield record(child, below, book.id(child.spec), null);
    else yield* expand(child, below, book, depth + 1);
    slot++;
  }
  return slot - first;
}

const NO_TAGS: readonly string[] = [];

/** What a container lets in to its items or its first step: its own input. */
function inner(door: Door, plan: PlanNode, place: Place): Door {
  const input = stringify(
    composeInput({ incoming: door.incoming, bound: [...door.bound, plan.bound, place.message] }),
  );
  return { ...door, incoming: input === "{}" ? null : input, bound: [...door.bound, plan.bound] };
}

function record(plan: PlanNode, place: Place, spec: string, family: Family | null): SignatureRecord {
  if (place.door !== null && plan.spec.kind === "task") {
    const { incoming, bound, check } = place.door;
    check(plan.spec.name, { incoming, bound: [...bound, plan.bound, place.message] });
  }
  return {
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
    milestone: MILESTONE.OPEN,
    credited: MILESTONE.OPEN,
    tags: place.tags,
    createdAt: place.now,
    startedAt: null,
    finishedAt: null,
  };
}

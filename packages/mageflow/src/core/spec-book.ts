import { InvalidPlanError } from "./errors.ts";
import { expand, type Place } from "./expand.ts";
import type { CallbackRole } from "./ids.ts";
import { requireShallow } from "./nesting.ts";
import { MAX_PAYLOAD_BYTES } from "./payload.ts";
import type { PlanNode, Spec } from "./plan.ts";
import type { SpecRow } from "./record.ts";

/** Specs remembered for sharing; a plan with more different ones stores some of them twice. */
const REMEMBERED = 1_000;

/**
 * Gives the specs of one expansion their ids, by the order in which they are met. Expanding the same plan under the same prefix
 * always gives the same ids.
 */
export class SpecNumbers {
  readonly #prefix: string;
  readonly #ids = new Map<Spec, string>();
  #given = 0;

  /** `prefix` keeps the ids of different expansions of one workflow apart. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `depth` is the number of containers and callbacks around what has the spec. */
  id(spec: Spec, depth = 0): string {
    let id = this.#ids.get(spec);
    if (id === undefined) {
      id = `${this.#prefix}${this.#given++}`;
      this.meet(spec, id, depth);
      if (this.#ids.size === REMEMBERED) this.#ids.clear();
      this.#ids.set(spec, id);
    }
    return id;
  }

  protected meet(_spec: Spec, _id: string, _depth: number): void {}
}

/**
 * {@link SpecNumbers} that also makes the rows to be stored. A spec brings the specs of its callbacks along, so that a callback
 * that fires, once or for a million items, finds its specs stored; one that could not be stored is refused here and not
 * when it fires.
 */
export class SpecBook extends SpecNumbers {
  readonly #rootId: string;
  #fresh: SpecRow[] = [];

  constructor(rootId: string, prefix = "") {
    super(prefix);
    this.#rootId = rootId;
  }

  /** The rows that are new since the last call. */
  take(): SpecRow[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  protected override meet(spec: Spec, id: string, depth: number): void {
    requireShallow(spec, depth);
    const body = JSON.stringify(spec);
    if (body.length > MAX_PAYLOAD_BYTES) {
      throw new InvalidPlanError(
        `the options and callbacks of "${spec.name}" are ${body.length} characters, more than ${MAX_PAYLOAD_BYTES}; start large callbacks from inside a small one`,
      );
    }
    this.#fresh.push({ rootId: this.#rootId, id, body });
    if (!hasCallbacks(spec)) return;
    // As it will be read: sharing that the text does not show must not change the numbers.
    for (const { role, slot, plan } of callbackPlans(JSON.parse(body) as Spec)) {
      const book = new SpecBook(this.#rootId, callbackPrefix(id, role, slot));
      const place = { ...NOWHERE, id: `a callback of "${spec.name}"` };
      const records = expand(plan, place, book, depth + 1);
      while (records.next().done !== true);
      this.#fresh.push(...book.take());
    }
  }
}

const NOWHERE: Place = {
  id: "",
  rootId: "",
  parentId: null,
  role: "success",
  slot: 0,
  key: null,
  priority: 0,
  message: null,
  tags: [],
  now: 0,
  door: null,
};

/** Prefix of the spec ids of a callback, by the id of the spec that declares it. */
export function callbackPrefix(declaredBy: string, role: CallbackRole, slot: number): string {
  return `${declaredBy}.${role}${slot}.`;
}

function hasCallbacks(spec: Spec): boolean {
  return callbackPlans(spec).next().done !== true;
}

function* callbackPlans(spec: Spec): Generator<{ role: CallbackRole; slot: number; plan: PlanNode }> {
  const { success, error, cleanup } = spec.callbacks;
  yield* placed("success", success);
  yield* placed("error", error);
  yield* placed("cleanup", cleanup);
  if (spec.kind !== "swarm") return;
  const item = spec.itemCallbacks;
  yield* placed("itemSuccess", item.success);
  yield* placed("itemError", item.error);
  yield* placed("itemCleanup", item.cleanup);
}

function* placed(
  role: CallbackRole,
  plans: readonly PlanNode[],
): Generator<{ role: CallbackRole; slot: number; plan: PlanNode }> {
  for (const [slot, plan] of plans.entries()) yield { role, slot, plan };
}

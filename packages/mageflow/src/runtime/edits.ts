import { IllegalTransitionError, InvalidPlanError, NotFoundError } from "../core/errors.ts";
import type { AnyPlan } from "../core/flow.ts";
import { invalidArgument } from "../core/invalid-argument.ts";
import { type OptionNames, requireOptions } from "../core/known-options.ts";
import { encode } from "../core/payload.ts";
import type { Outcome } from "../core/plan.ts";
import { storedOptions } from "../core/plan-options.ts";
import { requirePlan } from "../core/plans.ts";
import type { SignatureRecord } from "../core/record.ts";
import { SpecBook } from "../core/spec-book.ts";
import { record as audit } from "./audit.ts";
import type { Batch } from "./batch.ts";
import { requireUnlocked } from "../core/lock.ts";
import { checkStart } from "./check-start.ts";
import { missing } from "./control.ts";
import type { Run } from "./run.ts";
import type { Runtime } from "./runtime.ts";
import { Steering } from "./steering.ts";

/** What can be changed of a signature that has not started. What is left out stays. */
export interface Edit {
  /** Takes the place of what was bound. */
  with?: unknown;
  priority?: number;
  /** Of a root: what lists find it by. */
  tags?: readonly string[];
  /** Callbacks that are added to those that it has. */
  onSuccess?: AnyPlan;
  onError?: AnyPlan;
  onCleanup?: AnyPlan;
}

const EDIT: OptionNames<Edit> = {
  with: true,
  priority: true,
  tags: true,
  onSuccess: true,
  onError: true,
  onCleanup: true,
};

const OUTCOMES = ["success", "error", "cleanup"] as const satisfies readonly Outcome[];

/** Signatures that one transaction edits. */
const MOST_EDITS = 10_000;
const PAGE = 500;

interface Change {
  readonly id: string;
  /** Of the lock that the caller holds, or null. */
  readonly token: string | null;
  readonly bound: string | undefined;
  readonly priority: number | undefined;
  readonly tags: readonly string[] | undefined;
  readonly callbacks: Readonly<Record<Outcome, AnyPlan | undefined>>;
}

/** Edits that are made together. */
export class Edits {
  readonly #changes: Change[] = [];
  #committed = false;

  /**
   * Sets what a signature is to be when all edits are made: at most 10,000. One that this handle has locked may be edited by it.
   *
   * @throws InvalidPlanError (`INVALID_PLAN`), PayloadError (`PAYLOAD`)
   */
  set(run: Pick<Run, "id">, edit: Edit): void {
    if (typeof run?.id !== "string") throw invalidArgument("what is edited", run, "a run");
    requireOptions(edit, EDIT, "an edit");
    if (this.#committed)
      throw new InvalidPlanError(
        "the batch has been made already; await what sets edits inside its function",
      );
    if (this.#changes.length === MOST_EDITS)
      throw new InvalidPlanError(`one batch has more than ${MOST_EDITS} edits; make several`);
    const { priority, tags } = edit;
    storedOptions({
      ...(priority === undefined ? {} : { priority }),
      ...(tags === undefined ? {} : { tags }),
    });
    const bound = edit.with === undefined ? undefined : encode(edit.with, "with");
    const callbacks = { success: edit.onSuccess, error: edit.onError, cleanup: edit.onCleanup };
    for (const plan of Object.values(callbacks)) if (plan !== undefined) requirePlan(plan, "a callback");
    const token = run instanceof Steering ? run.lockToken : null;
    this.#changes.push({ id: run.id, token, bound, priority, tags, callbacks });
  }

  /** @internal */
  async commit(runtime: Runtime): Promise<void> {
    this.#committed = true;
    const { store, actor } = runtime;
    await this.#check(runtime);
    try {
      await runtime.commit({
        locks: this.#changes.map(({ id }) => id),
        apply: async (batch) => {
          // All are looked at before any is changed: a command that fails has changed nothing.
          for (const change of this.#changes) requireEditable(batch, change);
          for (const change of this.#changes) apply(batch, change, runtime.newToken());
          for (const { id, priority, tags, bound, callbacks } of this.#changes) {
            const details = {
              with: bound !== undefined,
              priority: priority ?? null,
              tags: tags === undefined ? null : [...tags],
              callbacks: OUTCOMES.filter((outcome) => callbacks[outcome] !== undefined),
            };
            await audit(batch, { actor, action: "edit", target: id, details });
          }
        },
      });
    } catch (error) {
      throw error instanceof NotFoundError ? await missing(store, error.id) : error;
    }
  }

  /** Workflows that were started and wait for their time are at the door already; others are checked when they are started. */
  async #check({ store, check }: Runtime): Promise<void> {
    if (check === null) return;
    const bounds = new Map(
      this.#changes.flatMap(({ id, bound }) => (bound === undefined ? [] : [[id, bound]])),
    );
    const ids = [...bounds.keys()];
    for (let from = 0; from < ids.length; from += PAGE) {
      for (const root of await store.get(ids.slice(from, from + PAGE))) {
        const isAtDoor = root.role === "root" && root.readyAt !== null;
        if (isAtDoor) await checkStart(store, { ...root, bound: bounds.get(root.id)! }, check);
      }
    }
  }
}

function requireEditable(batch: Batch, { id, token, tags }: Change): void {
  const record = batch.get(id);
  if (record === undefined || batch.isRemoved(record)) throw new NotFoundError(id);
  requireUnlocked(batch, record, token);
  const { status, attempt, startedAt } = record;
  const waits = status === "PENDING" || status === "READY" || status === "WAITING" || status === "SUSPENDED";
  if (!waits || attempt > 0 || startedAt !== null) {
    throw new IllegalTransitionError(id, "edit", status, "only what has not started can be edited");
  }
  if (tags !== undefined && record.parentId !== null)
    throw new InvalidPlanError(`${id} is part of a workflow; the tags of its root can be edited`);
}

function apply(batch: Batch, change: Change, token: string): void {
  const { id, bound, priority, tags } = change;
  const record = batch.get(id)!;
  batch.put({
    ...record,
    ...(bound === undefined ? {} : { bound }),
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    spec: respecified(batch, record, change, token),
  });
}

/** The id of its spec with the added callbacks: one of its own, since siblings share the one that it has. */
function respecified(batch: Batch, record: SignatureRecord, { callbacks }: Change, token: string): string {
  const spec = batch.spec(record);
  const all = { ...spec.callbacks };
  for (const outcome of OUTCOMES) {
    const plan = callbacks[outcome];
    if (plan !== undefined) all[outcome] = [...all[outcome], plan];
  }
  if (Object.values(callbacks).every((plan) => plan === undefined)) return record.spec;
  const book = new SpecBook(record.rootId, `${token}.`);
  const id = book.id({ ...spec, callbacks: all });
  for (const row of book.take()) batch.addSpec(row);
  return id;
}

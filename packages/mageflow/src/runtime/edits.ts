import { IllegalTransitionError, LockedError, NotFoundError } from "../core/errors.ts";
import { encode } from "../core/payload.ts";
import { storedOptions } from "../core/plan-options.ts";
import type { SignatureRecord } from "../core/record.ts";
import { record as audit } from "./audit.ts";
import type { Batch } from "./batch.ts";
import { missing } from "./control.ts";
import type { Run } from "./run.ts";
import type { Runtime } from "./runtime.ts";

/** What can be changed of a signature that has not started. What is left out stays. */
export interface Edit {
  /** Takes the place of what was bound. */
  with?: unknown;
  priority?: number;
  /** Of a root: what lists find it by. */
  tags?: readonly string[];
}

interface Change {
  readonly id: string;
  readonly bound: string | undefined;
  readonly priority: number | undefined;
  readonly tags: readonly string[] | undefined;
}

/** Edits that are made together. */
export class Edits {
  readonly #changes: Change[] = [];

  /** Sets what a signature is to be when all edits are made. @throws InvalidPlanError (`INVALID_PLAN`), PayloadError (`PAYLOAD`) */
  set(run: Pick<Run, "id">, edit: Edit): void {
    const { priority, tags } = edit;
    storedOptions({
      ...(priority === undefined ? {} : { priority }),
      ...(tags === undefined ? {} : { tags }),
    });
    const bound = edit.with === undefined ? undefined : encode(edit.with, "with");
    this.#changes.push({ id: run.id, bound, priority, tags });
  }

  /** @internal */
  async commit(runtime: Runtime): Promise<void> {
    const { committer, store, actor } = runtime;
    try {
      await committer.run({
        locks: this.#changes.map(({ id }) => id),
        apply: async (batch) => {
          // All are looked at before any is changed: a command that fails has changed nothing.
          for (const { id } of this.#changes) requireEditable(batch, id);
          for (const change of this.#changes) apply(batch, change);
          for (const { id, priority, tags, bound } of this.#changes) {
            const details = {
              with: bound !== undefined,
              priority: priority ?? null,
              tags: [...(tags ?? [])],
            };
            await audit(batch, { actor, action: "edit", target: id, details });
          }
        },
      });
    } catch (error) {
      throw error instanceof NotFoundError ? await missing(store, error.id) : error;
    }
  }
}

function requireEditable(batch: Batch, id: string): SignatureRecord {
  const record = batch.get(id);
  if (record === undefined || batch.get(record.rootId)?.deletion?.purged === true)
    throw new NotFoundError(id);
  const { lock, status, attempt, startedAt } = record;
  if (lock !== null && lock.until > batch.now) throw new LockedError(id, lock.by, lock.until);
  const waits = status === "PENDING" || status === "READY" || status === "WAITING" || status === "SUSPENDED";
  if (!waits || attempt > 0 || startedAt !== null) {
    throw new IllegalTransitionError(id, "edit", status, "only what has not started can be edited");
  }
  return record;
}

function apply(batch: Batch, { id, bound, priority, tags }: Change): void {
  const record = batch.get(id)!;
  batch.put({
    ...record,
    ...(bound === undefined ? {} : { bound }),
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
  });
}

import { type Duration, milliseconds } from "../core/duration.ts";
import {
  CancelledError,
  GoneError,
  IllegalTransitionError,
  InterruptedError,
  MageFlowError,
  type StoredError,
  WorkflowFailedError,
} from "../core/errors.ts";
import type { FlowEvent, Progress } from "../core/event.ts";
import type { AnyPlan } from "../core/flow.ts";
import { decode, encode } from "../core/payload.ts";
import { isSettled, type SignatureRecord } from "../core/record.ts";
import type { ItemResult } from "../core/result.ts";
import type { Signal } from "../core/signal.ts";
import { isEnded, type Status } from "../core/status.ts";
import { hasStopped } from "../core/view.ts";
import type { LogQuery, LogRow } from "../ports/store.ts";
import { addItems, plansToAdd, requireSwarm } from "./add-items.ts";
import { type CancelPlan, GRACE_MS, planCancel } from "./cancel.ts";
import { checkStart } from "./check-start.ts";
import { type Control, control, missing } from "./control.ts";
import { Doorbell } from "./doorbell.ts";
import { flag } from "./filter-arguments.ts";
import { logQuery } from "./log-query.ts";
import { MOST_ROWS, readCursor, readLimit, readSeq } from "./page-arguments.ts";
import { lock, type RunLock } from "./lock.ts";
import { condemn, requireClosed } from "./purger.ts";
import { resultText } from "./results.ts";
import type { Runtime } from "./runtime.ts";
import {
  countsOf,
  type Counts,
  type RunStatus,
  shownStatus,
  type SignatureView,
  viewOf,
} from "./signature-view.ts";

/** A page of a listing; pass `next` back as `cursor`. Null when there is no more. */
export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** How a signature ended. */
export interface Settled<O> {
  readonly id: string;
  readonly status: Status;
  readonly result?: O;
  readonly error?: StoredError;
}

const OPEN_STATUSES = ["READY", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED"] as const;
const PAGE = 500;

/** A handle on a stored signature: to wait for it, watch it and steer it. Making one reads nothing. */
export class Run<O = unknown> {
  readonly id: string;
  readonly #runtime: Runtime;
  /** Of the lock that this handle holds. */
  #token: string | null = null;

  /** @internal */
  constructor(runtime: Runtime, id: string) {
    this.#runtime = runtime;
    this.id = id;
  }

  /**
   * The result, when it has succeeded. Waits as long as it takes, through suspensions too; with `timeout`, at most that.
   *
   * @throws WorkflowFailedError (`WORKFLOW_FAILED`) when it failed or was skipped, InterruptedError (`INTERRUPTED`), CancelledError
   *   (`CANCELLED`), WaitTimeoutError (`WAIT_TIMEOUT`), NotFoundError (`NOT_FOUND`).
   */
  async result(options: { timeout?: Duration } = {}): Promise<O> {
    const timeout = options.timeout === undefined ? null : milliseconds(options.timeout, "timeout");
    const done = ({ status }: SignatureRecord): boolean => isEnded(status) || status === "INTERRUPTED";
    const record = await this.#runtime.waiters.until(this.id, done, timeout).catch(asCancelled);
    switch (record.status) {
      case "SUCCEEDED":
        return decode(await resultText(this.#runtime.reader, record)) as O;
      case "INTERRUPTED":
        throw new InterruptedError(this.id, record.stop?.reason);
      case "CANCELLED":
        throw new CancelledError(this.id, record.stop?.reason);
      default:
        throw new WorkflowFailedError(this.id, record.name, record.error);
    }
  }

  /**
   * Waits until it and everything under it, callbacks and cleanups included, has ended, and tells the outcome. A failure is
   * an outcome, not an exception.
   *
   * @throws WaitTimeoutError (`WAIT_TIMEOUT`), NotFoundError (`NOT_FOUND`).
   */
  async settled(options: { timeout?: Duration } = {}): Promise<Settled<O>> {
    const timeout = options.timeout === undefined ? null : milliseconds(options.timeout, "timeout");
    const settled = this.#runtime.waiters.until(this.id, isSettled, timeout);
    const record = await settled.catch((error: unknown) => {
      if (error instanceof GoneError && error.action === "cancel") return null;
      throw error;
    });
    if (record === null) return { id: this.id, status: "CANCELLED" };
    const { id, status, error } = record;
    if (status === "SUCCEEDED") {
      return { id, status, result: decode(await resultText(this.#runtime.reader, record)) as O };
    }
    return status === "FAILED" && error !== null ? { id, status, error } : { id, status };
  }

  /** @throws NotFoundError (`NOT_FOUND`) */
  async status(): Promise<RunStatus> {
    const record = await this.#record();
    const counts = await this.#counts(record);
    const { status } = record;
    return {
      status: shownStatus(record),
      execution: status,
      deletion: record.deletion,
      counts,
      progress: await this.#progress(record, counts),
      heldBy: await this.#heldBy(record),
    };
  }

  /** What has succeeded is done, whatever its code told last; a task that failed has come as far as it told. */
  async #progress({ kind, status, origin }: SignatureRecord, counts: Counts): Promise<Progress> {
    if (status === "SUCCEEDED") return { fraction: 1, note: null };
    if (kind === "task") {
      const { progress } = await this.#runtime.store.notes(this.id, origin);
      return progress ?? { fraction: 0, note: null };
    }
    const { total, succeeded, failed, skipped } = counts;
    return { fraction: total === 0 ? 0 : (succeeded + failed + skipped) / total, note: null };
  }

  /** Children by status. @throws NotFoundError (`NOT_FOUND`) */
  async counts(): Promise<Counts> {
    return this.#counts(await this.#record());
  }

  /** What lists show of it. @throws NotFoundError (`NOT_FOUND`) */
  async view(): Promise<SignatureView> {
    return viewOf(await this.#record());
  }

  /**
   * Steps or items by slot, a page (default 100, at most 500) at a time.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a bad cursor or limit.
   */
  async children(page: { cursor?: string; limit?: number } = {}): Promise<Page<SignatureView>> {
    const limit = readLimit(page.limit, MOST_ROWS);
    const after = readCursor(page.cursor, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null));
    const query = { parentId: this.id, of: "children", after, limit } as const;
    const children = await this.#runtime.store.children(query);
    const next = children.length < limit ? null : String(children.at(-1)!.slot);
    return { items: children.map(viewOf), next };
  }

  /**
   * Callbacks that have been stored so far, a page (default 100, at most 500) at a time.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a bad cursor or limit.
   */
  async callbacks(page: { cursor?: string; limit?: number } = {}): Promise<Page<SignatureView>> {
    const limit = readLimit(page.limit, MOST_ROWS);
    const after = readCursor(page.cursor, (text) => (text.startsWith(`${this.id}.`) ? text : null));
    const query = { parentId: this.id, of: "callbacks", after, limit } as const;
    const callbacks = await this.#runtime.store.children(query);
    const next = callbacks.length < limit ? null : callbacks.at(-1)!.id;
    return { items: callbacks.map(viewOf), next };
  }

  /** The results of a swarm's items in item order, for any number of items; those that have not ended come with their status. */
  async *results(): AsyncGenerator<ItemResult> {
    let after: number | null = null;
    for (;;) {
      const query = { parentId: this.id, of: "children", after, limit: PAGE } as const;
      const items: SignatureRecord[] = await this.#runtime.store.children(query);
      for (const item of items) {
        const { slot: index, key, id, status, error } = item;
        yield {
          index,
          ...(key === null ? {} : { key }),
          id,
          status,
          ...(status === "SUCCEEDED" ? { result: decode(await resultText(this.#runtime.reader, item)) } : {}),
          ...(status === "FAILED" && error !== null ? { error } : {}),
        };
      }
      if (items.length < PAGE) return;
      after = items.at(-1)!.slot;
    }
  }

  /**
   * What happens to it and inside it, from now on or from after `since`. Ends when it is settled. Events come in the order of
   * `seq`, which has no gaps over a whole workflow.
   *
   * @throws NotFoundError (`NOT_FOUND`), MageFlowError (`INVALID_ARGUMENT`) for a `since` that is no `seq`.
   */
  async *events(options: { since?: number } = {}): AsyncGenerator<FlowEvent> {
    const since = options.since === undefined ? null : readSeq(options.since, "since");
    const { rootId } = await this.#record();
    let after = since ?? (await this.#runtime.store.lastSeq(rootId));
    using doorbell = new Doorbell(this.#runtime, rootId);
    for (;;) {
      doorbell.reset();
      const over = isSettled(await this.#record());
      const page = await this.#runtime.store.journal({ rootId, after, limit: PAGE });
      for (const event of page) {
        after = event.seq;
        if (event.id === this.id || this.id === rootId || event.id.startsWith(`${this.id}.`)) yield event;
      }
      if (page.length === 0) {
        if (over) return;
        await doorbell.rung();
      }
    }
  }

  /**
   * Stored log lines of it, or with `inside` of the whole workflow, oldest first, a page (default 100, at most 1,000) at a time. Pass the
   * last line's `seq` as `after` to go on.
   *
   * @throws NotFoundError (`NOT_FOUND`), MageFlowError (`INVALID_ARGUMENT`) for a bad filter.
   */
  async logs(
    options: Partial<Omit<LogQuery, "id" | "rootId">> & { inside?: boolean } = {},
  ): Promise<LogRow[]> {
    const { inside = false, ...filter } = options;
    const query = logQuery(filter);
    const { id, rootId } = await this.#record();
    return this.#runtime.store.logs({ ...query, ...(flag("inside", inside) ? { rootId } : { id }) });
  }

  /**
   * Starts what `mage.create` stored, with a message to it. What is suspended begins with it when it is resumed. Starting again is a
   * no-op.
   *
   * @throws ValidationError (`VALIDATION`) when an input that is complete now does not fit its schema; nothing is started then.
   * @throws NotFoundError (`NOT_FOUND`), IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is inside a container.
   */
  async start(message?: unknown): Promise<void> {
    const text = message === undefined ? null : encode(message, "message");
    const { role, status } = await this.#begin(text);
    if (role === "root") return;
    const hint = "its container starts it when it is its turn";
    throw new IllegalTransitionError(this.id, "start", status, hint);
  }

  /**
   * What has not started does not start; what runs, ends. Costs one write whatever the size. Suspending again is a no-op.
   *
   * @throws AlreadyRunningError (`ALREADY_RUNNING`) for a task that is running; IllegalTransitionError (`ILLEGAL_TRANSITION`), NotFoundError.
   */
  async suspend(): Promise<void> {
    await this.#tell({ type: "suspend" }, { action: "suspend" });
  }

  /**
   * Goes on where it was suspended or interrupted; what was interrupted does so in its next generation, with its finished steps and
   * checkpoints. Resuming what is neither is a no-op. `clean` is false when code of it had to be given up, and may still go on
   * somewhere.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has ended, LockedError (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError.
   */
  async resume(): Promise<{ clean: boolean }> {
    return this.#change(
      (batch, record) => {
        const clean = record.stop?.clean ?? true;
        batch.tell(record, { type: "resume" });
        return { clean };
      },
      { action: "resume" },
    );
  }

  /**
   * Stops it, whatever its status, and keeps it: nothing in it starts any more, what runs is told by `ctx.signal` and gets `grace`
   * (default `"10s"`) to end by itself, after which nothing that it still does has an effect. Its cleanups run. Resolves when it
   * has stopped; interrupting again is a no-op.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has ended, LockedError (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError.
   */
  async interrupt(options: { reason?: string; grace?: Duration } = {}): Promise<void> {
    const grace = options.grace === undefined ? GRACE_MS : milliseconds(options.grace, "grace");
    const reason = options.reason ?? null;
    const { actor } = this.#runtime;
    await this.#tell(
      { type: "halt", verb: "interrupt", actor, reason, grace, by: null },
      { action: "interrupt", reason },
    );
    await this.#runtime.waiters.until(
      this.id,
      ({ status }) => status === "INTERRUPTED" || isEnded(status),
      null,
    );
  }

  /**
   * Begins what has ended again, in its next generation, with `message` in the place of the one that it was given before. Takes a
   * mark of deletion away.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has not ended, and for what is inside another signature; LockedError
   *   (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError (`GONE`) once it was purged.
   */
  async rerun(message?: unknown): Promise<void> {
    const text = message === undefined ? null : encode(message, "message");
    const record = await this.#record();
    const { store, check } = this.#runtime;
    if (check !== null && text !== null) await checkStart(store, { ...record, message: text }, check);
    await this.#tell({ type: "rerun", ...(text === null ? {} : { message: text }) }, { action: "rerun" });
  }

  /**
   * Marks the workflow for deletion: it is removed after a span, or at an instant, when nothing of it is open. What runs goes on to
   * its end; what has not started does not start unless the mark is taken away. Marking again is a no-op: see {@link extend}.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not a root, MageFlowError (`INVALID_ARGUMENT`) for a bad time, LockedError,
   *   NotFoundError, GoneError.
   */
  async delete(options: { after?: Duration; at?: Date | number; reason?: string }): Promise<void> {
    const purgeAt = this.#instant(options);
    const reason = options.reason ?? null;
    const { actor } = this.#runtime;
    await this.#change(
      (batch, record) =>
        void batch.tell(record, { type: "delete", purgeAt: purgeAt(batch.now), by: actor, reason }),
      { action: "delete", reason },
    );
  }

  /** Takes the mark of deletion away; what was to start and did not, starts. A no-op without a mark. @throws as {@link delete} */
  async restore(): Promise<void> {
    await this.#tell({ type: "restore" }, { action: "restore" });
  }

  /** Moves the time of a marked workflow's deletion. @throws as {@link delete}, and for what is not marked */
  async extend(options: { after?: Duration; at?: Date | number }): Promise<void> {
    const purgeAt = this.#instant(options);
    await this.#change(
      (batch, record) => void batch.tell(record, { type: "extend", purgeAt: purgeAt(batch.now) }),
      { action: "extend" },
    );
  }

  /**
   * Removes the workflow at once. A tombstone answers those who ask for it later.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) while anything of it is open, and as {@link delete}.
   */
  async purgeNow(options: { reason?: string } = {}): Promise<void> {
    const reason = options.reason ?? null;
    const { actor } = this.#runtime;
    await this.#change(
      async (batch, record) => {
        await requireClosed(batch, record);
        const { now } = batch;
        batch.tell(record, { type: "delete", purgeAt: now, by: actor, reason });
        await condemn(batch, batch.tell(batch.get(this.id)!, { type: "extend", purgeAt: now }));
      },
      { action: "purge", reason },
    );
    await this.#runtime.reconciler.tick();
  }

  /** What cancelling it would remove, and what it takes to do so; nothing happens before `confirm()`. @throws as {@link delete} */
  planCancel(): Promise<CancelPlan> {
    return planCancel(this.#runtime, [this.id]);
  }

  /**
   * Keeps others from changing its status and from deleting it for a time (default `"30s"`), through this handle only; see `release`.
   *
   * @throws LockedError (`LOCKED`) while somebody else holds it, NotFoundError, GoneError.
   */
  lock(options: { for?: Duration } = {}): Promise<RunLock> {
    const span = milliseconds(options.for ?? "30s", "for");
    return lock(this.#runtime, {
      id: this.id,
      token: this.#token,
      span,
      onHeld: (token) => {
        this.#token = token;
      },
    });
  }

  /** The instant that a span from now or a date gives, once the store's time is known. */
  #instant({ after, at }: { after?: Duration; at?: Date | number }): (now: number) => number {
    if ((after === undefined) === (at === undefined)) {
      throw new MageFlowError("INVALID_ARGUMENT", "give either `after`, a span, or `at`, an instant");
    }
    if (after !== undefined) {
      const span = milliseconds(after, "after");
      return (now) => now + span;
    }
    const instant = Number(at);
    if (!Number.isFinite(instant)) throw new MageFlowError("INVALID_ARGUMENT", "`at` is not a valid time");
    return () => instant;
  }

  /** An open swarm takes no more items. Closing again is a no-op. @throws IllegalTransitionError, NotFoundError */
  async close(): Promise<void> {
    await this.#change((batch, record) => {
      requireSwarm(record, "close");
      batch.tell(record, { type: "close" });
    });
  }

  /**
   * Adds items to an open swarm, all or none; they run as its concurrency allows. An item whose key is known adds nothing.
   * Returns a handle for each, in order. At most 10,000 at a time, and 20,000 signatures with what is inside them.
   *
   * @throws SwarmClosedError (`SWARM_CLOSED`), InvalidPlanError (`INVALID_PLAN`), NotFoundError (`NOT_FOUND`), ValidationError (`VALIDATION`) when
   *   an input that is complete does not fit its schema.
   */
  async addTasks(plans: Iterable<AnyPlan>): Promise<Run[]> {
    return this.#add(plans, false);
  }

  /** {@link addTasks}, and starts the swarm when it has not been started. */
  async addTasksAndRun(plans: Iterable<AnyPlan>): Promise<Run[]> {
    return this.#add(plans, true);
  }

  /** {@link addTasksAndRun} for one. */
  async addTaskAndRun<Out>(plan: AnyPlan & { readonly "~flow"?: { readonly out: Out } }): Promise<Run<Out>> {
    const [run] = await this.#add([plan], true);
    return run as Run<Out>;
  }

  async #add(given: Iterable<AnyPlan>, start: boolean): Promise<Run[]> {
    const plans = plansToAdd(given);
    const { check } = this.#runtime;
    const ids = await this.#change((batch, record) => addItems(batch, record, plans, check));
    if (start) await this.#begin(null);
    return ids.map((id) => new Run(this.#runtime, id));
  }

  /** Starts a root that has not been started; returns what stood here before. */
  async #begin(message: string | null): Promise<SignatureRecord> {
    const record = await this.#record();
    if (!isUnstarted(record)) return record;
    const { store, check } = this.#runtime;
    if (check !== null) await checkStart(store, { ...record, message }, check);
    await this.#change((batch, now) => {
      if (!isUnstarted(now)) return;
      batch.put({ ...now, message });
      batch.tell(batch.get(now.id)!, { type: "start" });
    });
    return record;
  }

  async #tell(signal: Signal, deed?: Control<void>["deed"]): Promise<void> {
    await this.#change((batch, record) => void batch.tell(record, signal), deed);
  }

  /** One change of this signature in a transaction. */
  #change<T>(apply: Control<T>["apply"], deed?: Control<T>["deed"]): Promise<T> {
    const { id } = this;
    return control(this.#runtime, { id, token: this.#token, apply, ...(deed === undefined ? {} : { deed }) });
  }

  async #record(): Promise<SignatureRecord> {
    const [record] = await this.#runtime.store.get([this.id]);
    if (record === undefined) throw await missing(this.#runtime.store, this.id);
    return record;
  }

  async #counts(record: SignatureRecord): Promise<Counts> {
    const open = record.family === null ? new Map() : await this.#runtime.store.tally(this.id, OPEN_STATUSES);
    return countsOf(record, open);
  }

  async #heldBy(record: SignatureRecord): Promise<string | null> {
    let parentId = isEnded(record.status) ? null : record.parentId;
    while (parentId !== null) {
      const [parent]: SignatureRecord[] = await this.#runtime.store.get([parentId]);
      if (parent === undefined) return null;
      if (parent.status === "SUSPENDED" || hasStopped(parent)) return parent.id;
      parentId = parent.parentId;
    }
    return null;
  }
}

/** What was cancelled and is removed by now, was cancelled. */
function asCancelled(error: unknown): never {
  throw error instanceof GoneError && error.action === "cancel"
    ? new CancelledError(error.id, error.reason)
    : error;
}

function isUnstarted({ role, readyAt, status }: SignatureRecord): boolean {
  return role === "root" && readyAt === null && (status === "PENDING" || status === "SUSPENDED");
}

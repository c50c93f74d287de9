import { type Duration, millisecondsGiven } from "../core/duration.ts";
import {
  CancelledError,
  GoneError,
  InterruptedError,
  type StoredError,
  WorkflowFailedError,
} from "../core/errors.ts";
import type { FlowEvent, Progress } from "../core/event.ts";
import type { AnyPlan } from "../core/flow.ts";
import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { above, standsInCleanup } from "../core/ids.ts";
import { locksOn } from "../core/lock.ts";
import { decode } from "../core/payload.ts";
import { isCancelled, isSettled, type SignatureRecord } from "../core/record.ts";
import type { ItemResult } from "../core/result.ts";
import { isEnded, type Status } from "../core/status.ts";
import { hasStopped } from "../core/view.ts";
import type { ChildQuery, LogQuery, LogRow } from "../ports/store.ts";
import { addItems, plansToAdd, requireSwarm } from "./add-items.ts";
import type { Batch } from "./batch.ts";
import { missing } from "./control.ts";
import { Doorbell } from "./doorbell.ts";
import { flag } from "./filter-arguments.ts";
import { LOGS_OF_ONE, logQuery } from "./log-query.ts";
import { type PageOptions, readPage, readSeq } from "./page-arguments.ts";
import { resultText } from "./results.ts";
import {
  countsOf,
  type Counts,
  type RunStatus,
  type RunStatusLock,
  shownStatus,
  type SignatureView,
  viewOf,
} from "./signature-view.ts";
import { Steering } from "./steering.ts";
import { openParts } from "./what-is-open.ts";

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

interface Wait {
  timeout?: Duration;
}

const WAIT: OptionNames<Wait> = { timeout: true };

interface Since {
  since?: number;
}

const SINCE: OptionNames<Since> = { since: true };
const OPEN_STATUSES = ["READY", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED"] as const;
const PAGE = 500;

/** A handle on a stored signature: to wait for it, watch it and steer it. Making one reads nothing. */
export class Run<O = unknown> extends Steering {
  /**
   * The result, when it has succeeded. Waits as long as it takes, through suspensions too; with `timeout`, at most that. What belongs to a
   * workflow that was cancelled has none any more, whether it has been removed yet or not.
   *
   * @throws WorkflowFailedError (`WORKFLOW_FAILED`) when it failed or was skipped, InterruptedError (`INTERRUPTED`), CancelledError
   *   (`CANCELLED`), WaitTimeoutError (`WAIT_TIMEOUT`), NotFoundError (`NOT_FOUND`), GoneError (`GONE`) once it was removed.
   */
  async result(options: Wait = {}): Promise<O> {
    // What is resumed while it still stops goes on by itself.
    const done = ({ status, stop }: SignatureRecord): boolean =>
      isEnded(status) || (status === "INTERRUPTED" && !stop!.resumes);
    const record = await this.#until(done, options);
    switch (record.status) {
      case "SUCCEEDED":
        return decode(await resultText(this.runtime.reader, record)) as O;
      case "INTERRUPTED":
        throw new InterruptedError(this.id, record.stop?.reason);
      default:
        throw new WorkflowFailedError(this.id, record.name, record.error);
    }
  }

  /**
   * Waits until it and everything under it, callbacks and cleanups included, has ended, and tells the outcome. A failure is
   * an outcome, not an exception. A callback that somebody has stopped is waited for until it is resumed, or all of it is cancelled.
   *
   * @throws WaitTimeoutError (`WAIT_TIMEOUT`), and NotFoundError (`NOT_FOUND`) or GoneError (`GONE`) where there is no outcome to tell: it is
   *   not known, or was deleted or removed when its time was over. What was cancelled is `CANCELLED`.
   */
  async settled(options: Wait = {}): Promise<Settled<O>> {
    const record = await this.#until(isSettled, options).catch((error: unknown) => {
      if (error instanceof CancelledError) return null;
      throw error;
    });
    if (record === null) return { id: this.id, status: "CANCELLED" };
    const { id, status, error } = record;
    if (status === "SUCCEEDED") {
      return { id, status, result: decode(await resultText(this.runtime.reader, record)) as O };
    }
    return status === "FAILED" && error !== null ? { id, status, error } : { id, status };
  }

  /**
   * The record as soon as `done` holds for it. What had ended before its workflow was cancelled keeps its status until it is removed, and
   * counts as cancelled all the same; cleanups do not, which run nevertheless.
   *
   * @throws CancelledError (`CANCELLED`), WaitTimeoutError (`WAIT_TIMEOUT`), NotFoundError (`NOT_FOUND`), GoneError (`GONE`).
   */
  async #until(done: (record: SignatureRecord) => boolean, options: Wait): Promise<SignatureRecord> {
    const timeout = longest(options);
    const record = await this.runtime.waiters.until(this.id, done, timeout).catch(asCancelled);
    const { role, rootId } = record;
    if (standsInCleanup(this.id, rootId)) return record;
    const [root] = role === "root" ? [record] : await this.runtime.store.get([rootId]);
    if (root === undefined) return asCancelled(await missing(this.runtime.store, this.id));
    if (isCancelled(root)) throw new CancelledError(this.id, root.stop!.reason);
    return record;
  }

  /** @throws NotFoundError (`NOT_FOUND`) */
  async status(): Promise<RunStatus> {
    const record = await this.record();
    const counts = await this.#counts(record);
    const { status } = record;
    return {
      status: shownStatus(record),
      execution: status,
      deletion: record.deletion,
      counts,
      progress: await this.#progress(record, counts),
      heldBy: await this.#heldBy(record),
      locks: await this.#locks(record),
      open: isEnded(status) && !isSettled(record) ? await openParts(this.runtime.store, record) : [],
    };
  }

  /** What has succeeded is done, whatever its code told last; a task that failed has come as far as it told. */
  async #progress({ kind, status, origin }: SignatureRecord, counts: Counts): Promise<Progress> {
    if (status === "SUCCEEDED") return { fraction: 1, note: null };
    if (kind === "task") {
      const { progress } = await this.runtime.store.notes(this.id, origin);
      return progress ?? { fraction: 0, note: null };
    }
    const { total, succeeded, failed, skipped } = counts;
    return { fraction: total === 0 ? 0 : (succeeded + failed + skipped) / total, note: null };
  }

  /** Children by status. @throws NotFoundError (`NOT_FOUND`) */
  async counts(): Promise<Counts> {
    return this.#counts(await this.record());
  }

  /** What lists show of it. @throws NotFoundError (`NOT_FOUND`) */
  async view(): Promise<SignatureView> {
    return viewOf(await this.record());
  }

  /**
   * Steps or items by slot, a page (default 100, at most 500) at a time; with `status`, those that have one of these.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for an unknown option, a bad cursor, limit or status, NotFoundError (`NOT_FOUND`), GoneError (`GONE`).
   */
  async children(page: PageOptions = {}): Promise<Page<SignatureView>> {
    const query = readPage(page, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null));
    const children = await this.#page({ of: "children", ...query });
    const next = children.length < query.limit ? null : String(children.at(-1)!.slot);
    return { items: children.map(viewOf), next };
  }

  /**
   * Callbacks that have been stored so far, a page (default 100, at most 500) at a time; with `status`, those that have one of these.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for an unknown option, a bad cursor, limit or status, NotFoundError (`NOT_FOUND`), GoneError (`GONE`).
   */
  async callbacks(page: PageOptions = {}): Promise<Page<SignatureView>> {
    const query = readPage(page, (text) => (text.startsWith(`${this.id}.`) ? text : null));
    const callbacks = await this.#page({ of: "callbacks", ...query });
    const next = callbacks.length < query.limit ? null : callbacks.at(-1)!.id;
    return { items: callbacks.map(viewOf), next };
  }

  /**
   * The results of a swarm's items in item order, for any number of items; those that have not ended come with their status.
   *
   * @throws NotFoundError (`NOT_FOUND`), GoneError (`GONE`) also when it is removed before the last of them was read.
   */
  async *results(): AsyncGenerator<ItemResult> {
    let after: number | null = null;
    for (;;) {
      const items: SignatureRecord[] = await this.#page({ of: "children", after, limit: PAGE });
      for (const item of items) {
        const { slot: index, key, id, status, error } = item;
        yield {
          index,
          ...(key === null ? {} : { key }),
          id,
          status,
          ...(status === "SUCCEEDED" ? { result: decode(await resultText(this.runtime.reader, item)) } : {}),
          ...(status === "FAILED" && error !== null ? { error } : {}),
        };
      }
      if (items.length < PAGE) return;
      after = items.at(-1)!.slot;
    }
  }

  /** A page that is not full is the last one, unless what it is of was removed meanwhile. */
  async #page(query: Omit<ChildQuery, "parentId">): Promise<SignatureRecord[]> {
    const page = await this.runtime.store.children({ parentId: this.id, ...query });
    if (page.length < query.limit) await this.record();
    return page;
  }

  /**
   * What happens to it and inside it, from now on or from after `since`. Ends when it is settled. Events come in the order of
   * `seq`, which has no gaps over a whole workflow.
   *
   * @throws NotFoundError (`NOT_FOUND`), MageFlowError (`INVALID_ARGUMENT`) for an unknown option, or a `since` that is no `seq`.
   */
  async *events(options: Since = {}): AsyncGenerator<FlowEvent> {
    requireArguments(options, SINCE, "a look at events");
    const since = options.since === undefined ? null : readSeq(options.since, "since");
    const { rootId } = await this.record();
    let after = since ?? (await this.runtime.store.lastSeq(rootId));
    this.runtime.lookAfterAll();
    using doorbell = new Doorbell(this.runtime, rootId);
    for (;;) {
      doorbell.reset();
      const over = isSettled(await this.record());
      const page = await this.runtime.store.journal({ rootId, after, limit: PAGE });
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
    const query = logQuery(options, LOGS_OF_ONE);
    const inside = flag("inside", options.inside ?? false);
    const { id, rootId } = await this.record();
    return this.runtime.store.logs({ ...query, ...(inside ? { rootId } : { id }) });
  }

  /** An open swarm takes no more items. Closing again is a no-op. @throws IllegalTransitionError, NotFoundError */
  async close(): Promise<void> {
    const close = (batch: Batch, record: SignatureRecord): void => {
      requireSwarm(record, "close");
      batch.tell(record, { type: "close" });
    };
    await this.change(close, undefined, "itself");
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
    const { check } = this.runtime;
    const add = (batch: Batch, record: SignatureRecord): Promise<string[]> =>
      addItems(batch, record, plans, check);
    const ids = await this.change(add, undefined, "itself");
    if (start) await this.begin(null);
    return ids.map((id) => new Run(this.runtime, id));
  }

  async #counts(record: SignatureRecord): Promise<Counts> {
    const open = record.family === null ? new Map() : await this.runtime.store.tally(this.id, OPEN_STATUSES);
    return countsOf(record, open);
  }

  async #locks(record: SignatureRecord): Promise<RunStatusLock[]> {
    const around = await this.runtime.store.get(above(record.id));
    const byId = new Map(around.map((at) => [at.id, at]));
    const { storeTime: now } = this.runtime;
    const view = { now, get: (id: string) => byId.get(id) };
    return [...locksOn(view, record, "tree")].map(({ id, by, until }) => ({ id, by, until }));
  }

  async #heldBy(record: SignatureRecord): Promise<string | null> {
    let parentId = isEnded(record.status) ? null : record.parentId;
    while (parentId !== null) {
      const [parent]: SignatureRecord[] = await this.runtime.store.get([parentId]);
      if (parent === undefined) return null;
      if (parent.status === "SUSPENDED" || hasStopped(parent)) return parent.id;
      parentId = parent.parentId;
    }
    return null;
  }
}

/** Milliseconds that somebody waits at most, or null. */
function longest(options: Wait): number | null {
  requireArguments(options, WAIT, "a wait");
  return options.timeout === undefined ? null : millisecondsGiven(options.timeout, "timeout");
}

/** What was cancelled and is removed by now, was cancelled. */
function asCancelled(error: unknown): never {
  throw error instanceof GoneError && error.action === "cancel"
    ? new CancelledError(error.id, error.reason)
    : error;
}

import { CancelledError, InterruptedError, ShutdownError } from "../core/errors.ts";
import type { SignatureRecord } from "../core/record.ts";
import { loss } from "../core/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Attempt } from "./attempt.ts";
import type { Committer } from "./committer.ts";
import type { TaskLease } from "./task-lease.ts";
import { warn } from "./warning.ts";

/** A task that a worker may write for. */
export interface HeldTask {
  readonly lease: TaskLease;
  /** The run of its code; null before it begins. */
  attempt: Attempt | null;
}

interface HeldTasksParts {
  readonly store: Store;
  /** The store with nothing in front of it. */
  readonly truth: Store;
  readonly clock: Clock;
  readonly committer: Committer;
  /** How long code that was told to stop may take, in ms. */
  readonly grace: number;
}

/** Log lines wait this long (ms) to be stored together; they are stored with the task's end at the latest. */
const LOG_DELAY_MS = 200;
/** Orders to stop that are looked at when a doorbell rings. */
const STOPS = 500;
/** What ending a thread or process takes (ms) is taken from the end of its grace, and never more than this part of it. */
const KILLING_MS = 25;
const KILLING_PART = 0.1;

/** The tasks that a worker holds, and what ends that before they do: an order to stop, the loss of its session, its own stop. */
export class HeldTasks {
  readonly #parts: HeldTasksParts;
  readonly #held = new Map<string, HeldTask>();
  #looking = false;
  #flushing = false;

  constructor(parts: HeldTasksParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  add(task: HeldTask): void {
    const { record } = task.lease;
    // Taken again by the worker that had lost it and did not know: the earlier run is as stale as any other.
    const stale = this.#held.get(record.id);
    if (stale !== undefined) {
      stale.lease.giveUp();
      this.#tellLoss(stale, record);
    }
    this.#held.set(record.id, task);
  }

  /** The task has ended, or was given up; another run of it may be held by now. */
  remove(task: HeldTask): void {
    const { id } = task.lease.record;
    if (this.#held.get(id) === task) this.#held.delete(id);
  }

  /** Orders to stop that other processes gave. */
  async lookForStops(): Promise<void> {
    if (this.isEmpty || this.#looking) return;
    this.#looking = true;
    try {
      for (const record of await this.#parts.store.stops(STOPS)) this.stop(record);
    } catch {
      // The next doorbell asks again, and a grace that is over fences the task off in any case.
    } finally {
      this.#looking = false;
    }
  }

  /** Obeys the order that stands in the record, if that is held here. */
  stop({ id, epoch, status, stop }: SignatureRecord): void {
    const task = this.#held.get(id);
    if (task === undefined || task.lease.record.epoch !== epoch || status !== "RUNNING" || stop === null)
      return;
    const { verb, reason, until } = stop;
    const grace = Math.max(0, until - this.#parts.committer.storeTime());
    // What can be ended is gone before the grace is over and somebody else gives it up.
    const killing = task.attempt?.isElsewhere === true ? Math.min(KILLING_MS, grace * KILLING_PART) : 0;
    task.attempt?.stop(
      verb === "cancel" ? new CancelledError(id, reason) : new InterruptedError(id, reason),
      grace - killing,
    );
  }

  /** Nothing has an effect any more, at once; the code is told as soon as it is known what has become of its task. */
  async abandonAll(): Promise<void> {
    const tasks = [...this.#held.values()];
    this.#held.clear();
    for (const { lease } of tasks) lease.giveUp();
    const ids = tasks.map(({ lease }) => lease.record.id);
    const records = await this.#parts.truth.get(ids).catch(() => []);
    const found = new Map(records.map((record) => [record.id, record]));
    for (const task of tasks) this.#tellLoss(task, found.get(task.lease.record.id));
  }

  /** Hands all back, to be taken by other workers at once. What the store refuses stays held. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#held.values()].map((task) => this.#release(task)));
  }

  /** Log lines are stored together. */
  async flushSoon(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    await this.#parts.clock.sleep(LOG_DELAY_MS);
    this.#flushing = false;
    for (const { lease } of this.#held.values()) void lease.flush().catch(warn);
  }

  /** Stops the code of a task that was given up, which is `now` as it stands. */
  #tellLoss({ lease, attempt }: HeldTask, now: SignatureRecord | undefined): void {
    attempt?.stop(loss(lease.record, now), this.#parts.grace);
  }

  async #release({ lease, attempt }: HeldTask): Promise<void> {
    attempt?.abort(new ShutdownError());
    await lease.release(attempt?.letGo());
    this.#held.delete(lease.record.id);
  }
}

import type { Demand } from "../core/choose.ts";
import type { ResumeRules } from "../core/recovery.ts";
import type { Clock } from "../ports/clock.ts";
import type { Carrier } from "../ports/engine.ts";
import type { Notes, Store } from "../ports/store.ts";
import type { Assignment } from "./assignment.ts";
import { Attempt } from "./attempt.ts";
import type { Claimer, Commit, Committer } from "./committer.ts";
import { goesOn } from "./going-on.ts";
import type { Handler } from "./handler.ts";
import { type HeldTask, HeldTasks } from "./held-tasks.ts";
import { insist } from "./insist.ts";
import { IsolatePool } from "./isolate/isolate-pool.ts";
import { IsolatedCode } from "./isolate/isolated-code.ts";
import type { Offers } from "./offers.ts";
import { Refusals } from "./refusals.ts";
import { Session } from "./session.ts";
import { sleepUntil } from "./sleep-until.ts";
import { Supply } from "./supply.ts";
import { guardStrays } from "./stray.ts";
import { type LeaseKeeper, TaskLease } from "./task-lease.ts";
import { warn } from "./warning.ts";
import { settingsOf, type WorkerOptions, type WorkerSettings } from "./worker-options.ts";

/** What a worker is made from. */
export interface WorkerParts {
  readonly store: Store;
  /** The store with nothing in front of it: what a task goes on with is as it was committed last. */
  readonly truth: Store;
  readonly clock: Clock;
  readonly committer: Committer;
  /** What brings it tasks, or null when it takes them from the store. */
  readonly carrier: Carrier | null;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** What becomes of its tasks when it is lost. */
  readonly autoResume: ResumeRules;
  /** The program of a thread or process that runs tasks. */
  readonly isolateEntry: URL;
  newSession(): string;
  readonly newId: () => string;
  /** Why a task that goes on from an earlier run may not, as its code tells; null when it may. */
  readonly refusal: (assignment: Assignment, handler: Handler) => Promise<string | null>;
  /** Stores and starts a plan for a task that runs here. */
  readonly launch: LeaseKeeper["launch"];
  readonly check: LeaseKeeper["check"];
}

/** A task that was brought, and is locked by another transaction, is looked at again after this time (ms). */
const BUSY_MS = 20;
/** As long as a timer may be; what matters is that there is one. */
const STAY_MS = 3_600_000;

/**
 * Runs tasks. It claims what it has room for in the same transactions that store what has ended, holds all its leases
 * by one session, and starts a new session when the old one was declared dead.
 */
export class Worker implements Claimer, AsyncDisposable {
  readonly #parts: WorkerParts;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #concurrency: number;
  readonly #grace: number;
  readonly #settings: WorkerSettings;
  readonly #keeper: LeaseKeeper;
  readonly #held: HeldTasks;
  readonly #refusals: Refusals;
  readonly #running = new Map<string, number>();
  /** Everything whose code runs, that which was given up included. */
  readonly #attempts = new Set<Attempt>();
  readonly #isolates: IsolatePool;
  readonly #supply: Supply;
  #occupied = 0;
  #session: Session;
  #hungry = true;
  /** How often somebody rang, and how often of it had been heard when tasks were last asked for. */
  #rings = 0;
  #heard = 0;
  #accepting = false;
  #stopped: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;
  #leave: (() => void)[] = [];
  readonly #staying = new AbortController();

  constructor(parts: WorkerParts, options: WorkerOptions = {}) {
    this.#parts = parts;
    this.#settings = settingsOf(options, parts.handlers);
    const { concurrency, handlers, lease, grace } = this.#settings;
    this.#concurrency = concurrency;
    this.#handlers = handlers;
    this.#grace = grace;
    this.#supply = new Supply({ carrier: parts.carrier, handlers, concurrency, lease });
    this.#session = this.#newSession();
    this.#isolates = new IsolatePool(parts.isolateEntry, parts.clock);
    const { store, truth, committer, clock, launch, check, newId } = parts;
    this.#held = new HeldTasks({ store, truth, clock, committer, grace });
    this.#refusals = new Refusals({ session: () => this.id, newId });
    this.#keeper = {
      committer,
      clock,
      launch,
      check,
      grace,
      stopping: () => this.#stopped !== null,
      logsWait: () => void this.#held.flushSoon(),
    };
  }

  /** The id of its session, as `mageflow ps` and records show it. */
  get id(): string {
    return this.#session.id;
  }

  /** Attempts that occupy a slot now, those that ignore their signal included. */
  get running(): number {
    return this.#occupied;
  }

  /** Attempts that go on although they were told to stop and their grace is over. They keep their places. */
  get abandoned(): number {
    let count = 0;
    for (const attempt of this.#attempts) if (attempt.abandoned) count++;
    return count;
  }

  /** Registers the session and begins to take tasks. */
  async start(): Promise<void> {
    await this.#session.register(() => this.lose());
    this.#accepting = true;
    const { committer, store } = this.#parts;
    this.#leave = [
      guardStrays(),
      committer.addClaimer(this),
      committer.listen((commit) => this.#onCommit(commit)),
      store.watch(() => this.ring()),
    ];
    this.#supply.start(() => this.#look());
    void this.#stayAlive();
    committer.kick();
  }

  #look(): void {
    this.#rings++;
    this.#hungry = true;
    if (this.#accepting && this.#occupied < this.#concurrency) this.#parts.committer.kick();
  }

  /** What an engine brings; null when there is none, or when it cannot be reached. */
  get offers(): Offers | null {
    return this.#supply.offers;
  }

  get idle(): boolean {
    return this.#accepting && this.#supply.isEmpty && this.#occupied < this.#concurrency;
  }

  /** A process with a worker has something to wait for, though nothing may be ready now. */
  async #stayAlive(): Promise<void> {
    while (!this.#staying.signal.aborted) await this.#parts.clock.sleep(STAY_MS, this.#staying.signal);
  }

  /** Tells that tasks may have become ready somewhere. */
  ring(): void {
    void this.#held.lookForStops();
    this.#supply.widen();
    if (this.offers?.size !== 0) this.#look();
  }

  /** False when the store had less than was asked for, and nobody has rung since. */
  get hungry(): boolean {
    return this.#hungry;
  }

  demand(ready = false): Demand | null {
    this.#heard = this.#rings;
    const slots = this.#concurrency - this.#occupied;
    const { offers } = this;
    const wants = offers === null ? this.#hungry || ready : this.#hungry && offers.size > 0;
    if (!this.#accepting || slots === 0 || !wants) return null;
    const tasks = new Map<string, number>();
    for (const [name, { concurrency }] of this.#handlers) {
      const room =
        concurrency === null ? slots : Math.min(slots, concurrency - (this.#running.get(name) ?? 0));
      if (room > 0) tasks.set(name, room);
    }
    return tasks.size === 0 ? null : { workerId: this.id, slots, tasks };
  }

  receive(assignments: readonly Assignment[], more: boolean): void {
    this.#hungry = (more && this.offers === null) || this.#rings !== this.#heard;
    if (more && this.offers !== null) void this.#lookAgain();
    for (const assignment of assignments) {
      // What cannot be stored before this worker stops is recovered by another when the lease lapses.
      void this.#serve(assignment).catch(warn);
    }
  }

  /** Some of what was brought is locked by a transaction that is under way. */
  async #lookAgain(): Promise<void> {
    await this.#parts.clock.sleep(BUSY_MS);
    this.#look();
  }

  /**
   * Takes nothing more, lets running tasks end for the grace, then aborts the rest with `ShutdownError` and hands them to
   * other workers at once. What those of them that heed it have deferred has a grace of its own; isolated ones have 100 ms to come to it,
   * and are ended before they are handed over if they do not. Resolves when nothing of it is left to do. Stopping again waits for the same.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#accepting = false;
    const nothingComes = this.#supply.close();
    // A commit that is under way may bring tasks: they are waited for like the others.
    await this.#parts.committer.run({ locks: [], apply: () => {} }).catch(() => {});
    const idle = new AbortController();
    if (!this.#held.isEmpty) {
      this.#onIdle = () => idle.abort();
      const { clock } = this.#parts;
      await sleepUntil(clock, clock.monotonic() + this.#grace, idle.signal);
    }
    // What the store refuses now goes with the last commit below, or else lapses: the heartbeat stops in any case.
    await this.#held.releaseAll();
    // The process ends when this does. Code that heeds its signal has come to what it had deferred by now.
    await this.#parts.clock.turn();
    await Promise.all([...this.#attempts].map((attempt) => attempt.tidied()));
    await this.#isolates.close();
    this.#staying.abort();
    for (const leave of this.#leave) leave();
    await this.#session.end();
    this.#supply.letGo();
    await nothingComes;
  }

  #newSession(): Session {
    const { store, clock, committer, autoResume } = this.#parts;
    return new Session(this.#parts.newSession(), {
      store,
      clock,
      committer,
      autoResume,
      settings: this.#settings,
    });
  }

  /** The session was declared dead: its tasks belong to others. The worker goes on under a new one. */
  lose(): void {
    void this.#lost().catch(warn);
  }

  async #lost(): Promise<void> {
    void this.#session.silence();
    void this.#held.abandonAll();
    if (!this.#accepting) return;
    this.#accepting = false;
    this.#session = this.#newSession();
    await insist(this.#parts.clock, this.#keeper.stopping, () => this.#session.register(() => this.lose()));
    if (this.#stopped !== null) void this.#session.silence();
    else this.#accepting = true;
    this.ring();
  }

  #onCommit({ changed }: Commit): void {
    for (const { before, now } of changed) {
      if (now.stop !== null && now.stop !== before?.stop) this.#held.stop(now);
    }
    if (this.offers !== null) return;
    for (const { before, now } of changed) {
      if (now.status === "READY" && before?.status !== "READY") {
        this.ring();
        return;
      }
    }
  }

  async #serve(assignment: Assignment): Promise<void> {
    const { record } = assignment;
    const held: HeldTask = { lease: new TaskLease(record, this.#keeper), attempt: null };
    this.#held.add(held);
    const ended = this.#supply.take(record.id);
    this.#occupied++;
    this.#running.set(record.name, (this.#running.get(record.name) ?? 0) + 1);
    try {
      const earlier = this.#notes(held.lease);
      const notes = earlier === null ? null : await earlier;
      if (held.lease.over) return;
      const handler = this.#handlers.get(record.name)!;
      const asked = goesOn(record, notes);
      if (asked) {
        const refusal = await this.#parts.refusal(assignment, handler);
        if (held.lease.over) return;
        if (refusal !== null) return await this.#refusals.park(held.lease, refusal);
      }
      const { isolation } = handler;
      const elsewhere =
        isolation === null
          ? null
          : new IsolatedCode(this.#isolates, isolation, assignment, held.lease, notes);
      held.attempt = new Attempt(assignment, handler, held.lease, notes, elsewhere);
      // Code that ignores its signal keeps its place until it really ends, so that a worker is never over-committed. Code that
      // has ended gives it back at once: the transaction that stores its result can bring the next task.
      const { attempt } = held;
      this.#attempts.add(attempt);
      attempt.start(() => {
        this.#attempts.delete(attempt);
        this.#vacate(record.name);
      });
      // An order that came while it was asked found no code to tell.
      if (asked) void this.#held.lookForStops();
      await held.lease.finish(await held.attempt.outcome);
    } finally {
      if (held.attempt === null) this.#vacate(record.name);
      this.#held.remove(held);
      ended();
      if (this.#hungry) this.#parts.committer.kick();
      if (this.#held.isEmpty) this.#onIdle?.();
    }
  }

  /** What earlier runs of the task have left; null for the first. */
  #notes(lease: TaskLease): Promise<Notes> | null {
    const { id, origin, attempt, epoch } = lease.record;
    const isFirst = attempt <= 1 && epoch <= 1;
    return isFirst ? null : lease.insist(() => this.#parts.truth.notes(id, origin));
  }

  #vacate(name: string): void {
    this.#occupied--;
    this.#running.set(name, this.#running.get(name)! - 1);
    // Tasks of a limited name are left in the store while there is no room for them, and what was brought waits for it.
    if (this.#handlers.get(name)!.concurrency === null && this.#supply.isEmpty) return;
    this.#rings++;
    this.#hungry = true;
  }
}

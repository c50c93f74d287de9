import { hostname } from "node:os";
import type { Demand } from "../core/choose.ts";
import { type Duration, milliseconds, someMilliseconds } from "../core/duration.ts";
import {
  CancelledError,
  InterruptedError,
  InvalidPlanError,
  ShutdownError,
  UnknownTaskError,
} from "../core/errors.ts";
import { inWords } from "../core/in-words.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { ResumeRules } from "../core/recovery.ts";
import { emptyReport, type ResumeEntry, type ResumeReport, withEntries } from "../core/resume-report.ts";
import { loss } from "../core/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { Carrier } from "../ports/engine.ts";
import type { Notes, Store, WorkerRow } from "../ports/store.ts";
import type { Assignment } from "./assignment.ts";
import { Attempt } from "./attempt.ts";
import type { Batch } from "./batch.ts";
import type { Claimer, Commit, Committer } from "./committer.ts";
import { goesOn, noteGoingOn } from "./going-on.ts";
import type { Handler } from "./handler.ts";
import { type Heartbeat, keepAlive } from "./heartbeat.ts";
import { insist } from "./insist.ts";
import { IsolatePool } from "./isolate/isolate-pool.ts";
import { IsolatedCode } from "./isolate/isolated-code.ts";
import type { Offers } from "./offers.ts";
import { sleepUntil } from "./sleep-until.ts";
import { Supply } from "./supply.ts";
import { guardStrays } from "./stray.ts";
import { type LeaseKeeper, TaskLease } from "./task-lease.ts";
import { warn } from "./warning.ts";

export interface WorkerOptions {
  /** Attempts that run at once. Default 100. */
  concurrency?: number;
  /** Names of the tasks to run. Default: all that are registered. */
  tasks?: readonly string[];
  /** Time without a heartbeat after which others take the tasks over. Default `"15s"`. */
  lease?: Duration;
  /** Time between heartbeats. Default `"5s"`. */
  heartbeat?: Duration;
  /** Time that running tasks get to end when they are told to stop. Default `"10s"`. */
  grace?: Duration;
}

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

/** Log lines wait this long (ms) to be stored together; they are stored with the task's end at the latest. */
const LOG_DELAY_MS = 200;
/** Orders to stop that are looked at when a doorbell rings. */
const STOPS = 500;
/** What ending a thread or process takes (ms) is taken from the end of its grace, and never more than this part of it. */
const KILLING_MS = 25;
const KILLING_PART = 0.1;
/** A task that was brought, and is locked by another transaction, is looked at again after this time (ms). */
const BUSY_MS = 20;
/** As long as a timer may be; what matters is that there is one. */
const STAY_MS = 3_600_000;

interface Slot {
  readonly lease: TaskLease;
  attempt: Attempt | null;
}

/**
 * Runs tasks. It claims what it has room for in the same transactions that store what has ended, holds all its leases
 * by one session that a heartbeat extends, and starts a new session when the old one was declared dead.
 */
export class Worker implements Claimer, AsyncDisposable {
  readonly #parts: WorkerParts;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #concurrency: number;
  readonly #lease: number;
  readonly #interval: number;
  readonly #grace: number;
  readonly #keeper: LeaseKeeper;
  readonly #slots = new Map<string, Slot>();
  readonly #running = new Map<string, number>();
  /** Everything whose code runs, that which was given up included. */
  readonly #attempts = new Set<Attempt>();
  readonly #isolates: IsolatePool;
  readonly #supply: Supply;
  #looking = false;
  #occupied = 0;
  #session: string;
  #startedAt: number | null = null;
  #heartbeat: Heartbeat | null = null;
  #hungry = true;
  /** How often somebody rang, and how often of it had been heard when tasks were last asked for. */
  #rings = 0;
  #heard = 0;
  #accepting = false;
  #flushing = false;
  #stopped: Promise<void> | null = null;
  /** Of what it did not let go on. */
  #report: ResumeReport | null = null;
  #onIdle: (() => void) | null = null;
  #leave: (() => void)[] = [];
  readonly #staying = new AbortController();

  constructor(parts: WorkerParts, options: WorkerOptions = {}) {
    this.#parts = parts;
    this.#concurrency = options.concurrency ?? 100;
    if (!Number.isInteger(this.#concurrency) || this.#concurrency < 1) {
      throw new InvalidPlanError(
        `a worker's concurrency is ${this.#concurrency}; give a whole number from 1`,
      );
    }
    this.#lease = milliseconds(options.lease ?? "15s", "lease");
    this.#interval = someMilliseconds(options.heartbeat ?? "5s", "heartbeat");
    this.#grace = milliseconds(options.grace ?? "10s", "grace");
    if (this.#interval * 2 > this.#lease) {
      throw new InvalidPlanError(
        `heartbeat (${this.#interval} ms) is more than half of lease (${this.#lease} ms); one late heartbeat would lose the leases`,
      );
    }
    this.#handlers = chosen(parts.handlers, options.tasks);
    this.#supply = new Supply({
      carrier: parts.carrier,
      handlers: this.#handlers,
      concurrency: this.#concurrency,
      lease: this.#lease,
    });
    this.#session = parts.newSession();
    this.#isolates = new IsolatePool(parts.isolateEntry, parts.clock);
    const { committer, clock, launch, check } = parts;
    this.#keeper = {
      committer,
      clock,
      launch,
      check,
      grace: this.#grace,
      stopping: () => this.#stopped !== null,
      logsWait: () => void this.#flushSoon(),
    };
  }

  /** The id of its session, as `mageflow ps` and records show it. */
  get id(): string {
    return this.#session;
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
    await this.#register();
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
    void this.#lookForStops();
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
    return tasks.size === 0 ? null : { workerId: this.#session, slots, tasks };
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
    if (this.#slots.size > 0) {
      this.#onIdle = () => idle.abort();
      const { clock } = this.#parts;
      await sleepUntil(clock, clock.monotonic() + this.#grace, idle.signal);
    }
    // What the store refuses now goes with the last commit below, or else lapses: the heartbeat stops in any case.
    await Promise.allSettled([...this.#slots.values()].map((slot) => this.#release(slot)));
    // The process ends when this does. Code that heeds its signal has come to what it had deferred by now.
    await this.#parts.clock.turn();
    await Promise.all([...this.#attempts].map((attempt) => attempt.tidied()));
    await this.#isolates.close();
    const silent = this.#heartbeat?.stop();
    this.#staying.abort();
    for (const leave of this.#leave) leave();
    await this.#parts.committer.run({
      locks: [],
      apply: async (batch) => {
        await this.#handBack(batch);
        batch.extras.workers.push(this.#row(batch, batch.now));
      },
    });
    await silent;
    this.#supply.letGo();
    await nothingComes;
  }

  /** Nobody looks for tasks under a session that has ended, so it ends holding none. */
  async #handBack(batch: Batch): Promise<void> {
    const held = await batch.tx.heldByWorker(this.#session, this.#concurrency);
    const ids = held.map(({ id }) => id);
    await batch.lock(ids, { wait: true });
    for (const id of ids) {
      const record = batch.get(id)!;
      noteGoingOn(batch, batch.tell(record, { type: "release", epoch: record.epoch }));
    }
  }

  async #register(): Promise<void> {
    await this.#parts.committer.run({
      locks: [],
      apply: (batch) => void batch.extras.workers.push(this.#row(batch, null)),
    });
    this.#heartbeat = keepAlive({
      store: this.#parts.store,
      clock: this.#parts.clock,
      session: this.#session,
      lease: this.#lease,
      interval: this.#interval,
      onLost: () => this.lose(),
    });
  }

  #row(batch: Batch, endedAt: number | null): WorkerRow {
    this.#startedAt ??= batch.now;
    return {
      id: this.#session,
      host: hostname(),
      pid: process.pid,
      tasks: [...this.#handlers.keys()],
      concurrency: this.#concurrency,
      autoResume: this.#parts.autoResume,
      startedAt: this.#startedAt,
      leaseUntil: batch.now + this.#lease,
      endedAt,
    };
  }

  /** The session was declared dead: its tasks belong to others. The worker goes on under a new one. */
  lose(): void {
    void this.#lost().catch(warn);
  }

  async #lost(): Promise<void> {
    void this.#heartbeat?.stop();
    void this.#abandonAll();
    if (!this.#accepting) return;
    this.#accepting = false;
    this.#session = this.#parts.newSession();
    this.#startedAt = null;
    await insist(this.#parts.clock, this.#keeper.stopping, () => this.#register());
    if (this.#stopped !== null) void this.#heartbeat?.stop();
    else this.#accepting = true;
    this.ring();
  }

  /** Nothing has an effect any more, at once; the code is told as soon as it is known what has become of its task. */
  async #abandonAll(): Promise<void> {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    for (const { lease } of slots) lease.giveUp();
    const ids = slots.map(({ lease }) => lease.record.id);
    const records = await this.#parts.truth.get(ids).catch(() => []);
    const found = new Map(records.map((record) => [record.id, record]));
    for (const slot of slots) this.#tellLoss(slot, found.get(slot.lease.record.id));
  }

  /** Stops the code of a task that was given up, which is `now` as it stands. */
  #tellLoss({ lease, attempt }: Slot, now: SignatureRecord | undefined): void {
    attempt?.stop(loss(lease.record, now), this.#grace);
  }

  #onCommit({ changed }: Commit): void {
    for (const { before, now } of changed) {
      if (now.stop !== null && now.stop !== before?.stop) this.#stopOne(now);
    }
    if (this.offers !== null) return;
    for (const { before, now } of changed) {
      if (now.status === "READY" && before?.status !== "READY") {
        this.ring();
        return;
      }
    }
  }

  /** Orders to stop that other processes gave. */
  async #lookForStops(): Promise<void> {
    if (this.#slots.size === 0 || this.#looking) return;
    this.#looking = true;
    try {
      for (const record of await this.#parts.store.stops(STOPS)) this.#stopOne(record);
    } catch {
      // The next doorbell asks again, and a grace that is over fences the task off in any case.
    } finally {
      this.#looking = false;
    }
  }

  #stopOne({ id, epoch, status, stop }: SignatureRecord): void {
    const slot = this.#slots.get(id);
    if (slot === undefined || slot.lease.record.epoch !== epoch || status !== "RUNNING" || stop === null)
      return;
    const { verb, reason, until } = stop;
    const grace = Math.max(0, until - this.#parts.committer.storeTime());
    // What can be ended is gone before the grace is over and somebody else gives it up.
    const killing = slot.attempt?.isElsewhere === true ? Math.min(KILLING_MS, grace * KILLING_PART) : 0;
    slot.attempt?.stop(
      verb === "cancel" ? new CancelledError(id, reason) : new InterruptedError(id, reason),
      grace - killing,
    );
  }

  async #serve(assignment: Assignment): Promise<void> {
    const { record } = assignment;
    const slot: Slot = { lease: new TaskLease(record, this.#keeper), attempt: null };
    // Taken again by the worker that had lost it and did not know: the earlier run is as stale as any other.
    const stale = this.#slots.get(record.id);
    if (stale !== undefined) {
      stale.lease.giveUp();
      this.#tellLoss(stale, record);
    }
    this.#slots.set(record.id, slot);
    const ended = this.#supply.take(record.id);
    this.#occupied++;
    this.#running.set(record.name, (this.#running.get(record.name) ?? 0) + 1);
    try {
      const earlier = this.#notes(slot.lease);
      const notes = earlier === null ? null : await earlier;
      if (slot.lease.over) return;
      const handler = this.#handlers.get(record.name)!;
      const asked = goesOn(record, notes);
      if (asked) {
        const refusal = await this.#parts.refusal(assignment, handler);
        if (slot.lease.over) return;
        if (refusal !== null) return await this.#park(slot.lease, refusal);
      }
      const { isolation } = handler;
      const elsewhere =
        isolation === null
          ? null
          : new IsolatedCode(this.#isolates, isolation, assignment, slot.lease, notes);
      slot.attempt = new Attempt(assignment, handler, slot.lease, notes, elsewhere);
      // Code that ignores its signal keeps its place until it really ends, so that a worker is never over-committed. Code that
      // has ended gives it back at once: the transaction that stores its result can bring the next task.
      const { attempt } = slot;
      this.#attempts.add(attempt);
      attempt.start(() => {
        this.#attempts.delete(attempt);
        this.#vacate(record.name);
      });
      // An order that came while it was asked found no code to tell.
      if (asked) void this.#lookForStops();
      await slot.lease.finish(await slot.attempt.outcome);
    } finally {
      if (slot.attempt === null) this.#vacate(record.name);
      if (this.#slots.get(record.id) === slot) this.#slots.delete(record.id);
      ended();
      if (this.#hungry) this.#parts.committer.kick();
      if (this.#slots.size === 0) this.#onIdle?.();
    }
  }

  /** What earlier runs of the task have left; null for the first. */
  #notes(lease: TaskLease): Promise<Notes> | null {
    const { id, origin, attempt, epoch } = lease.record;
    const isFirst = attempt <= 1 && epoch <= 1;
    return isFirst ? null : lease.insist(() => this.#parts.truth.notes(id, origin));
  }

  async #park(lease: TaskLease, reason: string): Promise<void> {
    let report = this.#report;
    await lease.park(reason, (batch, fate) => {
      report = this.#tell(batch, fate);
    });
    this.#report = report;
  }

  /** Adds what has become of a task to the report of this session. */
  #tell(batch: Batch, fate: ResumeEntry): ResumeReport {
    const { reports } = batch.extras;
    const by = this.#session;
    const at = reports.findIndex((report) => report.by === by);
    const earlier = at < 0 ? this.#report : reports[at]!;
    const head = { id: this.#parts.newId(), at: batch.now, by, reason: "refused" } as const;
    const report = withEntries(earlier?.by === by ? earlier : emptyReport(head), [fate]);
    if (at < 0) reports.push(report);
    else reports[at] = report;
    return report;
  }

  #vacate(name: string): void {
    this.#occupied--;
    this.#running.set(name, this.#running.get(name)! - 1);
    // Tasks of a limited name are left in the store while there is no room for them, and what was brought waits for it.
    if (this.#handlers.get(name)!.concurrency === null && this.#supply.isEmpty) return;
    this.#rings++;
    this.#hungry = true;
  }

  /** Hands a task back, to be taken by another worker at once. */
  async #release({ lease, attempt }: Slot): Promise<void> {
    attempt?.abort(new ShutdownError());
    await lease.release(attempt?.letGo());
    this.#slots.delete(lease.record.id);
  }

  /** Log lines are stored together. */
  async #flushSoon(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    await this.#parts.clock.sleep(LOG_DELAY_MS);
    this.#flushing = false;
    for (const { lease } of this.#slots.values()) void lease.flush().catch(warn);
  }
}

/** @throws UnknownTaskError (`UNKNOWN_TASK`) for a name that is not registered. */
function chosen(
  handlers: ReadonlyMap<string, Handler>,
  names: readonly string[] | undefined,
): ReadonlyMap<string, Handler> {
  if (names === undefined) return handlers;
  if (!Array.isArray(names)) {
    throw new InvalidPlanError(`the tasks of a worker are ${inWords(names)}; give an array of their names`);
  }
  const tasks = new Map<string, Handler>();
  for (const name of names) {
    const handler = handlers.get(name);
    if (handler === undefined) throw new UnknownTaskError(name, [...handlers.keys()]);
    tasks.set(name, handler);
  }
  return tasks;
}

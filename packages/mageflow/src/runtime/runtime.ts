import { composeInput, type InputLayers } from "../core/compose.ts";
import type { CheckInput } from "../core/door.ts";
import { ClosedError, type StoreError } from "../core/errors.ts";
import { type OptionNames, requireOptions } from "../core/known-options.ts";
import type { Kind } from "../core/plan.ts";
import type { Retention } from "../core/retention.ts";
import type { Clock, IdSource } from "../ports/clock.ts";
import type { Engine } from "../ports/engine.ts";
import type { Store } from "../ports/store.ts";
import type { AutoResume } from "./auto-resume.ts";
import { type Command, Committer } from "./committer.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Handler } from "./handler.ts";
import { launch } from "./launch.ts";
import { Meter } from "./metrics.ts";
import { Reconciler } from "./reconciler.ts";
import { Republisher } from "./republisher.ts";
import type { Reader } from "./results.ts";
import { judge, questionOf } from "./resume-judge.ts";
import { SpecCache } from "./spec-cache.ts";
import { submit, type Submission } from "./submit.ts";
import { refuseMisfit } from "../core/validate.ts";
import { unattributed } from "./stray.ts";
import { Waiters } from "./waiters.ts";
import { Worker } from "./worker.ts";
import type { WorkerOptions } from "./worker-options.ts";

export interface RuntimeParts {
  /** Through which everything is committed, and which answers who looks. */
  readonly store: Store;
  /** The same store with nothing in front of it: for who decides by what it says, and audits. */
  readonly truth: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Who acts, for the audit trail. */
  readonly actor: string;
  /** How long workflows are kept that say nothing of it themselves, by the kind of their root. */
  readonly retain: (kind: Kind) => Retention | null;
  /** What becomes of tasks that have lost their worker. */
  readonly autoResume: AutoResume;
  /** Told once when the store begins to refuse what has to be done for a worker, and again only when it has not meanwhile. */
  readonly onOutage?: (error: StoreError) => void;
  /** The program of a thread or process that runs tasks. */
  readonly isolateEntry: URL;
  /** The registered tasks by name; it may grow while the runtime lives. */
  readonly handlers: ReadonlyMap<string, Handler>;
}

const WORKER_OPTIONS: OptionNames<WorkerOptions> = {
  concurrency: true,
  tasks: true,
  lease: true,
  heartbeat: true,
  grace: true,
};

/** What is closed, for people. */
const THIS = "this MageFlow";

/** One process's connection to a store: what commits, waits, mends and runs. */
export class Runtime {
  readonly clock: Clock;
  /** Tells of commits. Changes are made by {@link commit}. */
  readonly committer: Committer;
  readonly reconciler: Reconciler;
  readonly reader: Reader;
  readonly meter: Meter = new Meter();
  readonly actor: string;
  readonly retain: RuntimeParts["retain"];
  readonly #store: Store;
  readonly #engine: Engine;
  readonly #dispatcher: Dispatcher | null;
  readonly #truth: Store;
  readonly #waiters: Waiters;
  readonly #ids: IdSource;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #isolateEntry: URL;
  readonly #autoResume: AutoResume;
  /** Those that are being started, too. */
  readonly #workers = new Set<Promise<Worker>>();
  #looksOnly = true;
  #closing = false;
  #closed = false;

  constructor({
    store,
    truth,
    engine,
    clock,
    ids,
    handlers,
    actor,
    retain,
    autoResume,
    onOutage,
    isolateEntry,
  }: RuntimeParts) {
    const session = `s-${ids.next()}`;
    this.#store = store;
    this.#truth = truth;
    this.actor = actor;
    this.retain = retain;
    this.clock = clock;
    this.#ids = ids;
    this.#handlers = handlers;
    this.#isolateEntry = isolateEntry;
    this.#autoResume = autoResume;
    const committer = new Committer(store, clock, new SpecCache(), session);
    this.committer = committer;
    committer.listen(({ changed }) => this.meter.count(changed));
    const newId = (): string => ids.next();
    this.#engine = engine;
    const { carrier, capabilities } = engine;
    const dispatcher = carrier === null ? null : new Dispatcher(carrier, capabilities.delays, committer);
    this.#dispatcher = dispatcher;
    const republisher =
      dispatcher === null ? null : new Republisher({ store: truth, clock, committer, dispatcher, session });
    this.reconciler = new Reconciler(
      { store: truth, clock, committer, session, handlers, autoResume, newId },
      republisher,
      // Whoever else asked for something hears of it by an error.
      (error) => void (this.#workers.size > 0 && onOutage?.(error)),
    );
    this.#waiters = new Waiters(store, clock, committer, () => this.lookAfterAll());
    this.reader = { read: (ids) => this.store.get(ids) };
  }

  /** @throws ClosedError (`CLOSED`) */
  get store(): Store {
    if (this.#closed) throw new ClosedError(THIS);
    return this.#store;
  }

  /** What decides, not what shows. @throws ClosedError (`CLOSED`) */
  get truth(): Store {
    if (this.#closed) throw new ClosedError(THIS);
    return this.#truth;
  }

  /** Makes a change, and looks after all that is stored from then on. See {@link Committer.run}. */
  commit<R>(command: Command<R>): Promise<R> {
    this.lookAfterAll();
    return this.committer.run(command);
  }

  /** @throws ClosedError (`CLOSED`) */
  get waiters(): Waiters {
    if (this.#closed) throw new ClosedError(THIS);
    return this.#waiters;
  }

  /** The store's time, estimated from the last transaction. */
  get storeTime(): number {
    return this.committer.storeTime();
  }

  /** Opens the store, and changes nothing in it: who only looks leaves it as it is. */
  async start(): Promise<void> {
    await this.#store.open();
    // The first transaction tells the store's time.
    await this.committer.run({ locks: [], apply: () => {} });
  }

  /** One round over all that is stored. */
  async reconcile(): Promise<void> {
    this.lookAfterAll();
    await this.reconciler.tick();
  }

  /** Looks after all that is stored from now on, as who changes something, runs tasks, or waits for what others do. Again is a no-op. */
  lookAfterAll(): void {
    if (!this.#looksOnly || this.#closing) return;
    this.#looksOnly = false;
    unattributed(() => this.reconciler.start(this.storeTime));
  }

  /** Something that nobody guesses. */
  newToken(): string {
    return this.#ids.next();
  }

  /** Stores a plan; resolves with the root's id when it is durable. */
  submit(submission: Submission): Promise<string> {
    this.lookAfterAll();
    const { store, clock, committer, check } = this;
    return submit({ store, clock, committer, ids: this.#ids, check }, submission);
  }

  /** Checks a complete input against the schema that is registered here; null when no task has one. */
  get check(): CheckInput | null {
    for (const { input } of this.#handlers.values()) {
      if (input !== null) return (task, layers, what) => this.#check(task, layers, what);
    }
    return null;
  }

  /** @throws ClosedError (`CLOSED`), InvalidPlanError (`INVALID_PLAN`), UnknownTaskError (`UNKNOWN_TASK`) */
  worker(options: WorkerOptions): Promise<Worker> {
    if (this.#closing) return Promise.reject(new ClosedError(THIS));
    const started = this.#startWorker(options);
    this.#workers.add(started);
    return started;
  }

  async #startWorker(options: WorkerOptions): Promise<Worker> {
    requireOptions(options, WORKER_OPTIONS, "a worker");
    this.lookAfterAll();
    const { store, truth, clock, committer } = this;
    const newSession = (): string => `w-${this.#ids.next()}`;
    const handlers = this.#handlers;
    const { rules, validate } = this.#autoResume;
    const worker = new Worker(
      {
        store,
        truth,
        clock,
        committer,
        carrier: this.#engine.carrier,
        handlers,
        autoResume: rules,
        isolateEntry: this.#isolateEntry,
        newSession,
        newId: () => this.#ids.next(),
        refusal: async (assignment, handler) => {
          const { record, spec } = assignment;
          const question = await questionOf(record, spec, handler, validate, async () => assignment);
          return question === null ? null : (await judge(clock, question)).reason;
        },
        launch: (plan, message, given, by) => launch(this, plan, message, given, { start: true, by }),
        check: () => this.check,
      },
      options,
    );
    await worker.start();
    return worker;
  }

  /** Stops the workers, finishes what was given, lets go of the store. What runs on a worker may use it until it has stopped. */
  async close(): Promise<void> {
    this.#closing = true;
    const started = await Promise.allSettled(this.#workers);
    const workers = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    await Promise.all(workers.map((worker) => worker.stop()));
    await this.reconciler.stop();
    await this.committer.close();
    await this.#dispatcher?.close();
    await this.#engine.carrier?.close();
    this.#closed = true;
    this.#waiters.close(new ClosedError(THIS));
    await this.#store.close();
  }

  #check(task: string, layers: InputLayers, what: string): void {
    const handler = this.#handlers.get(task);
    const schema = handler?.input ?? null;
    if (schema !== null) refuseMisfit(schema, composeInput(layers), what);
  }
}

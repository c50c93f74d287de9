import { existsSync } from "node:fs";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ClosedError, InvalidPlanError, MageFlowError } from "./core/errors.ts";
import type { AnyPlan, OutputOf } from "./core/flow.ts";
import { invalidArgument } from "./core/invalid-argument.ts";
import { type OptionNames, requireArguments, requireOptions } from "./core/known-options.ts";
import { A_LABEL, isLabel, requireName } from "./core/label.ts";
import { type Kind, KINDS } from "./core/plan.ts";
import type { TaskPlan } from "./core/plans.ts";
import { defaultActor } from "./default-actor.ts";
import { DEFAULT_FOLDER, DEFAULT_STORE, makeFolder } from "./default-store.ts";
import { embeddedEngine } from "./engines/embedded/embedded-engine.ts";
import { systemClock } from "./engines/embedded/system-clock.ts";
import type { ResumeReport } from "./core/resume-report.ts";
import type { CachedStore } from "./caches/cached-store.ts";
import type { Cache } from "./ports/cache.ts";
import type { Engine } from "./ports/engine.ts";
import {
  KEPT_REPORTS,
  type ListQuery,
  type LogQuery,
  type LogRow,
  type Store,
  type Tombstone,
  type WorkerRow,
} from "./ports/store.ts";
import { type AutoResume, autoResume, type AutoResumeOptions } from "./runtime/auto-resume.ts";
import type { TaskContext } from "./runtime/context.ts";
import type { Handler } from "./runtime/handler.ts";
import { keepRegistered, refuseInIsolate } from "./runtime/isolate/registered.ts";
import { launch, type RunArguments, type RunOptions } from "./runtime/launch.ts";
import {
  listCursor,
  type ListFilter,
  listQuery,
  requireWorkflows,
  type WorkflowFilter,
} from "./runtime/list-query.ts";
import { ALL_LOGS, logQuery } from "./runtime/log-query.ts";
import { MOST_ROWS, readLimit } from "./runtime/page-arguments.ts";
import { type Page, Run } from "./runtime/run.ts";
import type { Metrics } from "./runtime/metrics.ts";
import { missingStore } from "./stores/missing-store.ts";
import { Runtime } from "./runtime/runtime.ts";
import { warnOfOutage } from "./runtime/warning.ts";
import { type SignatureView, viewOf } from "./runtime/signature-view.ts";
import { type CancelOptions, type CancelPlan, confirmCancel, planCancel } from "./runtime/cancel.ts";
import { missing, tombstoneOf } from "./runtime/control.ts";
import { Edits } from "./runtime/edits.ts";
import { OUTCOMES, type Retention, storedRetention } from "./core/retention.ts";
import { requireCache } from "./cache-url.ts";
import { isMysqlUrl, isPostgresUrl, requireStore, requireStoreUrl } from "./store-url.ts";
import { type AuditTrail, auditTrail } from "./audit-trail.ts";
import { type CacheControl, cacheControl } from "./cache-control.ts";
import { type TaskOptions, defineTask } from "./task-definition.ts";
import { type Audited, type Breach, verifyStore, type VerifyOptions } from "./runtime/verify.ts";
import { unhandledTasks } from "./runtime/unhandled-tasks.ts";
import type { Worker } from "./runtime/worker.ts";
import type { WorkerOptions } from "./runtime/worker-options.ts";

export interface MageFlowOptions {
  /**
   * Where the truth is kept: `"sqlite:path"` (or just a path), `"postgres://user@host:5432/database?schema=name"`,
   * `"mysql://user@host:3306/database"`, `"memory:"`, or a store. Default `"sqlite:.mageflow/mageflow.db"`, or the environment variable `MAGEFLOW_STORE`.
   */
  store?: string | Store;
  /** Whether to make a store that is named and not there; else whatever needs it throws StoreError `STORE_MISSING`. Default true. */
  create?: boolean;
  /**
   * A cache in front of the store, for reads: `"redis://user:password@host:6379/0?prefix=name"`, or a cache of its own. Give one to every process that
   * uses the store: what others commit is seen a second later (15 s for what has settled). Default: none, or the environment variable
   * `MAGEFLOW_CACHE`.
   */
  cache?: string | Cache;
  /**
   * What brings tasks to workers. Default: they take them from the store. `bullmq("redis://…")` of `mageflow/bullmq` carries them by BullMQ. It
   * belongs to this object, which closes it.
   */
  engine?: Engine;
  /** Who acts through this object, for the audit trail. Default: the user and the host. */
  actor?: string;
  /**
   * How long workflows are kept once they have settled; of a kind before that of all, and what the plan says itself before both, each outcome
   * by itself. Default: for ever.
   */
  retain?: Retention & { readonly [K in Kind]?: Retention };
  /** What becomes of running tasks whose worker was lost. Default: they go on, at once. */
  autoResume?: AutoResumeOptions;
}

const MAGEFLOW_OPTIONS: OptionNames<MageFlowOptions> = {
  store: true,
  create: true,
  cache: true,
  engine: true,
  actor: true,
  retain: true,
  autoResume: true,
};

const RETENTIONS: OptionNames<NonNullable<MageFlowOptions["retain"]>> = {
  ...OUTCOMES,
  task: true,
  chain: true,
  swarm: true,
};

const GET: OptionNames<{ lock?: string }> = { lock: true };
const REPORTS: OptionNames<{ limit?: number }> = { limit: true };

type Awaitable<T> = T | Promise<T>;
declare const unset: unique symbol;
/** Stands for the types of a schema that is not given: those of the function count then. */
type Unset = typeof unset;
type Given<S, Else> = [S] extends [Unset] ? Else : S;
/** What a function may return for a schema. Read-only, so that literals need no `as const`. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
type Unwrapped<O> = O extends undefined | void ? null : O;

/** Registers tasks, stores and starts plans, and gives handles on what is stored. */
export class MageFlow implements AsyncDisposable {
  readonly #handlers = new Map<string, Handler>();
  readonly #store: string | Store;
  readonly #create: boolean;
  readonly #engine: Engine;
  readonly #cache: string | Cache | undefined;
  readonly #actor: string;
  readonly #retain: NonNullable<MageFlowOptions["retain"]>;
  readonly #autoResume: AutoResume;
  #runtime: Promise<Runtime> | null = null;
  #cached: CachedStore | null = null;
  #closing: Promise<void> | null = null;

  /**
   * @throws MageFlowError (`INVALID_ARGUMENT`) for an option that is not known, or cannot be meant; InvalidPlanError (`INVALID_PLAN`) for such a
   *   `retain`, as a plan does.
   */
  constructor(options: MageFlowOptions = {}) {
    requireArguments(options, MAGEFLOW_OPTIONS, "MageFlow");
    this.#store = options.store ?? process.env["MAGEFLOW_STORE"] ?? DEFAULT_STORE;
    this.#create = options.create ?? true;
    const { engine = embeddedEngine } = options;
    if (typeof engine !== "object" || engine === null || !("carrier" in engine))
      throw invalidArgument("engine", engine, 'an engine, as `bullmq("redis://…")` of "mageflow/bullmq"');
    this.#engine = engine;
    this.#cache = options.cache ?? process.env["MAGEFLOW_CACHE"];
    if (this.#cache !== undefined) requireCache(this.#cache);
    const { actor = defaultActor(), retain = {} } = options;
    if (!isLabel(actor)) throw invalidArgument("the actor", actor, A_LABEL);
    this.#actor = actor;
    requireOptions(retain, RETENTIONS, "retain");
    this.#retain = retain;
    this.#autoResume = autoResume(options.autoResume);
    for (const retention of [onlyOutcomes(retain), ...KINDS.map((kind) => retain[kind])]) {
      if (retention !== undefined) storedRetention(retention);
    }
  }

  /**
   * Registers a task and gives its plan. The function may be synchronous or asynchronous; what it returns must be JSON data.
   *
   * @throws InvalidPlanError (`INVALID_PLAN`) for a name that is taken, or a bad option.
   */
  task<
    const R extends Frozen<StandardSchemaV1.InferInput<O>>,
    O extends StandardSchemaV1,
    V = unknown,
    I = Unset,
  >(
    name: string,
    options: TaskOptions<StandardSchemaV1<I, V>, O> & { output: O },
    run: (input: V, ctx: TaskContext) => Awaitable<R>,
  ): TaskPlan<Given<I, V>, StandardSchemaV1.InferOutput<O>, Given<I, V>>;
  // Also takes an output schema, because the compiler tells of the last signature what does not fit it.
  task<R, V = unknown, I = Unset, O = Unset, T = Unset>(
    name: string,
    options: TaskOptions<StandardSchemaV1<I, V>, StandardSchemaV1<O, T>>,
    run: (input: V, ctx: TaskContext) => Awaitable<Given<O, R>>,
  ): TaskPlan<Given<I, V>, Given<T, Unwrapped<R>>, Given<I, V>>;
  task<R, V = unknown>(
    name: string,
    run: (input: V, ctx: TaskContext) => Awaitable<R>,
  ): TaskPlan<V, Unwrapped<R>, V>;
  task(
    name: string,
    optionsOrRun: TaskOptions | Handler["run"],
    runOrNothing?: Handler["run"],
  ): TaskPlan<unknown, unknown, unknown> {
    const options = typeof optionsOrRun === "function" ? {} : optionsOrRun;
    const run = typeof optionsOrRun === "function" ? optionsOrRun : runOrNothing;
    requireName(name, "task");
    if (this.#handlers.has(name)) {
      throw new InvalidPlanError(`a task is already registered as "${name}"; two tasks cannot share a name`);
    }
    const { plan, handler } = defineTask(name, options, run, this.#autoResume);
    this.#handlers.set(name, handler);
    keepRegistered(handler);
    return plan;
  }

  /**
   * Stores a plan and starts it, in one transaction. `message` completes the input of the plan itself.
   *
   * @throws ValidationError (`VALIDATION`) when an input that is complete does not fit its schema, PayloadError (`PAYLOAD`), InvalidPlanError
   *   (`INVALID_PLAN`), IdempotencyConflictError (`IDEMPOTENCY_CONFLICT`) for a key that was used for something else, StoreError (`STORE_…`).
   */
  async run<P extends AnyPlan>(plan: P, ...[message, options]: RunArguments<P>): Promise<Run<OutputOf<P>>> {
    return launch(await this.#open(), plan, message, options ?? {}, { start: true, by: null });
  }

  /** Stores a plan without starting it: `run.start(message?)` does, and checks the input that the message completes. */
  async create<P extends AnyPlan>(plan: P, options: RunOptions = {}): Promise<Run<OutputOf<P>>> {
    return launch(await this.#open(), plan, undefined, options, { start: false, by: null });
  }

  /**
   * A handle on what is stored. With `lock`, the token of a lock on it, on what it stands in or on what is inside it, it may do what the holder may.
   *
   * @throws NotFoundError (`NOT_FOUND`), GoneError (`GONE`) for what was removed, MageFlowError (`INVALID_ARGUMENT`) for an id or a token that is no text.
   */
  async get<O = unknown>(id: string, options: { lock?: string } = {}): Promise<Run<O>> {
    if (typeof id !== "string") throw invalidArgument("id", id, "the id of a signature");
    requireArguments(options, GET, "get");
    const { lock = null } = options;
    if (lock !== null && typeof lock !== "string") throw invalidArgument("lock", lock, "the token of a lock");
    const runtime = await this.#open();
    const [record] = await runtime.store.get([id]);
    if (record === undefined) throw await missing(runtime.store, id);
    return new Run<O>(runtime, id, lock);
  }

  /**
   * What is left of a workflow that was removed, or null: when it was, by whom and why, its last status, and, if that was to be kept, a stub
   * that tells how it went. What was cancelled leaves no stub. Of a part of a workflow it is that of the whole.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for an id that is no text.
   */
  async tombstone(id: string): Promise<Tombstone | null> {
    if (typeof id !== "string") throw invalidArgument("id", id, "the id of a signature");
    const { store } = await this.#open();
    return tombstoneOf(store, id);
  }

  /**
   * What cancelling all workflows that fit a filter would remove, 500 at most, and what it takes to do so; nothing happens before
   * `confirm()`.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a bad filter, or one that fits more than 500.
   */
  async planCancel(filter: WorkflowFilter): Promise<CancelPlan> {
    requireWorkflows(filter);
    const runtime = await this.#open();
    const { items, next } = await listed(runtime.truth, listQuery({ ...filter, limit: MOST_ROWS }));
    if (next !== null) {
      const what = `more than ${MOST_ROWS} workflows fit; narrow the filter, and cancel them in several steps`;
      throw new MageFlowError("INVALID_ARGUMENT", what);
    }
    const ids = items.map(({ id }) => id);
    return planCancel(runtime, ids, () => null);
  }

  /**
   * Carries out a cancellation that was planned by `run.planCancel()`, in whatever process.
   *
   * @throws StaleConfirmationError (`STALE_CONFIRMATION`)
   */
  async confirmCancel(token: string, options: CancelOptions = {}): Promise<void> {
    return confirmCancel(await this.#open(), token, options);
  }

  /**
   * Edits what has not started, of any number of signatures, in one transaction: all or nothing.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has started, LockedError (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError (`GONE`),
   *   InvalidPlanError (`INVALID_PLAN`), PayloadError (`PAYLOAD`), ValidationError (`VALIDATION`) for the input of a workflow that was started and waits
   *   for its time.
   */
  async batch(collect: (edits: Edits) => void | Promise<void>): Promise<void> {
    if (typeof collect !== "function")
      throw invalidArgument("what a batch does", collect, "a function that gets its edits");
    const edits = new Edits();
    await collect(edits);
    await edits.commit(await this.#open());
  }

  /** The audit trail: who did what to which signature. It outlives what it tells of. */
  get audit(): AuditTrail {
    return auditTrail(async () => (await this.#open()).store);
  }

  /** The cache in front of the store, for who looks after it. */
  get cache(): CacheControl {
    return cacheControl(async () => {
      await this.#open();
      return this.#cached;
    });
  }

  /** Signatures, newest first, a page at a time. @throws MageFlowError (`INVALID_ARGUMENT`) for a bad filter. */
  async list(filter: ListFilter = {}): Promise<Page<SignatureView>> {
    const query = listQuery(filter);
    return listed((await this.#open()).store, query);
  }

  /**
   * Stored log lines over all signatures, oldest first, a page (default 100, at most 1,000) at a time.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a bad filter.
   */
  async logs(filter: Partial<LogQuery> = {}): Promise<LogRow[]> {
    const query = logQuery(filter, ALL_LOGS);
    const { store } = await this.#open();
    return store.logs(query);
  }

  /**
   * What processes did about unfinished work when they started, and when they found that a worker was lost; newest first, 10 if not told
   * otherwise, of the newest 100 that are kept.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a bad limit.
   */
  async resumeReports(options: { limit?: number } = {}): Promise<ResumeReport[]> {
    requireArguments(options, REPORTS, "a look at reports");
    const { limit = 10 } = options;
    const rows = readLimit(limit, KEPT_REPORTS);
    const { store } = await this.#open();
    return store.reports({ after: null, limit: rows });
  }

  /** Worker sessions, newest first, at most 500. @throws MageFlowError (`INVALID_ARGUMENT`) for another limit. */
  async workers(limit = 100): Promise<WorkerRow[]> {
    const rows = readLimit(limit, MOST_ROWS);
    const { store } = await this.#open();
    return store.workers(rows);
  }

  /**
   * Names of tasks that are ready, or were lost with their worker, and that no live worker runs, with how many there are (counted up to
   * 1,000).
   */
  async unhandled(): Promise<Map<string, number>> {
    const { truth, storeTime } = await this.#open();
    return unhandledTasks(truth, storeTime);
  }

  /** Audits the store page by page, while work may go on; yields what breaks an invariant, and returns what was looked at. */
  async *verify(options: VerifyOptions = {}): AsyncGenerator<Breach, Audited> {
    const { truth } = await this.#open();
    return yield* verifyStore(truth, systemClock, options);
  }

  /**
   * Does once what every process that submits, steers, waits or has a worker does once a second: goes on with what is due, takes over from
   * lost workers, removes what is marked and due. For a program that is started from time to time and does nothing else.
   */
  async reconcile(): Promise<void> {
    await (await this.#open()).reconcile();
  }

  /** What this process has done since it opened the store, in numbers for a dashboard or an alarm. */
  async metrics(): Promise<Metrics> {
    const { meter, reconciler } = await this.#open();
    return { ...meter.counts, mended: reconciler.mended };
  }

  /** Where the truth is kept, as it was given: a URL may hold a password. */
  get store(): string | Store {
    return this.#store;
  }

  /** Names of the tasks registered here. */
  get tasks(): string[] {
    return [...this.#handlers.keys()];
  }

  /** Starts a worker for the registered tasks in this process. `await using` stops it at the end of the block. */
  async worker(options: WorkerOptions = {}): Promise<Worker> {
    if (this.#closing !== null) throw closed();
    return (await this.#open()).worker(options);
  }

  /** Stops the workers of this process and lets go of the store. What is stored stays; this MageFlow and its handles are closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const runtime = await this.#runtime?.catch(() => null);
    await runtime?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): Promise<Runtime> {
    if (this.#closing !== null && this.#runtime === null) return Promise.reject(closed());
    this.#runtime ??= this.#connect().catch((error: unknown) => {
      this.#runtime = null;
      throw error;
    });
    return this.#runtime;
  }

  async #connect(): Promise<Runtime> {
    const truth = await storeAt(this.#store, this.#create);
    this.#cached = this.#cache === undefined ? null : await cached(truth, this.#cache);
    const store = this.#cached ?? truth;
    const { ulidSource } = await import("./engines/embedded/ulid-source.ts");
    const runtime = new Runtime({
      store,
      truth,
      engine: this.#engine,
      clock: systemClock,
      ids: ulidSource(),
      handlers: this.#handlers,
      isolateEntry: new URL(`./isolate${import.meta.url.slice(-3)}`, import.meta.url),
      actor: this.#actor,
      autoResume: this.#autoResume,
      onOutage: warnOfOutage,
      retain: (kind) => {
        const retain = { ...onlyOutcomes(this.#retain), ...this.#retain[kind] };
        return isEmpty(retain) ? null : retain;
      },
    });
    await runtime.start();
    return runtime;
  }
}

async function listed(store: Store, query: ListQuery): Promise<Page<SignatureView>> {
  const records = await store.list(query);
  const last = records.at(-1);
  const next = records.length < query.limit || last === undefined ? null : listCursor(last);
  return { items: records.map(viewOf), next };
}

function closed(): ClosedError {
  return new ClosedError("this MageFlow");
}

/** The store that is given, or that of a url. Adapters are loaded when they are named, so a driver is needed only when it is used. */
async function storeAt(given: string | Store, create: boolean): Promise<Store> {
  refuseInIsolate();
  if (typeof given !== "string") return requireStore(given);
  requireStoreUrl(given);
  if (given === "memory:") return (await import("./stores/memory/memory-store.ts")).memoryStore();
  if (isPostgresUrl(given))
    return (await import("./stores/postgres/index.ts")).postgresStore(given, { create });
  if (isMysqlUrl(given)) return (await import("./stores/mysql/index.ts")).mysqlStore(given, { create });
  if (!create) await requireFile(given);
  if (given === DEFAULT_STORE) makeFolder(DEFAULT_FOLDER);
  return (await import("./stores/sqlite/index.ts")).openStore(given);
}

async function requireFile(url: string): Promise<void> {
  const { describeLocation, locate } = await import("./stores/sqlite/location.ts");
  const location = locate(url);
  if (location !== null && !existsSync(location)) throw missingStore(describeLocation(location));
}

async function cached(truth: Store, given: string | Cache): Promise<CachedStore> {
  const { CachedStore } = await import("./caches/cached-store.ts");
  if (typeof given !== "string") return new CachedStore(truth, given);
  return new CachedStore(truth, (await import("./caches/redis/index.ts")).redisCache(given));
}

/** The retention of all kinds that have none of their own. */
function onlyOutcomes(retain: NonNullable<MageFlowOptions["retain"]>): Retention {
  return Object.fromEntries(
    Object.entries(retain).filter(([name]) => !(KINDS as readonly string[]).includes(name)),
  );
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

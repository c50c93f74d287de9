import type { TestContext } from "vitest";
import type { Duration } from "../../core/duration.ts";
import type { AnyPlan, OutputOf } from "../../core/flow.ts";
import { NO_CALLBACKS } from "../../core/plan.ts";
import { storedOptions } from "../../core/plan-options.ts";
import { TaskPlan } from "../../core/plans.ts";
import { type Retry, retryPolicy } from "../../core/retry.ts";
import type { Delivery } from "../../ports/engine.ts";
import type { Store } from "../../ports/store.ts";
import { autoResume } from "../../runtime/auto-resume.ts";
import type { TaskContext } from "../../runtime/context.ts";
import { type Handler, plainHandler } from "../../runtime/handler.ts";
import { launch, type RunOptions } from "../../runtime/launch.ts";
import type { Run } from "../../runtime/run.ts";
import { Runtime } from "../../runtime/runtime.ts";
import type { Worker } from "../../runtime/worker.ts";
import type { WorkerOptions } from "../../runtime/worker-options.ts";
import { memoryStore } from "../../stores/memory/memory-store.ts";
import type { EngineHarness, EnginePlace } from "./harness.ts";
import { realTime, suiteIds } from "./real-time.ts";

type Code = (input: never, context: TaskContext) => unknown;

interface TaskOptions {
  readonly retry?: Retry;
  readonly concurrency?: number;
  readonly timeout?: number;
}

/** Processes that run workflows on one store and one place of the engine. */
export class Workshop implements AsyncDisposable {
  readonly place: EnginePlace;
  readonly store: Store = memoryStore();
  readonly #handlers = new Map<string, Handler>();
  readonly #runtimes: Runtime[] = [];

  constructor(place: EnginePlace) {
    this.place = place;
  }

  /** Registers a task in all processes. */
  task(name: string, run: Code, options: TaskOptions = {}): TaskPlan<unknown, unknown, unknown> {
    const { retry, concurrency = null, timeout = null } = options;
    this.#handlers.set(name, { ...plainHandler(name, run), concurrency });
    const limits = { retry: retryPolicy(retry), timeout, totalTimeout: null, maxRecoveries: 5 };
    return new TaskPlan({
      spec: { kind: "task", name, callbacks: NO_CALLBACKS, ...storedOptions({}), ...limits },
      bound: null,
      key: null,
    });
  }

  /** One more process. */
  async process(): Promise<Runtime> {
    const store = leftOpen(this.store);
    const runtime = new Runtime({
      store,
      truth: store,
      engine: this.place.engine(),
      clock: realTime,
      ids: suiteIds,
      handlers: this.#handlers,
      isolateEntry: new URL("about:blank"),
      actor: "somebody",
      retain: () => null,
      autoResume: autoResume(),
    });
    this.#runtimes.push(runtime);
    await runtime.start();
    return runtime;
  }

  /** One more process with a worker. */
  async worker(options: WorkerOptions = {}): Promise<Worker> {
    return (await this.process()).worker(options);
  }

  /** Stores and starts a plan, in a process that runs nothing. */
  async run<P extends AnyPlan>(plan: P, options: RunOptions = {}): Promise<Run<OutputOf<P>>> {
    return launch(await this.process(), plan, undefined, options, { start: true, by: null });
  }

  /** Publishes by hand, past the runtime. */
  async publish(...deliveries: readonly Delivery[]): Promise<void> {
    const { carrier } = this.place.engine();
    await carrier!.publish(deliveries);
    await carrier!.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
    await this.store.close();
    await this.place.remove();
  }
}

/** A test of what is run; `carries` for those about deliveries, which an engine without them skips. */
export function atWork(
  harness: EngineHarness,
  play: (shop: Workshop) => Promise<void>,
  options: { carries?: boolean } = {},
): (context: TestContext) => Promise<void> {
  return async (context) => {
    if (harness.missing !== null) context.skip(harness.missing);
    const place = await harness.place();
    await using shop = new Workshop(place);
    await shop.store.open();
    if (options.carries === true && place.engine().carrier === null)
      context.skip("source: workers take their tasks from the store");
    await play(shop);
  };
}

/** Is passed by whoever comes after it was opened, and tells how many have come. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();
  #came = 0;
  #waiting: { count: number; resolve: () => void }[] = [];

  pass(): Promise<void> {
    this.#came++;
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.#came)) resolve();
    return this.#opened.promise;
  }

  /** Resolves when so many have come. */
  came(count = 1): Promise<void> {
    if (this.#came >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  open(): void {
    this.#opened.resolve();
  }
}

/** What a task does that ends when it is told to, and not before. */
export function untilStopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

/** How many do something at once, at most. The first wait for each other until there are as many as are expected. */
export class Peak {
  most = 0;
  readonly #expected: number;
  readonly #full = Promise.withResolvers<void>();
  #now = 0;

  constructor(expected: number) {
    this.#expected = expected;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.#now);
    if (this.#now === this.#expected) this.#full.resolve();
    await this.#full.promise;
    try {
      return await work();
    } finally {
      this.#now--;
    }
  }
}

/** The store, for several processes: one that is closed does not close it for the others. */
function leftOpen(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

export const SOON: Duration = "30s";

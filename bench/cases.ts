import { setTimeout as sleep } from "node:timers/promises";
import { watchCache } from "./cache-memory.ts";
import { polling, POLLING_SETTINGS } from "./polling.ts";
import { chain, MageFlow, type MageFlowOptions, swarm, type TaskPlan } from "mageflow";

/** What a case reports; which figures depends on the case. */
export interface Figures {
  tasksPerSecond?: number;
  submitPerSecond?: number;
  msPerStep?: number;
  stepsPerSecond?: number;
  p50Ms?: number;
  p99Ms?: number;
  p50AfterPauseMs?: number;
  p99AfterPauseMs?: number;
  readsPerTask?: number;
  busyAnswersPerSecond?: number;
  busyStoreReadsPerSecond?: number;
  quietAnswersPerSecond?: number;
  quietStoreReadsPerSecond?: number;
  quietP50Ms?: number;
  quietP99Ms?: number;
  /** The most that the server of the cache used, for whomever. */
  cachePeakMb?: number;
  hitRate?: number;
  outages?: number;
  seconds: number;
}

/** What MageFlow runs on: URLs, and what carries tasks. */
export interface Place extends Pick<MageFlowOptions, "engine"> {
  store: string;
  cache?: string;
}

/** Where it runs, and how many tasks. */
export interface BenchOptions {
  readonly on: Place;
  readonly tasks: number;
}

interface Case {
  /** Tasks when none are asked for. */
  readonly tasks: number;
  readonly settings: { readonly [name: string]: number | string };
  run(options: BenchOptions): Promise<Figures>;
}

export const WORKER = 1000;
export const WINDOW = 1000;
/** Long enough for processor and disk to come to rest. */
const PAUSE_MS = 2;
/** One is over in less than a tenth of a second, which a single sync of the disk may double. */
const ROUNDS = 15;
const HANDLERS = "no-op, one worker process";

/** A worker with a no-op task and a final callback that tells when it has run. */
export interface Bench {
  readonly mage: MageFlow;
  readonly noop: TaskPlan<unknown, null, unknown>;
  readonly last: TaskPlan<unknown, null, unknown>;
  readonly lastRan: Promise<void>;
}

export async function withWorker<F>(on: Place, measure: (bench: Bench) => Promise<F>): Promise<F> {
  await using mage = new MageFlow(on);
  const noop = mage.task("noop", async () => null);
  const done = Promise.withResolvers<void>();
  const last = mage.task("last", async () => {
    done.resolve();
    return null;
  });
  await using worker = await mage.worker({ concurrency: WORKER });
  await warmUp(mage, noop);
  const memory = on.cache === undefined ? null : watchCache(mage);
  const figures = await measure({ mage, noop, last, lastRan: done.promise });
  const used = await memory?.stop();
  await worker.stop();
  return { ...figures, ...used };
}

/** Some of everything that is measured: code is compiled and the store's log has its size, as in a process that has run for a while. */
async function warmUp(mage: MageFlow, noop: Bench["noop"]): Promise<void> {
  const many = swarm(function* () {
    for (let i = 0; i < 10_000; i++) yield noop.with({ i });
  });
  const short = Array.from({ length: 200 }, () => chain(Array.from({ length: 10 }, () => noop)));
  const long = chain(Array.from({ length: 300 }, () => noop));
  for (const plans of [[many], short, [long]]) {
    const runs = await Promise.all(plans.map((plan) => mage.run(plan)));
    await Promise.all(runs.map((run) => run.settled()));
  }
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function swarmCase(tasks: number): Case {
  return {
    tasks,
    settings: { workerConcurrency: WORKER, swarmConcurrency: WINDOW, handlers: HANDLERS },
    run: ({ on, tasks: n }) =>
      withWorker(on, async ({ mage, noop, last, lastRan }) => {
        const items = function* (): Generator<typeof noop> {
          for (let i = 0; i < n; i++) yield noop.with({ i });
        };
        let submitted = 0;
        const total = await seconds(async () => {
          submitted = await seconds(() => mage.run(swarm(items, { concurrency: WINDOW }).onSuccess(last)));
          await lastRan;
        });
        return {
          tasksPerSecond: Math.round(n / total),
          submitPerSecond: Math.round(n / submitted),
          seconds: rounded(total),
        };
      }),
  };
}

export const CASES: Readonly<Record<string, Case>> = {
  swarm: swarmCase(100_000),
  million: swarmCase(1_000_000),

  chain: {
    tasks: 1_000,
    settings: { workerConcurrency: WORKER, handlers: HANDLERS },
    run: ({ on, tasks: n }) =>
      withWorker(on, async ({ mage, noop, last, lastRan }) => {
        const steps = Array.from({ length: n }, () => noop);
        const total = await seconds(async () => {
          await mage.run(chain(steps).onSuccess(last));
          await lastRan;
        });
        return { msPerStep: rounded((total * 1_000) / n), seconds: rounded(total) };
      }),
  },

  chains: {
    tasks: 2_000,
    settings: {
      workerConcurrency: WORKER,
      stepsPerChain: 10,
      handlers: HANDLERS,
      rounds: `the median of ${ROUNDS}, one after the other`,
    },
    run: ({ on, tasks: n }) =>
      withWorker(on, async ({ mage, noop }) => {
        const plan = chain(Array.from({ length: 10 }, () => noop));
        const rounds: number[] = [];
        for (let i = 0; i < ROUNDS; i++) {
          const round = await seconds(async () => {
            const runs = await Promise.all(Array.from({ length: Math.ceil(n / 10) }, () => mage.run(plan)));
            await Promise.all(runs.map((run) => run.result()));
          });
          rounds.push(round);
        }
        const median = quantile(rounds, 0.5);
        return { stepsPerSecond: Math.round(n / median), seconds: median };
      }),
  },

  submit: {
    tasks: 100_000,
    settings: { workers: 0 },
    async run({ on, tasks: n }) {
      await using mage = new MageFlow(on);
      const noop = mage.task("noop", async () => null);
      const items = function* (count: number): Generator<typeof noop> {
        for (let i = 0; i < count; i++) yield noop.with({ i });
      };
      await mage.create(swarm(() => items(5_000)));
      const total = await seconds(() => mage.run(swarm(() => items(n))));
      return { tasksPerSecond: Math.round(n / total), seconds: rounded(total) };
    },
  },

  polling: { tasks: 20_000, settings: POLLING_SETTINGS, run: ({ on, tasks }) => polling(on, tasks) },

  latency: {
    tasks: 1_000,
    settings: {
      workerConcurrency: WORKER,
      handlers: HANDLERS,
      afterPause: `the same with ${PAUSE_MS} ms between two`,
    },
    run: ({ on, tasks: n }) =>
      withWorker(on, async ({ mage, noop }) => {
        const one = async (): Promise<number> =>
          (await seconds(async () => (await mage.run(noop)).result())) * 1_000;
        const times: number[] = [];
        const afterPause: number[] = [];
        const total = await seconds(async () => {
          for (let i = 0; i < n; i++) times.push(await one());
          for (let i = 0; i < n; i++) {
            await sleep(PAUSE_MS);
            afterPause.push(await one());
          }
        });
        return {
          p50Ms: quantile(times, 0.5),
          p99Ms: quantile(times, 0.99),
          p50AfterPauseMs: quantile(afterPause, 0.5),
          p99AfterPauseMs: quantile(afterPause, 0.99),
          seconds: rounded(total),
        };
      }),
  },
};

function quantile(values: readonly number[], part: number): number {
  return rounded(values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!);
}

export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow, type Run, swarm } from "mageflow";
import { postgresStore } from "mageflow/postgres";
import { openStore as sqliteStore } from "../packages/mageflow/src/stores/sqlite/index.ts";

const CLIENTS = 20;
/** Between two questions of a client. */
const PAUSE_MS = 50;
/** How long a workflow that has ended is looked at. */
const QUIET_MS = 5_000;

/** What the case reports, see {@link polling}. */
interface Figures {
  readonly tasksPerSecond: number;
  /** Questions that the store was asked by the clients' process while the swarm ran. */
  readonly readsPerTask: number;
  readonly busyAnswersPerSecond: number;
  readonly busyStoreReadsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly quietAnswersPerSecond: number;
  readonly quietStoreReadsPerSecond: number;
  readonly quietP50Ms: number;
  readonly quietP99Ms: number;
  readonly hitRate?: number;
  readonly outages?: number;
  readonly seconds: number;
}

/** Methods of a store that are no reads. */
const OTHERS = new Set(["open", "close", "transact", "heartbeat", "watch"]);

export const POLLING_SETTINGS: { readonly [name: string]: number | string } = {
  clients: CLIENTS,
  pauseMs: PAUSE_MS,
  handlers: "1 ms, in another process",
  each: "the status of the swarm, the status of an item, a page of 20 items",
};

/** What polling clients of one process meet while another process runs a swarm, and when it is over. */
export async function polling(
  { store: url, cache }: { store: string; cache?: string },
  tasks: number,
): Promise<Figures> {
  const reads = { count: 0 };
  const store = counted(url.startsWith("postgres") ? postgresStore(url) : sqliteStore(url), reads);
  await using mage = new MageFlow({ store, ...(cache === undefined ? {} : { cache }) });
  const noop = mage.task("noop", () => null);
  const worker = await startWorker(url, cache);
  const items = function* (): Generator<typeof noop> {
    for (let i = 0; i < tasks; i++) yield noop;
  };
  const run = await mage.create(swarm(items, { concurrency: 1_000 }));
  const begun = performance.now();
  await run.start();
  let isOver = false;
  const over = run.settled().then(() => (isOver = true));
  const busy = await measured(mage, run, reads, tasks, () => isOver);
  await over;
  const seconds = (performance.now() - begun) / 1_000;
  const until = performance.now() + QUIET_MS;
  const quiet = await measured(mage, run, reads, tasks, () => performance.now() > until);
  worker.disconnect();
  await once(worker, "exit");
  return {
    tasksPerSecond: Math.round(tasks / seconds),
    readsPerTask: rounded(busy.storeReads / tasks),
    busyAnswersPerSecond: busy.answersPerSecond,
    busyStoreReadsPerSecond: busy.storeReadsPerSecond,
    p50Ms: busy.p50Ms,
    p99Ms: busy.p99Ms,
    quietAnswersPerSecond: quiet.answersPerSecond,
    quietStoreReadsPerSecond: quiet.storeReadsPerSecond,
    quietP50Ms: quiet.p50Ms,
    quietP99Ms: quiet.p99Ms,
    ...(cache === undefined ? {} : await cacheFigures(mage)),
    seconds: rounded(seconds),
  };
}

async function measured(
  mage: MageFlow,
  run: Run,
  reads: { count: number },
  tasks: number,
  isOver: () => boolean,
) {
  const times: number[] = [];
  const before = reads.count;
  const begun = performance.now();
  const client = async (n: number): Promise<void> => {
    // They do not ask all at once.
    await sleep((PAUSE_MS * n) / CLIENTS);
    for (let asked = 0; !isOver(); asked++) {
      const item = await mage.get(`${run.id}.${(n * 7_919 + (asked >> 3)) % tasks}`);
      for (const ask of [() => run.status(), () => item.status(), () => run.children({ limit: 20 })]) {
        const from = performance.now();
        await ask();
        times.push(performance.now() - from);
      }
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)));
  const seconds = (performance.now() - begun) / 1_000;
  const storeReads = reads.count - before;
  return {
    storeReads,
    storeReadsPerSecond: Math.round(storeReads / seconds),
    answersPerSecond: Math.round(times.length / seconds),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  };
}

async function cacheFigures(mage: MageFlow): Promise<{ hitRate: number; outages: number }> {
  const { hits, misses, outages } = (await mage.cache.stats()).process;
  return { hitRate: rounded(hits / (hits + misses)), outages };
}

async function startWorker(store: string, cache: string | undefined): Promise<ChildProcess> {
  const worker = fork(new URL("polling-worker-process.ts", import.meta.url), [store, cache ?? ""]);
  await once(worker, "message");
  return worker;
}

/** Counts the questions that a store is asked beside transactions. */
function counted<S extends object>(store: S, reads: { count: number }): S {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (!OTHERS.has(String(name))) reads.count++;
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function quantile(values: readonly number[], part: number): number {
  return rounded(values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

import { setTimeout as sleep } from "node:timers/promises";
import { type Errands, type Peaks, startProcess } from "./errand.ts";

/** What one look cost in one phase. */
interface Latency {
  readonly asked: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What is told of a swarm of millions. */
export interface Millions {
  readonly seconds: Readonly<Record<string, number>>;
  readonly tasksPerSecond: Readonly<Record<string, number>>;
  readonly processes: Readonly<Record<string, Peaks>>;
  readonly cache: { readonly cachePeakMb: number; readonly outages: number; readonly hitRate: number };
  /** By phase and look. */
  readonly latency: Readonly<Record<string, Readonly<Record<string, Latency>>>>;
}

export interface MillionsOptions {
  readonly store: string;
  readonly cache: string;
  readonly tasks: number;
}

/** A swarm that is looked at while the large one is being submitted, and warms everything up. */
const FIRST = 10_000;
/** How long that is looked at which does not change. */
const QUIET_MS = 5_000;
/** How often it is suspended and resumed. */
const ORDERS = 20;

/** One process submits a swarm, another runs it, and a third looks on all the time. */
export async function millions({ store, cache, tasks }: MillionsOptions): Promise<Millions> {
  const on = await Watched.start({ store, cache });
  const worker = await startProcess("millions-worker-process.ts", [store, cache]);
  const small = await on.submitter.do<string>("create", { tasks: FIRST });
  await on.submitter.do("start", { id: small });
  await on.submitter.do("settled", { id: small });
  const id = await on.phase("submitting", { id: small, items: FIRST }, () =>
    on.submitter.do<string>("create", { tasks }),
  );
  const sight = { id, items: tasks };
  await on.phase("running", sight, async () => {
    await on.submitter.do("start", { id });
    await on.submitter.do("settled", { id });
  });
  await on.phase("ended", sight, () => sleep(QUIET_MS));
  return on.end(tasks, { worker });
}

/** The same swarm stored, listed from end to end, suspended and resumed before and after it was started; nobody runs it. */
export async function standing({ store, cache, tasks }: MillionsOptions): Promise<Millions> {
  const on = await Watched.start({ store, cache });
  const small = await on.submitter.do<string>("create", { tasks: FIRST });
  const id = await on.phase("submitting", { id: small, items: FIRST }, () =>
    on.submitter.do<string>("create", { tasks }),
  );
  const sight = { id, items: tasks };
  const listed = await on.phase("listing", sight, () => on.submitter.do<number>("list", { id }));
  if (listed !== tasks) throw new Error(`${listed} of ${tasks} items were listed`);
  const steer = async (): Promise<void> => {
    for (let i = 0; i < ORDERS; i++) {
      await on.submitter.do("suspend", { id });
      await on.submitter.do("resume", { id });
    }
  };
  await on.phase("steering, not started", sight, steer);
  await on.submitter.do("start", { id });
  await on.phase("steering, started", sight, steer);
  await on.phase("standing", sight, () => sleep(QUIET_MS));
  return on.end(tasks, {});
}

/** The processes that submit and look on, and what was measured. */
class Watched {
  readonly submitter: Errands;
  readonly #looker: Errands;
  readonly #seconds: Record<string, number> = {};
  readonly #latency: Record<string, Record<string, Latency>> = {};

  private constructor(submitter: Errands, looker: Errands) {
    this.submitter = submitter;
    this.#looker = looker;
  }

  static async start({ store, cache }: { store: string; cache: string }): Promise<Watched> {
    const submitter = await startProcess("millions-submitter-process.ts", [store, cache]);
    return new Watched(submitter, await startProcess("millions-looker-process.ts", [store, cache]));
  }

  /** Has it looked at while something is done. */
  async phase<T>(name: string, sight: { id: string; items: number }, work: () => Promise<T>): Promise<T> {
    await this.#looker.do("look", sight);
    const from = performance.now();
    const answer = await work();
    this.#seconds[name] = Math.round(performance.now() - from) / 1_000;
    const times = await this.#looker.do<Record<string, number[]>>("stop");
    this.#latency[name] = Object.fromEntries(
      Object.entries(times).map(([look, each]) => [look, latencyOf(each)]),
    );
    return answer;
  }

  async end(tasks: number, others: Readonly<Record<string, Errands>>): Promise<Millions> {
    const cache = await this.#looker.do<Millions["cache"]>("cache");
    const processes: Record<string, Peaks> = {};
    for (const [name, one] of Object.entries({ submitter: this.submitter, looker: this.#looker, ...others }))
      processes[name] = await one.end();
    return {
      seconds: this.#seconds,
      tasksPerSecond: Object.fromEntries(
        Object.entries(this.#seconds)
          .filter(([phase]) => ["submitting", "listing", "running"].includes(phase))
          .map(([phase, seconds]) => [phase, Math.round(tasks / seconds)]),
      ),
      processes,
      cache,
      latency: this.#latency,
    };
  }
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]! * 10) / 10;
  return { asked: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

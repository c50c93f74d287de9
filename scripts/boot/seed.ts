import { chain, MageFlow, type Run } from "mageflow";
import { type Child, startChild } from "../chaos/process.ts";
import { bootTasks, type BootTasks } from "./tasks.ts";

/** How many there are of each, at a size of 100,000 records. */
const WHOLE = {
  /** Tasks that run under workers that are lost, and those of them that do not go on by themselves. */
  lost: 14_500,
  careful: 500,
  ready: 15_000,
  /** Of two steps: three records. */
  chains: 10_000,
  created: 5_000,
  suspended: 8_000,
  interrupted: 8_000,
  /** Failed, and a callback that nobody runs waits: two records. */
  unsettled: 1_000,
  failed: 5_000,
  succeeded: 11_900,
  /** Run under a worker that lives. */
  held: 100,
};
export type Counts = { readonly [K in keyof typeof WHOLE]: number };

export function countsOf(records: number): Counts {
  return Object.fromEntries(
    Object.entries(WHOLE).map(([what, count]) => [what, Math.ceil((count * records) / 100_000)]),
  ) as Counts;
}

const WORKER = new URL("./worker-process.ts", import.meta.url);
/** Calls that are under way at once. */
const AT_ONCE = 2_000;

/** The process that lives, and the one that was killed. */
interface Seeded {
  readonly holder: Child;
  readonly lostPid: number;
  readonly lostAt: number;
}

/** Leaves everything behind as a crash does, and one process that goes on holding what it holds. */
export async function seed(store: string, counts: Counts): Promise<Seeded> {
  const doomed = startChild(WORKER, [
    store,
    "holder",
    String(counts.lost + counts.careful),
    "lost",
    "careful",
  ]);
  const holder = startChild(WORKER, [store, "holder", String(counts.held), "held"]);
  await Promise.all([said(doomed, "ready"), said(holder, "ready")]);
  const mage = new MageFlow({ store });
  const tasks = bootTasks(mage, () => null);
  await many(counts.lost, () => mage.run(tasks.lost));
  await many(counts.careful, () => mage.run(tasks.careful));
  await many(counts.held, () => mage.run(tasks.held));
  await Promise.all([said(doomed, "holds"), said(holder, "holds")]);
  await end(mage, tasks, counts);
  await leaveOpen(mage, tasks, counts);
  // It would take over what the doomed one held.
  await mage.close();
  doomed.process.kill("SIGKILL");
  await doomed.ended;
  return { holder, lostPid: doomed.process.pid!, lostAt: Date.now() };
}

/** What has ended, in one way or another. */
async function end(mage: MageFlow, { done, fails }: BootTasks, counts: Counts): Promise<void> {
  const never = mage.task("never", () => null);
  await using worker = await mage.worker({ concurrency: 500, tasks: ["done", "fails"] });
  const settled = await many(counts.succeeded, () => mage.run(done));
  settled.push(...(await many(counts.failed, () => mage.run(fails))));
  const failed = await many(counts.unsettled, () => mage.run(fails.onError(never)));
  for (const run of settled) await run.settled();
  for (const run of failed) await run.result().catch(() => {});
  await worker.stop();
}

/** What waits for a worker, or for somebody. */
async function leaveOpen(mage: MageFlow, { work, done }: BootTasks, counts: Counts): Promise<void> {
  await many(counts.ready, () => mage.run(work));
  await many(counts.chains, () => mage.run(chain([work, work])));
  await many(counts.created, () => mage.create(done));
  await many(counts.suspended, async () => {
    const run = await mage.create(done);
    await run.suspend();
    return run;
  });
  await many(counts.interrupted, async () => {
    const run = await mage.create(done);
    await run.interrupt();
    return run;
  });
}

async function many(count: number, make: () => Promise<Run<unknown>>): Promise<Run<unknown>[]> {
  const runs: Run<unknown>[] = [];
  while (runs.length < count) {
    const window = Math.min(AT_ONCE, count - runs.length);
    runs.push(...(await Promise.all(Array.from({ length: window }, make))));
  }
  return runs;
}

/** @throws when the process ends without saying so. */
export async function said(child: Child, word: string): Promise<void> {
  if ((await child.line(word)) !== null) return;
  throw new Error(`a process ended before it said "${word}": ${(await child.ended).errors}`);
}

export function startWorker(store: string): Child {
  return startChild(WORKER, [store, "worker"]);
}

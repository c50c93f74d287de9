import { type AnyPlan, chain, swarm } from "mageflow";
import { type Random, random } from "./random.ts";
import type { ChaosTasks, Work } from "./tasks.ts";

/** One thing that the submitter submits. The plan depends on the seed and the index alone, so the checker knows it too. */
export interface Submission {
  readonly index: number;
  readonly plan: AnyPlan;
  /** Submitted with an idempotency key, and again when its acknowledgement was lost. */
  readonly key: string | null;
  /** False: it is stored and never started. */
  readonly start: boolean;
}

export const SUBMISSIONS = 16;

/** Beyond the 2,000 records that one transaction stores, so that a killed submitter leaves a draft behind. */
const LARGE = 2_100;

export function submission(seed: number, index: number, tasks: ChaosTasks): Submission {
  const draw = random(seed, `workload ${index}`);
  const key = draw.chance(0.5) ? `key ${index}` : null;
  const kinds = [() => bigSwarm(draw, tasks), () => large(tasks), () => nested(draw, tasks)];
  const few = [chained, small, nested, failing, retried, spawned, delayed, single];
  const make = index < kinds.length ? kinds[index]! : () => few[(index + seed) % few.length]!(draw, tasks);
  return { index, plan: make(), key, start: index !== 1 };
}

function effort(draw: Random): Work {
  // Most are short, some are long enough to be killed or frozen in the middle.
  return { ms: draw.chance(0.15) ? draw.whole(100, 400) : draw.whole(0, 15) };
}

function withCallbacks<P extends AnyPlan & CallbackTarget>(plan: P, draw: Random, { note }: ChaosTasks): P {
  return plan
    .onSuccess(note.with({ ms: draw.whole(0, 20) }))
    .onSuccess(chain([note, note.with({ steps: 1 })], { name: "after" }))
    .onError(note.with({ ms: draw.whole(0, 20) }))
    .onCleanup(note.with({ ms: draw.whole(0, 20), steps: 1 }))
    .onCleanup(note);
}

interface CallbackTarget {
  onSuccess(callback: AnyPlan): this;
  onError(callback: AnyPlan): this;
  onCleanup(callback: AnyPlan): this;
}

function bigSwarm(draw: Random, tasks: ChaosTasks): AnyPlan {
  const items = Array.from({ length: draw.whole(200, 260) }, (_, i) =>
    tasks.work.with({ ...effort(draw), fatal: draw.chance(0.04), steps: i % 10 === 0 ? 2 : 0 }),
  );
  const plan = swarm(items, { name: "big", concurrency: draw.whole(5, 25), onItemError: tasks.note });
  return withCallbacks(plan, draw, tasks);
}

function large({ work }: ChaosTasks): AnyPlan {
  return swarm(
    function* () {
      for (let i = 0; i < LARGE; i++) yield work;
    },
    { name: "large" },
  );
}

function small(draw: Random, tasks: ChaosTasks): AnyPlan {
  const fatal = draw.chance(0.3);
  const items = Array.from({ length: draw.whole(3, 20) }, () => tasks.work.with({ ...effort(draw), fatal }));
  const { note } = tasks;
  const plan = swarm(items, {
    name: "small",
    concurrency: draw.whole(1, 6),
    onItemSuccess: note,
    onItemError: note,
    onItemCleanup: note,
  });
  return withCallbacks(plan, draw, tasks);
}

function chained(draw: Random, tasks: ChaosTasks): AnyPlan {
  const steps = Array.from({ length: draw.whole(3, 7) }, () =>
    tasks.work.with({ ...effort(draw), steps: draw.whole(0, 3) }),
  );
  return withCallbacks(chain(steps as AnyPlan[], { name: "chained" }), draw, tasks);
}

function failing(draw: Random, tasks: ChaosTasks): AnyPlan {
  const steps: AnyPlan[] = [
    withCallbacks(tasks.work.with(effort(draw)), draw, tasks),
    withCallbacks(tasks.work.with({ ...effort(draw), fatal: true }), draw, tasks),
    withCallbacks(tasks.work.with(effort(draw)), draw, tasks),
  ];
  return withCallbacks(chain(steps, { name: "failing" }), draw, tasks);
}

function nested(draw: Random, tasks: ChaosTasks): AnyPlan {
  const items = Array.from({ length: draw.whole(3, 8) }, () =>
    withCallbacks(
      chain([tasks.work.with(effort(draw)), tasks.work.with(effort(draw))] as AnyPlan[], { name: "pair" }),
      draw,
      tasks,
    ),
  );
  const inner = withCallbacks(swarm(items, { name: "inner", concurrency: draw.whole(1, 4) }), draw, tasks);
  const outer = [tasks.work.with(effort(draw)), inner, tasks.work.with({ ...effort(draw), steps: 2 })];
  return withCallbacks(chain(outer as AnyPlan[], { name: "nested" }), draw, tasks);
}

function retried(draw: Random, tasks: ChaosTasks): AnyPlan {
  const one = tasks.retried.with({
    ms: draw.whole(5, 120),
    flaky: draw.whole(1, 3),
    steps: draw.whole(0, 2),
  });
  const all = tasks.retried.with({ ms: draw.whole(5, 60), flaky: 4 });
  const items = [withCallbacks(one, draw, tasks), withCallbacks(all, draw, tasks)];
  return withCallbacks(swarm(items, { name: "retried" }), draw, tasks);
}

function spawned(draw: Random, tasks: ChaosTasks): AnyPlan {
  return withCallbacks(tasks.spawn.with({ ms: draw.whole(10, 200) }), draw, tasks);
}

function delayed(draw: Random, tasks: ChaosTasks): AnyPlan {
  const later = (): AnyPlan => tasks.work.with(effort(draw)).options({ delay: draw.whole(50, 500) });
  return withCallbacks(chain([later(), later()] as AnyPlan[], { name: "delayed" }), draw, tasks);
}

function single(draw: Random, tasks: ChaosTasks): AnyPlan {
  const ms = draw.whole(50, 500);
  return withCallbacks(tasks.work.with({ ms, steps: 3, fatal: draw.chance(0.3) }), draw, tasks);
}

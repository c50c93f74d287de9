import { type AnyPlan, chain, swarm } from "mageflow";
import type { Order } from "./orders.ts";
import { type Random, random } from "./random.ts";
import { type ChaosTasks, dressed, type Work } from "./tasks.ts";

/** Orders that are given at once, each over a connection of its own, some time after those before have been answered. */
interface Beat {
  readonly pause: number;
  readonly orders: readonly Order[];
}

/** A workflow of its own, and what the steerer does to it. Depends on the seed and the index alone. */
export interface Story {
  readonly index: number;
  readonly name: string;
  readonly plan: AnyPlan;
  /** False: it is stored, and a later order starts it. */
  readonly start: boolean;
  readonly beats: readonly Beat[];
}

export const STORIES = 6;

export function story(seed: number, index: number, tasks: ChaosTasks): Story {
  const draw = random(seed, `story ${index}`);
  const make = MAKERS[(index + seed * STORIES) % MAKERS.length]!;
  return { index, start: true, ...make(draw, tasks) };
}

/** What is added to an open swarm, by the steerer as by its own items. */
export function addition({ work, note }: ChaosTasks, key: string): AnyPlan {
  return dressed(work.with({ ms: 5 }), note).keyed(key);
}

type Draft = Omit<Story, "index" | "start"> & { start?: boolean };

const MAKERS: readonly ((draw: Random, tasks: ChaosTasks) => Draft)[] = [
  suspending,
  interrupting,
  cancelling,
  deleting,
  rerunning,
  locking,
  editing,
  growing,
  mixing,
  interrupting,
  cancellingGrowth,
  mixing,
  racing,
];

function suspending(draw: Random, tasks: ChaosTasks): Draft {
  const { plan, targets } = shape(draw, tasks);
  const beats: Beat[] = [];
  const start = draw.chance(0.6);
  // Against its start: one of the two comes first.
  if (!start) beats.push(at(draw, { verb: "suspend" }, { verb: "start" }));
  else beats.push(at(draw, { verb: "suspend", path: draw.pick(targets) }));
  for (let i = draw.whole(0, 2); i > 0; i--) {
    beats.push(at(draw, { verb: "resume" }), at(draw, { verb: "suspend", path: draw.pick(targets) }));
  }
  return { name: "suspending", plan, start, beats };
}

function interrupting(draw: Random, tasks: ChaosTasks): Draft {
  const { plan, targets } = draw.chance(0.25) ? wide(draw, tasks) : shape(draw, tasks);
  const beats: Beat[] = [];
  for (let i = draw.whole(1, 3); i > 0; i--) {
    const path = draw.pick(targets);
    beats.push(at(draw, { verb: "interrupt", path, ms: grace(draw) }), at(draw, { verb: "resume", path }));
  }
  return { name: "interrupting", plan, beats };
}

function cancelling(draw: Random, tasks: ChaosTasks): Draft {
  const { plan, targets } = draw.chance(0.3) ? wide(draw, tasks) : shape(draw, tasks);
  const before: Order = draw.pick([
    { verb: "suspend", path: draw.pick(targets) },
    { verb: "interrupt", path: draw.pick(targets), ms: grace(draw) },
    { verb: "wait" },
  ]);
  const cancel: Order = { verb: "cancel", ms: grace(draw) };
  const beats = draw.chance(0.4) ? [at(draw, before), at(draw, cancel)] : [at(draw, cancel)];
  return { name: "cancelling", plan, beats };
}

/** Against what it creates itself, two levels down. */
function cancellingGrowth(draw: Random, tasks: ChaosTasks): Draft {
  const { grow, note } = tasks;
  const items = Array.from({ length: draw.whole(2, 4) }, () =>
    dressed(grow.with({ grows: draw.whole(3, 12), ...effort(draw) }), note),
  );
  const inner = dressed(swarm(items, { name: "growing", open: true, concurrency: 3 }), note);
  const plan = dressed(chain([inner as AnyPlan], { name: "outer" }), note);
  return { name: "cancelling growth", plan, beats: [at(draw, { verb: "cancel", ms: grace(draw) })] };
}

function deleting(draw: Random, tasks: ChaosTasks): Draft {
  const { plan } = shape(draw, tasks);
  const start = draw.chance(0.7);
  const beats = start && draw.chance(0.5) ? [at(draw, { verb: "wait" })] : [];
  beats.push(at(draw, { verb: "delete", ms: draw.whole(50, 500) }));
  for (let i = draw.whole(0, 3); i > 0; i--) {
    const span = { ms: draw.whole(50, 500) };
    beats.push(
      at(
        draw,
        draw.pick<Order>([
          { verb: "restore" },
          { verb: "extend", ...span },
          { verb: "delete", ...span },
          { verb: "purge" },
          { verb: "rerun" },
        ]),
      ),
    );
  }
  return { name: "deleting", plan, start, beats };
}

/** About the moment at which it is removed: when it is due, by a round of some process's reconciler, or by the rival. */
function rerunning(draw: Random, tasks: ChaosTasks): Draft {
  const plan = brief(draw, tasks);
  const beats: Beat[] = [{ pause: 0, orders: [{ verb: "wait" }] }];
  for (let i = draw.whole(1, 2); i > 0; i--) {
    const ms = draw.whole(20, 150);
    beats.push({ pause: 0, orders: [{ verb: "delete", ms }] });
    const orders: Order[] = [{ verb: "rerun" }];
    if (draw.chance(0.5)) orders.push({ verb: "purge" });
    if (draw.chance(0.5)) orders.reverse();
    const late = draw.chance(0.5) ? draw.whole(-60, 20) : draw.whole(0, 500);
    beats.push({ pause: Math.max(0, ms + late), orders });
    beats.push({ pause: 0, orders: [{ verb: "wait" }] });
  }
  return { name: "rerunning", plan, beats };
}

function locking(draw: Random, tasks: ChaosTasks): Draft {
  const { plan } = shape(draw, tasks);
  const start = draw.chance(0.5);
  const rivals: Order[] = [
    { verb: "suspend" },
    { verb: "interrupt", ms: 50 },
    { verb: "delete", ms: 50 },
    { verb: "purge" },
    { verb: "start" },
    { verb: "cancel", ms: 50 },
    { verb: "lock", ms: 2_000 },
  ];
  const beats = [
    at(draw, { verb: "lock", ms: 2_000 }),
    at(draw, draw.pick(rivals), draw.pick(rivals)),
    at(draw, draw.pick(rivals)),
    at(draw, { verb: "release" }),
    at(draw, { verb: "start" }),
  ];
  return { name: "locking", plan, start, beats };
}

function editing(draw: Random, tasks: ChaosTasks): Draft {
  const { work, note } = tasks;
  const task = (): AnyPlan => dressed(work.with({ mark: 0, ms: draw.whole(0, 20) }), note);
  const paths = ["0", "1", "2"];
  const plan = dressed(swarm([task(), task(), task()], { name: "edited" }), note);
  const edit = (mark: number): Order => ({ verb: "edit", mark, paths });
  const beats = [at(draw, edit(1))];
  beats.push(draw.chance(0.5) ? at(draw, edit(2), { verb: "start" }) : at(draw, edit(2)));
  beats.push(at(draw, { verb: "start" }));
  return { name: "editing", plan, start: false, beats };
}

function growing(draw: Random, tasks: ChaosTasks): Draft {
  const { grow, note } = tasks;
  const items = draw.chance(0.5) ? [dressed(grow.with({ grows: 3, ms: 20 }), note)] : [];
  const plan = dressed(swarm(items as AnyPlan[], { name: "open", open: true, concurrency: 3 }), note);
  const beats: Beat[] = [];
  const add = (call: number): Order => ({
    verb: "add",
    keys: Array.from({ length: draw.whole(1, 12) }, (_, i) => `${call} ${i}`),
  });
  for (let i = draw.whole(1, 3); i > 0; i--) beats.push(at(draw, add(i)));
  if (draw.chance(0.3))
    beats.push(at(draw, { verb: "suspend" }), at(draw, add(8)), at(draw, { verb: "resume" }));
  if (draw.chance(0.3))
    beats.push(at(draw, { verb: "interrupt", ms: grace(draw) }), at(draw, { verb: "resume" }));
  beats.push(at(draw, add(9), { verb: "close" }), at(draw, add(10)));
  return { name: "growing", plan, start: draw.chance(0.7), beats };
}

/** Two verbs at once, where one has to win. */
function racing(draw: Random, tasks: ChaosTasks): Draft {
  const { plan, targets } = shape(draw, tasks);
  const path = draw.pick(targets);
  const verbs: Order[] = [
    { verb: "suspend", path },
    { verb: "interrupt", path, ms: grace(draw) },
    { verb: "cancel", ms: grace(draw) },
    { verb: "delete", ms: draw.whole(0, 60) },
    { verb: "purge" },
    { verb: "start" },
  ];
  const beats: Beat[] = [];
  for (let i = draw.whole(1, 3); i > 0; i--) beats.push(at(draw, draw.pick(verbs), draw.pick(verbs)));
  return { name: "racing", plan, start: draw.chance(0.7), beats };
}

function mixing(draw: Random, tasks: ChaosTasks): Draft {
  const { plan, targets } = shape(draw, tasks);
  const beats: Beat[] = [];
  for (let i = draw.whole(3, 6); i > 0; i--) {
    const path = draw.pick(targets);
    beats.push(
      at(
        draw,
        draw.pick<Order>([
          { verb: "suspend", path },
          { verb: "interrupt", path, ms: grace(draw) },
          { verb: "resume", path },
          { verb: "resume" },
          { verb: "wait" },
          { verb: "delete", ms: draw.whole(50, 500) },
          { verb: "restore" },
          { verb: "rerun" },
          { verb: "interrupt", ms: grace(draw) },
          { verb: "cancel", ms: grace(draw) },
        ]),
      ),
    );
  }
  return { name: "mixing", plan, beats };
}

function at(draw: Random, ...orders: Order[]): Beat {
  return { pause: draw.chance(0.2) ? 0 : draw.whole(5, 150), orders };
}

function grace(draw: Random): number {
  return draw.pick([0, 20, 60, 150]);
}

function effort(draw: Random): Work {
  return { ms: draw.chance(0.4) ? draw.whole(60, 250) : draw.whole(0, 15), heeds: draw.chance(0.5) };
}

/** A workflow, and the parts of it that orders are given to. */
function shape(draw: Random, tasks: ChaosTasks): { plan: AnyPlan; targets: string[] } {
  const { note } = tasks;
  const task = (): AnyPlan => dressed(tasks.work.with({ ...effort(draw), steps: draw.whole(0, 3) }), note);
  const dice = draw.next();
  if (dice < 0.2) return { plan: task(), targets: [""] };
  if (dice < 0.45) {
    const steps = Array.from({ length: draw.whole(2, 5) }, task);
    return { plan: dressed(chain(steps, { name: "steps" }), note), targets: ["", "0", "1"] };
  }
  if (dice < 0.7) {
    const items = Array.from({ length: draw.whole(3, 9) }, task);
    const concurrency = draw.whole(1, 4);
    return { plan: dressed(swarm(items, { name: "items", concurrency }), note), targets: ["", "", "0", "2"] };
  }
  const pairs = Array.from({ length: draw.whole(2, 4) }, () =>
    dressed(chain([task(), task()], { name: "pair" }), note),
  );
  const inner = dressed(swarm(pairs, { name: "pairs", concurrency: draw.whole(1, 3) }), note);
  const plan = dressed(chain([task(), inner, task()] as AnyPlan[], { name: "whole" }), note);
  return { plan, targets: ["", "1", "1.0", "1.1.0", "0"] };
}

function brief(draw: Random, { work, note }: ChaosTasks): AnyPlan {
  const task = (): AnyPlan => dressed(work.with({ ms: draw.whole(0, 5) }), note);
  if (draw.chance(0.5)) return task();
  return dressed(chain([task(), task()], { name: "brief" }), note);
}

/** More than one window of 500 starts, or is stopped, at a time. */
function wide(draw: Random, { work, note }: ChaosTasks): { plan: AnyPlan; targets: string[] } {
  const items = Array.from({ length: draw.whole(505, 700) }, () => work.with({ ms: 2 }));
  const plan = dressed(swarm(items, { name: "wide", concurrency: Infinity }), note);
  return { plan, targets: [""] };
}

import { type FaultMix, faultMix, NO_FAULTS } from "./faults.ts";
import type { Violation } from "./invariants/invariant.ts";
import { Orders } from "./orders.ts";
import { type AnyPlanValue, PlanMaker, randomPlan } from "./plan-maker.ts";
import { random, type Random } from "./random.ts";
import { resumeRules } from "./resume-rules.ts";
import { Deadlock } from "./scheduler.ts";
import { hasEnded, isOver } from "./shadow.ts";
import { describeStuck } from "./stuck.ts";
import { World } from "./world.ts";

/** What one simulated run came to. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly hash: string;
  readonly commits: number;
  readonly events: number;
  readonly boundaries: number;
  readonly crashes: number;
  readonly signatures: number;
  /** Virtual milliseconds. */
  readonly lasted: number;
  readonly trace: readonly string[];
}

export interface SimulateOptions {
  readonly mix?: FaultMix;
  readonly trace?: boolean;
}

/** Virtual time in which a world without faults must bring everything to its end. */
const PATIENCE_MS = 600_000;
const LEASE_MS = 15_000;

/** One seed: a random workload under a random mix of faults, then a healthy world in which everything must end. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const draw = random(seed, "workload");
  const world = new World(seed, options.mix ?? faultMix(seed), { trace: options.trace === true });
  world.rules = resumeRules(seed);
  const orders = new Orders(world);
  const twins = random(seed, "twins");
  const make = new PlanMaker(
    (name, script) => world.register(name, script),
    twins.chance(0.3) ? twins : null,
  );
  const off = world.catchStrays();
  try {
    const count = draw.whole(2, 4);
    for (let i = 0; i < count; i++) world.start({ concurrency: draw.whole(1, 6) });
    const illness = draw.whole(5_000, 40_000);
    users(world, orders, make, draw, illness);
    nemesis(world, draw, illness);
    await world.run(() => world.scheduler.now >= illness);
    await heal(world, orders);
  } catch (error) {
    if (error instanceof Deadlock) world.report("I1 liveness", `${error.message}\n${describeStuck(world)}`);
    else throw error;
  } finally {
    off();
  }
  return outcomeOf(seed, world);
}

export function outcomeOf(seed: number, world: World): Outcome {
  const { violations, trace, shadow, scheduler, boundaries, crashes } = world;
  return {
    seed,
    violations,
    hash: trace.hash,
    commits: shadow.commits,
    events: scheduler.released,
    boundaries,
    crashes,
    signatures: shadow.records.size,
    lasted: scheduler.now,
    trace: trace.lines,
  };
}

/** Ends all faults and demands that everything comes to its end in bounded virtual time. */
export async function heal(world: World, orders: Orders): Promise<void> {
  world.trace.add("heal");
  // Doorbells are hints (law 5): where they are lost they stay lost, and everything must come to its end without them.
  world.mix = { ...NO_FAULTS, bellLost: world.mix.bellLost === 1 ? 1 : 0 };
  world.storeDown = false;
  world.engine.healthy = true;
  for (const process of world.alive) {
    process.frozen = false;
    process.strikes = [];
  }
  if (world.alive.filter(({ leaving }) => !leaving).length === 0) world.start({ concurrency: 4 });
  const end = world.scheduler.now + PATIENCE_MS;
  let nursing = true;
  void (async () => {
    while (nursing) {
      const [process] = world.up;
      if (process !== undefined) orders.nurse(process);
      await world.later(1_000, "nurse");
    }
  })();
  const over = (): boolean =>
    (orders.count > 0 && world.settled && orders.quiet) || world.scheduler.now >= end;
  await world.run(over);
  if (world.violations.length > 0) return;
  if (!world.settled || !orders.quiet) {
    world.report("I1 liveness", world.settled ? "an order was never answered" : describeStuck(world));
    return;
  }
  // What comes late must find nothing to do.
  orders.over = true;
  const quiet = world.scheduler.now + 3_000;
  await world.run(() => world.scheduler.now >= quiet);
  nursing = false;
  orders.audit();
  await world.audit();
  await leave(world);
}

/** All processes leave in good order. */
async function leave(world: World): Promise<void> {
  if (world.violations.length > 0) return;
  const closed = new Set<string>();
  const there = world.up;
  for (const process of there) void process.runtime.close().then(() => closed.add(process.name));
  const end = world.scheduler.now + 60_000;
  const staying = (): typeof there => there.filter(({ name, dead }) => !dead && !closed.has(name));
  await world.run(() => staying().length === 0 || world.scheduler.now >= end);
  for (const { name } of staying()) world.report("I1 liveness", `${name} does not come to its close`);
}

/** Users give orders at random times. */
function users(world: World, orders: Orders, make: PlanMaker, draw: Random, illness: number): void {
  const at = (ms: number, what: string, order: () => void): void => {
    void world.scheduler.wait(world.self, what, { due: ms }).then(order);
  };
  const roots = draw.whole(1, 4);
  for (let i = 0; i < roots; i++) {
    const bare = randomPlan(make, draw, draw.whole(2, 16));
    const plan = draw.chance(0.1) ? bare.options({ retain: { succeeded: draw.whole(0, 5_000) } }) : bare;
    const key = draw.chance(0.6) ? `key ${i}` : null;
    const start = draw.chance(0.85);
    const [process, again] = [draw.next(), draw.next()];
    const time = draw.whole(0, Math.floor(illness * 0.7));
    at(time, "submit", () => give(world, process, (p) => orders.submit(p, plan, key, start)));
    if (key !== null && draw.chance(0.5)) {
      at(time + draw.whole(0, 200), "submit", () =>
        give(world, again, (p) => orders.submit(p, plan, key, start)),
      );
    }
  }
  const controls = draw.whole(0, 16);
  for (let i = 0; i < controls; i++) {
    const [kind, target, process, size] = [draw.next(), draw.next(), draw.next(), draw.next()];
    const items =
      kind < 0.15
        ? Array.from({ length: draw.whole(1, 4) }, () => make.task({ takes: draw.whole(0, 500) }))
        : [];
    at(draw.whole(0, illness), "control", () =>
      give(world, process, (p) => control(world, orders, p, { kind, target, size, items })),
    );
  }
}

interface Whim {
  /** What is done, to whom, and how much of it: numbers in [0, 1). */
  readonly kind: number;
  readonly target: number;
  readonly size: number;
  readonly items: readonly AnyPlanValue[];
}

/** One order of a user. */
function control(
  world: World,
  orders: Orders,
  process: World["processes"][number],
  { kind, target, size, items }: Whim,
): void {
  const records = [...world.shadow.records.values()];
  const swarms = records.filter(
    (each) => each.kind === "swarm" && (each.family!.open || each.status === "SUSPENDED"),
  );
  const open = records.filter((record) => !hasEnded(record));
  const resting = open.filter(({ status }) => status === "SUSPENDED" || status === "INTERRUPTED");
  const roots = records.filter(({ role }) => role === "root");
  const over = roots.filter(isOver);
  const among = (list: typeof records, order: (id: string) => void): void =>
    act(list[Math.floor(target * list.length)]?.id, order);
  const ms = (most: number): number => Math.floor(size * most);
  const verbs: readonly (readonly [share: number, give: () => void])[] = [
    [15, () => among(swarms, (id) => orders.add(process, id, items))],
    [6, () => among(swarms, (id) => orders.close(process, id))],
    [16, () => among(open, (id) => orders.suspend(process, id))],
    [16, () => among(resting, (id) => orders.resume(process, id))],
    [5, () => among(roots, (id) => orders.ask(process, id))],
    [12, () => among(open, (id) => orders.interrupt(process, id, size < 0.2 ? 0 : ms(3_000)))],
    [6, () => among(over.length > 0 ? over : roots, (id) => orders.rerun(process, id))],
    [6, () => among(roots, (id) => deleteAndRerun(world, orders, process, id, ms(3_000)))],
    [3, () => among(roots, (id) => orders.restore(process, id))],
    [2, () => among(roots, (id) => orders.extend(process, id, ms(3_000)))],
    [2, () => among(roots, (id) => orders.purge(process, id))],
    [
      5,
      () =>
        among(roots, (id) =>
          cancelAndAbandon(world, orders, process, id, { thinks: ms(300), grace: ms(2_000) }),
        ),
    ],
    [4, () => among(open, (id) => orders.lock(process, id, 1 + ms(8_000), ms(4_000)))],
    [2, () => among(open, (id) => orders.edit(process, [id], { with: { edited: ms(9) }, priority: 1 }))],
  ];
  let left = kind * verbs.reduce((sum, [share]) => sum + share, 0);
  const [, give] = verbs.find(([share]) => (left -= share) < 0)!;
  give();
}

/** Half of those who have something deleted want it back at the instant at which it goes. */
function deleteAndRerun(
  world: World,
  orders: Orders,
  process: World["processes"][number],
  id: string,
  after: number,
): void {
  orders.delete(process, id, after);
  if (after % 2 === 0) return;
  void world.later(after, "rerun").then(() => {
    if (process.up && !orders.over && world.shadow.records.has(id)) orders.rerun(process, id);
  });
}

/** Half of those who cancel something do not wait for its cleanups, some of them not even for the end of the grace. */
function cancelAndAbandon(
  world: World,
  orders: Orders,
  process: World["processes"][number],
  id: string,
  { thinks, grace }: { thinks: number; grace: number },
): void {
  orders.cancel(process, id, thinks, grace);
  if (thinks % 2 === 0) return;
  void world.later(thinks + (grace * (thinks % 3)) / 1.5, "abandon").then(() => {
    if (process.up && !orders.over && world.shadow.records.has(id)) orders.abandon(process, id);
  });
}

function act(id: string | undefined, order: (id: string) => void): void {
  if (id !== undefined) order(id);
}

function give(world: World, which: number, order: (process: World["processes"][number]) => void): void {
  const { up } = world;
  const process = up[Math.floor(which * up.length)];
  if (process !== undefined) order(process);
}

/** Crashes, freezes, outages and clock steps at random times. */
function nemesis(world: World, draw: Random, illness: number): void {
  const { mix } = world;
  const some = (count: number, what: string, strike: (which: number, size: number) => void): void => {
    for (let i = 0; i < count; i++) {
      const [time, which, size] = [draw.whole(0, illness - 1), draw.next(), draw.next()];
      void world.scheduler.wait(world.self, what, { due: time }).then(() => strike(which, size));
    }
  };
  const victim = (which: number): World["processes"][number] | undefined => {
    const { alive } = world;
    return alive[Math.floor(which * alive.length)];
  };
  const reborn = (size: number): void => {
    void world
      .later(Math.floor(size * 5_000), "start")
      .then(() => world.start({ concurrency: 1 + Math.floor(size * 6) }));
  };
  some(mix.crashes, "crash", (which, size) => {
    const process = victim(which);
    if (process === undefined) return;
    process.strikes.push({ in: 1 + Math.floor(size * 15), strike: () => world.crash(process) });
    reborn(size);
  });
  some(mix.drains, "drain", (which, size) => {
    const process = victim(which);
    if (process === undefined) return;
    const drain = (): void => {
      if (!process.up || process.leaving) return;
      process.leaving = true;
      // When it cannot leave in good order it lingers: it must not hold on to anything then.
      void process.runtime.close().then(
        () => world.crash(process),
        () => world.trace.add(`${process.name} could not leave`),
      );
      reborn(size);
    };
    process.strikes.push({ in: 1 + Math.floor(size * 15), strike: drain });
  });
  some(mix.freezes, "freeze", (which, size) => {
    const process = victim(which);
    if (process === undefined) return;
    const freeze = (): void => {
      process.frozen = true;
      void world.later(LEASE_MS * (0.2 + 2 * size), "thaw").then(() => (process.frozen = false));
    };
    process.strikes.push({ in: 1 + Math.floor(size * 15), strike: freeze });
  });
  some(mix.outages, "outage", (_, size) => {
    world.storeDown = true;
    void world.later(size * 8_000, "store up").then(() => (world.storeDown = false));
  });
  some(mix.clockSteps, "clock step", (which, size) =>
    world.stepClock(Math.floor(which * (size < 0.5 ? 5_000 : 60_000))),
  );
}

import { NO_FAULTS } from "./faults.ts";
import { Orders } from "./orders.ts";
import { PlanMaker } from "./plan-maker.ts";
import { Deadlock } from "./scheduler.ts";
import { heal, type Outcome, outcomeOf } from "./simulate.ts";
import { describeStuck } from "./stuck.ts";
import type { Workflow } from "./workflows.ts";
import { World } from "./world.ts";

/** Time (ms) that a workflow gets before users stop and everything must come to its end. */
const BUSY_MS = 3_000;
/** Time (ms) after a crash until another process takes the place of the dead one. */
const REPLACED_MS = 700;

/** Runs a workflow on two processes and lets a process die at each of these boundaries: before or after what it does there. */
export async function crashAt(
  workflow: Workflow,
  boundaries: readonly number[],
  options: { seed?: number; trace?: boolean } = {},
): Promise<Outcome> {
  const seed = options.seed ?? 1;
  const world = new World(seed, NO_FAULTS, {
    trace: options.trace === true,
    crashPoints: new Set(boundaries),
  });
  const orders = new Orders(world);
  const make = new PlanMaker((name, script) => world.register(name, script));
  world.onCrash = () => void world.later(REPLACED_MS, "start").then(() => world.start({ concurrency: 3 }));
  const plan = workflow.plan(make);
  const at = (ms: number, what: string, order: (process: World["processes"][number]) => void): void => {
    void world.scheduler.wait(world.self, what, { due: ms }).then(() => {
      const [process] = world.up;
      if (process !== undefined) order(process);
    });
  };
  const off = world.catchStrays();
  try {
    world.start({ concurrency: 3 });
    world.start({ concurrency: 3 });
    at(10, "submit", (process) => orders.submit(process, plan, "the one"));
    for (const { at: time, give } of workflow.controls ?? []) {
      at(time, "control", (process) => {
        const [root] = world.shadow.records.values().filter(({ role }) => role === "root");
        if (root !== undefined) give({ world, orders, make, process, rootId: root.id });
      });
    }
    await world.run(() => world.scheduler.now >= BUSY_MS);
    if (world.violations.length === 0) {
      // The user who got no answer asks again, before anything else is looked at.
      const [process] = world.up;
      if (process !== undefined && orders.count === 0) orders.submit(process, plan, "the one");
      await heal(world, orders);
    }
  } catch (error) {
    if (error instanceof Deadlock) world.report("I1 liveness", `${error.message}\n${describeStuck(world)}`);
    else throw error;
  } finally {
    off();
  }
  return outcomeOf(seed, world);
}

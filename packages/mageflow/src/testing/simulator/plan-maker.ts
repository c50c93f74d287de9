import { NO_CALLBACKS } from "../../core/plan.ts";
import type { PlanOptions } from "../../core/plan-options.ts";
import { chain, type ContainerPlan, swarm, TaskPlan } from "../../core/plans.ts";
import { retryPolicy } from "../../core/retry.ts";
import type { Random } from "./random.ts";
import type { Script } from "./script.ts";

export type AnyPlanValue = TaskPlan<unknown, unknown, unknown> | ContainerPlan<unknown, unknown, unknown>;

const PLAIN: Script = {
  takes: 0,
  fails: 0,
  terminal: false,
  steps: 0,
  checkpoint: false,
  progress: false,
  defer: false,
  log: false,
  deaf: false,
  lingers: 0,
  finishes: false,
  submits: null,
  twin: null,
};

export interface TaskOptions extends PlanOptions {
  readonly attempts?: number;
  readonly wait?: number;
  readonly timeout?: number;
  readonly totalTimeout?: number;
  readonly maxRecoveries?: number;
}

/** Makes plans whose tasks have scripts; every task gets a name of its own, so that its script is found by it. */
export class PlanMaker {
  /** Draws what tasks of random plans hold, apart from all else of a plan; null when none holds anything. */
  readonly twins: Random | null;
  readonly #register: (name: string, script: Script) => void;
  #named = 0;

  constructor(register: (name: string, script: Script) => void, twins: Random | null = null) {
    this.#register = register;
    this.twins = twins;
  }

  task(script: Partial<Script> = {}, options: TaskOptions = {}): TaskPlan<unknown, unknown, unknown> {
    const name = `t${this.#named++}`;
    this.#register(name, { ...PLAIN, ...script });
    const { attempts = 1, wait, timeout = null, totalTimeout = null, maxRecoveries = 100, ...rest } = options;
    const backoff =
      wait === undefined ? "exponential" : ({ type: "fixed", delay: wait, jitter: "none" } as const);
    const plan = new TaskPlan<unknown, unknown, unknown>({
      spec: {
        kind: "task",
        name,
        callbacks: NO_CALLBACKS,
        priority: null,
        delay: 0,
        at: null,
        stagger: 0,
        tags: [],
        metadata: {},
        retry: retryPolicy({ attempts, backoff }),
        timeout,
        totalTimeout,
        maxRecoveries,
      },
      bound: null,
      key: null,
    });
    return plan.options(rest);
  }

  chain(steps: readonly AnyPlanValue[], options: PlanOptions = {}): AnyPlanValue {
    return chain(steps as never, { ...options, name: `c${this.#named++}` });
  }

  swarm(items: readonly AnyPlanValue[], options: Parameters<typeof swarm>[1] = {}): AnyPlanValue {
    return swarm(items, { ...options, name: `s${this.#named++}` });
  }
}

/** A random nested plan of about `budget` signatures. */
export function randomPlan(make: PlanMaker, draw: Random, budget: number, depth = 0): AnyPlanValue {
  const leaf = budget <= 1 || depth >= 4 || draw.chance(depth === 0 ? 0.15 : 0.45);
  let plan: AnyPlanValue;
  if (leaf) {
    plan = make.task(randomScript(make, draw, depth), taskOptions(draw));
  } else {
    const count = draw.whole(1, Math.min(6, budget));
    const share = Math.max(1, Math.floor(budget / count));
    const children: AnyPlanValue[] = [];
    for (let i = 0; i < count; i++) children.push(randomPlan(make, draw, share - 1, depth + 1));
    plan = draw.chance(0.5)
      ? make.chain(children, options(draw))
      : make.swarm(
          draw.chance(0.3) ? children.map((item, i) => item.keyed(`k${i}`)) : children,
          swarmOptions(make, draw, depth),
        );
  }
  if (draw.chance(0.3))
    plan = plan.with({
      [`b${draw.whole(0, 3)}`]: draw.whole(0, 9),
      deep: { [`d${depth}`]: 1 },
    } as never) as never;
  return withCallbacks(make, draw, plan, depth);
}

function withCallbacks(make: PlanMaker, draw: Random, bare: AnyPlanValue, depth: number): AnyPlanValue {
  let plan = bare;
  const most = depth >= 4 ? 0.05 : 0.25;
  const callback = (): AnyPlanValue => randomPlan(make, draw, draw.chance(0.3) ? 3 : 1, depth + 2);
  if (draw.chance(most)) plan = plan.onSuccess(callback());
  if (draw.chance(most)) plan = plan.onError(callback());
  if (draw.chance(most)) plan = plan.onCleanup(callback());
  if (draw.chance(most / 2)) plan = plan.onCleanup(callback());
  return plan;
}

function randomScript(make: PlanMaker, draw: Random, depth: number): Partial<Script> {
  const failing = draw.chance(0.3);
  const takes = draw.chance(0.5) ? 0 : draw.chance(0.1) ? draw.whole(5_000, 30_000) : draw.whole(1, 2_000);
  return {
    takes,
    fails: failing ? draw.whole(1, 4) : 0,
    terminal: failing && draw.chance(0.2),
    steps: draw.chance(0.2) ? draw.whole(1, 3) : 0,
    checkpoint: draw.chance(0.15),
    progress: draw.chance(0.15),
    defer: draw.chance(0.15),
    log: draw.chance(0.1),
    deaf: draw.chance(0.2),
    lingers: draw.chance(0.2) ? draw.whole(1, 3_000) : 0,
    finishes: draw.chance(0.3),
    submits: depth < 3 && draw.chance(0.06) ? randomPlan(make, draw, 2, 3) : null,
    twin: randomTwin(make, depth),
  };
}

function randomTwin(make: PlanMaker, depth: number): AnyPlanValue | null {
  const { twins } = make;
  if (twins === null || depth >= 4 || !twins.chance(0.3)) return null;
  return randomPlan(make, twins, twins.chance(0.3) ? 3 : 1, depth + 2);
}

function taskOptions(draw: Random): TaskOptions {
  return {
    ...options(draw),
    attempts: draw.chance(0.5) ? draw.whole(2, 4) : 1,
    ...(draw.chance(0.5) ? { wait: draw.whole(0, 3_000) } : {}),
    ...(draw.chance(0.1) ? { timeout: draw.whole(100, 3_000) } : {}),
    ...(draw.chance(0.1) ? { totalTimeout: draw.whole(100, 10_000) } : {}),
    ...(draw.chance(0.1) ? { maxRecoveries: draw.whole(0, 2) } : {}),
  };
}

function options(draw: Random): PlanOptions {
  return {
    ...(draw.chance(0.15) ? { delay: draw.whole(1, 4_000) } : {}),
    ...(draw.chance(0.1) ? { stagger: draw.whole(1, 2_000) } : {}),
    ...(draw.chance(0.15) ? { priority: draw.whole(-2, 2) } : {}),
  };
}

function swarmOptions(make: PlanMaker, draw: Random, depth: number): Parameters<typeof swarm>[1] {
  const callback = (): never => randomPlan(make, draw, 1, depth + 3) as never;
  return {
    ...options(draw),
    concurrency: draw.chance(0.15) ? Number.POSITIVE_INFINITY : draw.whole(1, 4),
    ...(draw.chance(0.3) ? { stopAfterFailures: draw.whole(0, 2) } : {}),
    ...(draw.chance(0.5) ? { onLimit: "interrupt" } : {}),
    ...(draw.chance(0.25) ? { open: true } : {}),
    ...(draw.chance(0.15) ? { maxTasks: draw.whole(6, 8) } : {}),
    ...(draw.chance(0.2) ? { onItemSuccess: callback() } : {}),
    ...(draw.chance(0.2) ? { onItemError: callback() } : {}),
    ...(draw.chance(0.2) ? { onItemCleanup: callback() } : {}),
  };
}

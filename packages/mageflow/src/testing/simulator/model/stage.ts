import type { PlanNode } from "../../../core/plan.ts";
import type { TaskContext } from "../../../runtime/context.ts";
import { plainHandler } from "../../../runtime/handler.ts";
import { Run } from "../../../runtime/run.ts";
import { NO_FAULTS } from "../faults.ts";
import { type AnyPlanValue, PlanMaker } from "../plan-maker.ts";
import type { Process } from "../process.ts";
import { World } from "../world.ts";
import type { Shape } from "./lifecycle-model.ts";

/** Time (ms) in which every retry of the model comes, and a dead worker's lease lapses. */
const LONG_MS = 20_000;
const RETRY_MS = 1_000;

interface Running {
  readonly epoch: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The real runtime under the orders of the model: tasks run until they are told how to end. */
export class ModelStage {
  readonly world: World;
  readonly #make: PlanMaker;
  readonly #running = new Map<string, Running>();
  #process: Process;

  constructor(seed: number) {
    this.world = new World(seed, NO_FAULTS);
    this.world.handlerFor = (name, _script, process) =>
      plainHandler(name, (_input: never, context: TaskContext) => this.#run(process, context));
    this.#make = new PlanMaker((name, script) => this.world.register(name, script));
    this.#process = this.world.start({ concurrency: 1_000 });
  }

  #run(process: Process, { id, epoch }: TaskContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!process.dead) this.#running.set(id, { epoch, resolve, reject });
    });
  }

  /** Lets everything follow that follows without time. */
  async follow(): Promise<void> {
    await this.world.run(() => this.world.scheduler.quiet);
  }

  /** Gives an order and awaits its answer: what it returned, or the code of the error. */
  async order<T>(give: (process: Process) => Promise<T>): Promise<{ value?: T; code?: string }> {
    await this.world.run(() => this.#process.up);
    let answer: { value?: T; code?: string } | null = null;
    give(this.#process).then(
      (value) => (answer = { value }),
      (error: { code?: string }) => (answer = { code: error.code ?? "an error without a code" }),
    );
    await this.world.run(() => answer !== null);
    await this.follow();
    return answer ?? {};
  }

  submit(shape: Shape): Promise<{ value?: string; code?: string }> {
    const plan: PlanNode = this.plan(shape);
    return this.order(({ runtime }) =>
      runtime.submit({ plan, message: null, start: true, key: null, tags: [], by: null }),
    );
  }

  tell(id: string, act: (run: Run) => Promise<unknown>): Promise<{ code?: string }> {
    return this.order(({ runtime }) => act(new Run(runtime, id)));
  }

  async finish(id: string, ok: boolean): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) throw new Error(`${id} should be running and is not`);
    this.#running.delete(id);
    if (ok) running.resolve({ epoch: running.epoch });
    else running.reject(new Error("told to fail"));
    await this.follow();
  }

  async pass(): Promise<void> {
    const end = this.world.scheduler.now + LONG_MS;
    await this.world.run(() => this.world.scheduler.now >= end && this.world.scheduler.quiet);
  }

  /** The process dies; another takes its place, and what ran is run again. */
  async crash(): Promise<void> {
    this.world.crash(this.#process);
    this.#running.clear();
    this.#process = this.world.start({ concurrency: 1_000 });
    await this.pass();
  }

  plan(shape: Shape): AnyPlanValue {
    let plan: AnyPlanValue;
    if (shape.kind === "task") plan = this.#make.task({}, { attempts: shape.attempts, wait: RETRY_MS });
    else {
      const children = shape.children.map((child) => this.plan(child));
      const { concurrency, limit, open } = shape;
      plan =
        shape.kind === "chain"
          ? this.#make.chain(children)
          : this.#make.swarm(children, {
              concurrency,
              open,
              ...(limit === null ? {} : { stopAfterFailures: limit }),
            });
    }
    if (shape.success) plan = plan.onSuccess(this.#make.task());
    if (shape.error) plan = plan.onError(this.#make.task());
    for (let i = 0; i < shape.cleanups; i++) plan = plan.onCleanup(this.#make.task());
    return plan;
  }
}

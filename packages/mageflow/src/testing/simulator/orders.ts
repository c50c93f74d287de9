import { MageFlowError } from "../../core/errors.ts";
import type { PlanNode } from "../../core/plan.ts";
import { Run } from "../../runtime/run.ts";
import type { AnyPlanValue } from "./plan-maker.ts";
import type { Process } from "./process.ts";
import { hasEnded } from "./shadow.ts";
import type { World } from "./world.ts";

/** What became of an order. `lost`: no answer ever came. */
type Answer = "lost" | "acknowledged" | "refused";

interface Submitted {
  readonly name: string;
  readonly key: string | null;
  readonly plan: PlanNode;
  readonly start: boolean;
  answer: Answer;
  id: string | null;
}

interface Added {
  readonly swarmId: string;
  readonly names: readonly string[];
  answer: Answer;
}

/**
 * The users of the simulation: they give orders through whatever process is up and keep account of the answers.
 * Acknowledged means done exactly once, refused means not done, without an answer it may be either.
 */
export class Orders {
  readonly #world: World;
  readonly #submitted: Submitted[] = [];
  readonly #added: Added[] = [];
  #open = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get count(): number {
    return this.#submitted.length;
  }

  /** No answer is being waited for, and everything that has a key was acknowledged. */
  get quiet(): boolean {
    const acknowledged = new Set(
      this.#submitted.flatMap(({ key, answer }) => (answer === "acknowledged" ? [key] : [])),
    );
    return this.#open === 0 && this.#submitted.every(({ key }) => key === null || acknowledged.has(key));
  }

  submit(process: Process, plan: AnyPlanValue, key: string | null, start = true): void {
    const order: Submitted = { name: plan.spec.name, key, plan, start, answer: "lost", id: null };
    this.#submitted.push(order);
    this.#give(process, order);
  }

  /** Submits again what has a key: everything, or only what was not acknowledged. */
  repeat(process: Process, every: boolean): void {
    const orders = this.#submitted.slice();
    for (const order of orders) {
      if (order.key === null) continue;
      if (!every && this.#submitted.some(({ key, answer }) => key === order.key && answer === "acknowledged"))
        continue;
      this.submit(process, order.plan as AnyPlanValue, order.key, order.start);
    }
  }

  #give(process: Process, order: Submitted): void {
    const { plan, key, start } = order;
    const made = process.runtime.submit({ plan, message: null, start, key, tags: [], by: null });
    this.#await(process, `submit ${order.name}`, made, order, (id) => {
      order.id = id;
      const root = this.#world.shadow.records.get(id);
      if (root?.role !== "root")
        this.#world.report("accounts", `${order.name} was acknowledged as ${id}, which is not stored`);
    });
  }

  suspend(process: Process, id: string): void {
    this.#await(process, `suspend ${id}`, this.#run(process, id).suspend(), { answer: "lost" }, () => {
      const { shadow } = this.#world;
      const told = shadow.journals.get(shadow.get(id).rootId) ?? [];
      // Suspended and then resumed or skipped in one commit, it never shows as suspended.
      const lifted = shadow.resumed.has(id) || shadow.get(id).status === "SKIPPED";
      if (!lifted && !told.some((entry) => entry.id === id && entry.type === "suspended")) {
        this.#world.report("accounts", `the suspension of ${id} was acknowledged and never made`);
      }
    });
  }

  resume(process: Process, id: string): void {
    this.#world.shadow.resumed.add(id);
    this.#await(process, `resume ${id}`, this.#run(process, id).resume(), { answer: "lost" });
  }

  start(process: Process, id: string): void {
    this.#await(process, `start ${id}`, this.#run(process, id).start({ told: 1 }), { answer: "lost" });
  }

  close(process: Process, id: string): void {
    this.#await(process, `close ${id}`, this.#run(process, id).close(), { answer: "lost" }, () => {
      if (this.#world.shadow.get(id).family!.open)
        this.#world.report("accounts", `${id} is open after its close was acknowledged`);
    });
  }

  add(process: Process, id: string, items: readonly AnyPlanValue[]): void {
    const order: Added = { swarmId: id, names: items.map(({ spec }) => spec.name), answer: "lost" };
    this.#added.push(order);
    this.#await(process, `add to ${id}`, this.#run(process, id).addTasks(items as never), order);
  }

  /** Results asked for by a waiting user: what they are told must be what is stored. */
  ask(process: Process, id: string): void {
    this.#await(process, `result of ${id}`, this.#run(process, id).settled(), { answer: "lost" }, (told) => {
      const { status } = this.#world.shadow.get(id);
      if ((told as { status: string }).status !== status) {
        this.#world.report(
          "accounts",
          `the user of ${id} was told ${(told as { status: string }).status}, it is ${status}`,
        );
      }
    });
  }

  #run(process: Process, id: string): Run {
    return new Run(process.runtime, id);
  }

  #await<T>(
    process: Process,
    what: string,
    made: Promise<T>,
    order: { answer: Answer },
    onAnswer?: (value: T) => void,
  ): void {
    this.#open++;
    const { trace } = this.#world;
    trace.add(`order ${process.name} ${what}`);
    let waits = true;
    const end = (): void => {
      if (waits) this.#open--;
      waits = false;
    };
    process.died.catch(end);
    made.then(
      (value) => {
        end();
        if (process.dead) return;
        trace.add(`acknowledged ${process.name} ${what}`);
        order.answer = "acknowledged";
        onAnswer?.(value);
      },
      (error: unknown) => {
        end();
        if (process.dead) return;
        order.answer = "refused";
        trace.add(`refused ${process.name} ${what}: ${String(error)}`);
        if (!(error instanceof MageFlowError)) {
          this.#world.report(
            "accounts",
            `${what} was refused with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          );
        }
      },
    );
  }

  /** Every answer against what is stored. */
  audit(): void {
    const { shadow } = this.#world;
    const roots = [...shadow.records.values()].filter(({ role }) => role === "root");
    const names = new Map<string, number>();
    for (const { name } of shadow.records.values()) names.set(name, (names.get(name) ?? 0) + 1);
    for (const order of this.#submitted) {
      const stored = roots.filter((root) => root.name === order.name).length;
      const answers = this.#submitted.filter(({ name }) => name === order.name);
      const acknowledged = answers.some(({ answer }) => answer === "acknowledged");
      const known = answers.every(({ answer }) => answer === "refused");
      if (stored > 1)
        this.#world.report("accounts", `${order.name} (key ${order.key}) is stored ${stored} times`);
      if (acknowledged && stored === 0)
        this.#world.report("accounts", `${order.name} was acknowledged and is not stored`);
      if (known && stored > 0) this.#world.report("accounts", `${order.name} was refused and is stored`);
      if (order.answer === "acknowledged" && !roots.some(({ id }) => id === order.id)) {
        this.#world.report("accounts", `${order.name} was acknowledged as ${order.id}, which is no root`);
      }
      const ids = new Set(answers.flatMap(({ id }) => id ?? []));
      if (ids.size > 1)
        this.#world.report("accounts", `${order.name} was acknowledged under ${[...ids].join(" and ")}`);
    }
    for (const { swarmId, names: added, answer } of this.#added) {
      for (const name of added) {
        const times = shadow.children(swarmId).filter((item) => item.name === name).length;
        const right =
          answer === "acknowledged" ? times === 1 : answer === "refused" ? times === 0 : times <= 1;
        if (!right)
          this.#world.report(
            "accounts",
            `adding ${name} to ${swarmId} was ${answer}, it is there ${times} times`,
          );
      }
    }
  }

  /** What a healthy world does to let everything end: resumes, closes, starts, and repeats what was not answered. */
  nurse(process: Process): void {
    for (const record of this.#world.shadow.records.values()) {
      if (record.status === "SUSPENDED") this.resume(process, record.id);
      // Not before its items have ended: they must not need the close to be started.
      const idle = this.#world.shadow.children(record.id).every(hasEnded);
      if (record.family?.open === true && !hasEnded(record) && idle) this.close(process, record.id);
      if (record.role === "root" && record.status === "PENDING" && record.readyAt === null)
        this.start(process, record.id);
    }
    this.repeat(process, false);
  }
}

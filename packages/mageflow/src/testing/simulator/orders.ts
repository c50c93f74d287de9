import { MageFlowError } from "../../core/errors.ts";
import type { PlanNode } from "../../core/plan.ts";
import { Edits, type Edit } from "../../runtime/edits.ts";
import type { RunLock } from "../../runtime/lock.ts";
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
  /** What somebody has asked to be restored. */
  readonly #restored = new Set<string>();
  /** Whose cancellation was acknowledged. */
  readonly #cancelled = new Set<string>();
  #open = 0;
  /** No more orders are given. */
  over = false;

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
      if (root?.role !== "root" && !this.#world.shadow.removed.has(id))
        this.#world.report("accounts", `${order.name} was acknowledged as ${id}, which is not stored`);
    });
  }

  suspend(process: Process, id: string): void {
    this.#await(process, `suspend ${id}`, this.#run(process, id).suspend(), { answer: "lost" }, () => {
      const { shadow } = this.#world;
      const told = shadow.journals.get(shadow.get(id).rootId) ?? [];
      // Suspended and then resumed, skipped or stopped in one commit, it never shows as suspended.
      const { status, stop, generation } = shadow.get(id);
      const lifted = shadow.resumed.has(id) || status === "SKIPPED" || stop !== null || generation > 1;
      if (!lifted && !told.some((entry) => entry.id === id && entry.type === "suspended")) {
        this.#world.report("accounts", `the suspension of ${id} was acknowledged and never made`);
      }
    });
  }

  resume(process: Process, id: string): void {
    this.#world.shadow.resumed.add(id);
    this.#await(process, `resume ${id}`, this.#run(process, id).resume(), { answer: "lost" });
  }

  /** Acknowledged means that it has stopped, or had come to its end before. */
  interrupt(process: Process, id: string, grace: number): void {
    const { shadow } = this.#world;
    const { generation } = shadow.get(id);
    const given = this.#run(process, id).interrupt({ reason: "a user", grace });
    this.#await(process, `interrupt ${id}`, given, { answer: "lost" }, () => {
      const record = shadow.get(id);
      let stopped = hasEnded(record);
      for (let at = generation; at <= record.generation; at++) stopped ||= shadow.endings.has(`${id} ${at}`);
      if (!stopped)
        this.#world.report("accounts", `the interruption of ${id} was acknowledged, it is ${record.status}`);
    });
  }

  /** Acknowledged means another life, even when it was to be removed at that instant. */
  rerun(process: Process, id: string): void {
    const { shadow } = this.#world;
    const { generation } = shadow.get(id);
    const given = this.#run(process, id).rerun({ again: generation });
    this.#await(process, `rerun ${id}`, given, { answer: "lost" }, () => {
      if (shadow.get(id).generation <= generation)
        this.#world.report("accounts", `the rerun of ${id} was acknowledged and never made`);
    });
  }

  delete(process: Process, id: string, after: number): void {
    const { generation } = this.#world.shadow.get(id);
    const given = this.#run(process, id).delete({ after, reason: "a user" });
    this.#await(process, `delete ${id} after ${after}`, given, { answer: "lost" }, () => {
      const { shadow } = this.#world;
      const told = shadow.journals.get(id) ?? [];
      // Marked and restored or run again in one commit, it never shows as marked.
      const marked = this.#restored.has(id) || told.some(({ type }) => type === "marked");
      const { deletion, generation: now } = shadow.get(id);
      if (!marked && deletion === null && now === generation)
        this.#world.report("accounts", `the deletion of ${id} was acknowledged and never made`);
    });
  }

  restore(process: Process, id: string): void {
    this.#restored.add(id);
    this.#await(process, `restore ${id}`, this.#run(process, id).restore(), { answer: "lost" });
  }

  extend(process: Process, id: string, after: number): void {
    this.#await(process, `extend ${id}`, this.#run(process, id).extend({ after }), { answer: "lost" });
  }

  purge(process: Process, id: string): void {
    const given = this.#run(process, id).purgeNow({ reason: "a user" });
    this.#await(process, `purge ${id}`, given, { answer: "lost" }, () => {
      if (!this.#world.shadow.removed.has(id))
        this.#world.report("accounts", `the purge of ${id} was acknowledged and it is there`);
    });
  }

  /** Gives up the cleanups of something that is cancelled. */
  abandon(process: Process, id: string): void {
    const given = this.#run(process, id).purgeNow({ reason: "a user", abandonCleanups: true });
    this.#await(process, `abandon ${id}`, given, { answer: "lost" }, () => {
      if (!this.#world.shadow.removed.has(id))
        this.#world.report("accounts", `${id} was acknowledged as given up and it is there`);
    });
  }

  /** Asks for the plan, thinks about it for a while, and confirms it. */
  cancel(process: Process, id: string, thinks: number, grace: number): void {
    const { clock } = process.runtime;
    const given = (async () => {
      const plan = await this.#run(process, id).planCancel();
      await clock.sleep(thinks);
      await plan.confirm({ reason: "a user", grace });
    })();
    this.#await(process, `cancel ${id}`, given, { answer: "lost" }, () => {
      const { shadow } = this.#world;
      if (!shadow.removed.has(id) && shadow.get(id).stop?.verb !== "cancel")
        this.#world.report("accounts", `the cancellation of ${id} was acknowledged and never made`);
      this.#cancelled.add(id);
    });
  }

  /** Locks it, and releases it after a while, unless the lock has expired by then. */
  lock(process: Process, id: string, span: number, held: number): void {
    const { clock } = process.runtime;
    const locked: Promise<RunLock> = this.#run(process, id).lock({ for: span });
    this.#await(process, `lock ${id}`, locked, { answer: "lost" }, (lock) => {
      void clock
        .sleep(held)
        .then(() => this.#await(process, `unlock ${id}`, lock.release(), { answer: "lost" }));
    });
  }

  edit(process: Process, ids: readonly string[], edit: Edit): void {
    const edits = new Edits();
    for (const id of ids) edits.set({ id }, edit);
    this.#await(process, `edit ${ids.join(" ")}`, edits.commit(process.runtime), { answer: "lost" });
  }

  start(process: Process, id: string): void {
    this.#await(process, `start ${id}`, this.#run(process, id).start({ told: 1 }), { answer: "lost" });
  }

  close(process: Process, id: string): void {
    this.#await(process, `close ${id}`, this.#run(process, id).close(), { answer: "lost" }, () => {
      const { family, origin } = this.#world.shadow.get(id);
      if (family!.open && origin === 1)
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
      const { status, generation, stop } = this.#world.shadow.get(id);
      const answers = new Set<string>([status]);
      // By the time that the answer comes, it may have begun again.
      for (let at = 1; at < generation; at++) {
        const ending = this.#world.shadow.endings.get(`${id} ${at}`);
        if (ending !== undefined) answers.add(ending.status);
      }
      // Of what had ended before it was cancelled and is gone, only that is known.
      if (stop !== null) answers.add("CANCELLED").add("INTERRUPTED");
      if (!answers.has((told as { status: string }).status)) {
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
    const roots = [...shadow.removed.values(), ...shadow.records.values()].filter(
      ({ role }) => role === "root",
    );
    for (const id of this.#cancelled)
      if (!shadow.removed.has(id)) this.#world.report("I9 remains", `${id} was cancelled and is still there`);
    for (const order of this.#submitted) {
      const own = roots.filter((root) => root.name === order.name);
      const stored = own.length;
      // A key is free again when what had it was removed.
      const most = 1 + own.filter(({ id }) => shadow.removed.has(id)).length;
      const answers = this.#submitted.filter(({ name }) => name === order.name);
      const acknowledged = answers.some(({ answer }) => answer === "acknowledged");
      const known = answers.every(({ answer }) => answer === "refused");
      if (stored > most)
        this.#world.report("accounts", `${order.name} (key ${order.key}) is stored ${stored} times`);
      if (acknowledged && stored === 0)
        this.#world.report("accounts", `${order.name} was acknowledged and is not stored`);
      if (known && stored > 0 && most === 1)
        this.#world.report("accounts", `${order.name} was refused and is stored`);
      if (order.answer === "acknowledged" && !roots.some(({ id }) => id === order.id)) {
        this.#world.report("accounts", `${order.name} was acknowledged as ${order.id}, which is no root`);
      }
      const ids = new Set(answers.flatMap(({ id }) => id ?? []));
      if (ids.size > most)
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

  /** What a healthy world does to let everything end: resumes, restores, closes, starts, and repeats what was not answered. */
  nurse(process: Process): void {
    for (const record of this.#world.shadow.records.values()) {
      const { status, deletion, startedAt, stop } = record;
      const cancelled = stop?.verb === "cancel";
      if (status === "SUSPENDED" || (status === "INTERRUPTED" && !cancelled)) this.resume(process, record.id);
      if (deletion !== null && startedAt === null && !hasEnded(record)) this.restore(process, record.id);
      // Not before its items have ended: they must not need the close to be started.
      const idle = this.#world.shadow.children(record.id).every(hasEnded);
      if (record.family?.open === true && !hasEnded(record) && idle) this.close(process, record.id);
      if (record.role === "root" && record.status === "PENDING" && record.readyAt === null)
        this.start(process, record.id);
    }
    this.repeat(process, false);
  }
}

import type { TaskContext } from "../../runtime/context.ts";
import { canonical, DataFlow } from "./invariants/flow.ts";
import type { Process } from "./process.ts";
import type { Ledger } from "./script.ts";
import type { Shadow } from "./shadow.ts";

/** Checks what task code sees and does: the part of the invariants that the store cannot show. */
export class Effects implements Ledger {
  readonly #shadow: Shadow;
  readonly #flow: DataFlow;
  readonly #report: (invariant: string, what: string) => void;
  readonly #begun = new Set<string>();
  attempts = 0;

  constructor(shadow: Shadow, report: (invariant: string, what: string) => void) {
    this.#shadow = shadow;
    this.#flow = new DataFlow(shadow);
    this.#report = report;
  }

  began(process: Process, context: TaskContext, input: unknown): void {
    const { id, epoch, attempt, cause } = context;
    this.attempts++;
    const record = this.#shadow.records.get(id);
    if (record === undefined || record.epoch < epoch) {
      return this.#report(
        "I7 fence",
        `${process.name} runs ${id} under epoch ${epoch}, which was not committed`,
      );
    }
    const once = `${id} ${epoch} ${attempt}`;
    if (this.#begun.has(once)) this.#report("I7 fence", `${id} ran twice under epoch ${epoch}`);
    this.#begun.add(once);
    const expected = canonical(this.#flow.input(record));
    if (canonical(input) !== expected)
      this.#report("I6 flow", `${id} got ${canonical(input)}, not ${expected}`);
    const callback = this.#callbackAbove(id);
    if (callback === null) {
      if (cause !== null) this.#report("I6 flow", `${id} has a cause and is in no callback`);
      return;
    }
    const outcome = callback.owner.status === "SUCCEEDED" ? "success" : "error";
    if (cause === null || cause.id !== callback.owner.id || cause.outcome !== outcome) {
      this.#report(
        "I6 flow",
        `${id} has the cause ${cause?.id} (${cause?.outcome}), not ${callback.owner.id} (${outcome})`,
      );
    }
  }

  stepRan(_process: Process, context: TaskContext, name: string): void {
    const { id, epoch, generation } = context;
    const record = this.#shadow.get(id);
    // A stale worker cannot know what its successor has finished.
    if (record.epoch !== epoch || record.status !== "RUNNING") return;
    if (this.#shadow.steps.has(`${id} ${generation} ${name}`)) {
      this.#report("steps", `the finished step ${name} of ${id} ran again under epoch ${epoch}`);
    }
  }

  stepGave(context: TaskContext, name: string, result: unknown): void {
    const { id, epoch, generation } = context;
    const record = this.#shadow.get(id);
    if (record.epoch !== epoch || record.status !== "RUNNING") return;
    const stored = this.#shadow.steps.get(`${id} ${generation} ${name}`);
    if (stored === undefined || stored !== JSON.stringify(result)) {
      this.#report("steps", `the step ${name} of ${id} gave ${JSON.stringify(result)}, stored is ${stored}`);
    }
  }

  resumedFrom(context: TaskContext): void {
    const { id, epoch, generation, checkpointed } = context;
    const record = this.#shadow.get(id);
    if (record.epoch !== epoch || record.status !== "RUNNING") return;
    const stored = this.#shadow.checkpoints.get(`${id} ${generation}`) ?? "null";
    if (stored !== JSON.stringify(checkpointed)) {
      this.#report("steps", `${id} sees the checkpoint ${JSON.stringify(checkpointed)}, stored is ${stored}`);
    }
  }

  #callbackAbove(id: string): { owner: { id: string; status: string } } | null {
    for (let at = this.#shadow.get(id); at.parentId !== null; at = this.#shadow.get(at.parentId)) {
      if (at.role !== "step" && at.role !== "item") return { owner: this.#shadow.get(at.parentId) };
    }
    return null;
  }
}

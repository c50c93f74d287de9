import type { SignatureRecord } from "../../core/record.ts";
import type { CauseOutcome, TaskContext } from "../../runtime/context.ts";
import { canonical, DataFlow } from "./invariants/flow.ts";
import type { Process } from "./process.ts";
import type { Ledger } from "./script.ts";
import { generationOf, type Shadow } from "./shadow.ts";

/** What a callback is told of the end of what it follows. */
const OUTCOMES: Readonly<Record<string, CauseOutcome>> = {
  SUCCEEDED: "success",
  FAILED: "error",
  INTERRUPTED: "interrupt",
  CANCELLED: "cancel",
};

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
    const record: SignatureRecord | undefined = this.#shadow.get(id);
    if (record === undefined || record.epoch < epoch) {
      return this.#report(
        "I7 fence",
        `${process.name} runs ${id} under epoch ${epoch}, which was not committed`,
      );
    }
    const once = `${id} ${epoch} ${attempt}`;
    if (this.#begun.has(once)) this.#report("I7 fence", `${id} ran twice under epoch ${epoch}`);
    this.#begun.add(once);
    // What was taken over while it was asked for may stand elsewhere by now.
    if (record.epoch > epoch || record.status !== "RUNNING") return;
    if (this.#startedSince(record)) return;
    const expected = canonical(this.#flow.input(record));
    if (canonical(input) !== expected)
      this.#report("I6 flow", `${id} got ${canonical(input)}, not ${expected}`);
    const callback = this.#callbackAbove(id);
    if (callback === null) {
      if (cause !== null) this.#report("I6 flow", `${id} has a cause and is in no callback`);
      return;
    }
    const outcome = OUTCOMES[callback.owner.status];
    if (cause === null || cause.id !== callback.owner.id || cause.outcome !== outcome) {
      this.#report(
        "I6 flow",
        `${id} has the cause ${cause?.id} (${cause?.outcome}), not ${callback.owner.id} (${outcome})`,
      );
    }
  }

  stepRan(_process: Process, context: TaskContext, name: string): void {
    const { id, epoch } = context;
    const record = this.#shadow.get(id);
    // A stale worker cannot know what its successor has finished.
    if (record.epoch !== epoch || record.status !== "RUNNING") return;
    if (this.#shadow.steps.has(`${id} ${record.origin} ${name}`)) {
      this.#report("steps", `the finished step ${name} of ${id} ran again under epoch ${epoch}`);
    }
  }

  stepGave(context: TaskContext, name: string, result: unknown): void {
    const { id, epoch } = context;
    const record = this.#shadow.get(id);
    if (record.epoch !== epoch || record.status !== "RUNNING") return;
    const stored = this.#shadow.steps.get(`${id} ${record.origin} ${name}`);
    if (stored === undefined || stored !== JSON.stringify(result)) {
      this.#report("steps", `the step ${name} of ${id} gave ${JSON.stringify(result)}, stored is ${stored}`);
    }
  }

  resumedFrom(context: TaskContext): void {
    const { id, epoch, checkpointed } = context;
    const record = this.#shadow.get(id);
    if (record.epoch !== epoch || record.status !== "RUNNING") return;
    const stored = this.#shadow.checkpoints.get(`${id} ${record.origin}`) ?? "null";
    if (stored !== JSON.stringify(checkpointed)) {
      this.#report("steps", `${id} sees the checkpoint ${JSON.stringify(checkpointed)}, stored is ${stored}`);
    }
  }

  /** What was acknowledged as registered is stored, once for all attempts of a generation. */
  registered({ id, generation }: TaskContext, descriptor: object): void {
    const message = JSON.stringify(descriptor);
    const stored = this.#shadow
      .callbacks(id)
      .filter((each) => each.message === message && generationOf(each) === generation);
    if (stored.length !== 1)
      this.#report("I4 twins", `${id} has registered ${message}, which is stored ${stored.length} times`);
  }

  /** Whether something above has started since this did, with a message of its own. */
  #startedSince(record: SignatureRecord): boolean {
    for (let at = record; at.parentId !== null;) {
      at = this.#shadow.get(at.parentId);
      if (at.startedAt === null || at.startedAt > record.startedAt!) return true;
    }
    return false;
  }

  #callbackAbove(id: string): { owner: { id: string; status: string } } | null {
    for (let at = this.#shadow.get(id); at.parentId !== null; at = this.#shadow.get(at.parentId)) {
      if (at.role !== "step" && at.role !== "item") return { owner: this.#shadow.get(at.parentId) };
    }
    return null;
  }
}

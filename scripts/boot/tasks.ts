import type { MageFlow, TaskPlan } from "mageflow";

/** Turns a second in each process for what a lost worker held. */
export const PER_SECOND = 1_000;

type Plan = TaskPlan<unknown, unknown, unknown>;

/** The tasks of a boot, by name. */
export interface BootTasks {
  /** Held by a worker that is killed. */
  readonly lost: Plan;
  /** The same, and does not go on by itself. */
  readonly careful: Plan;
  /** Held by a worker that lives. */
  readonly held: Plan;
  /** Goes on when there is a worker. */
  readonly work: Plan;
  readonly done: Plan;
  readonly fails: Plan;
}

/** Registers them; `hold` runs in what is to be held. */
export function bootTasks(mage: MageFlow, hold: () => unknown): BootTasks {
  return {
    lost: mage.task("lost", hold),
    careful: mage.task("careful", { autoResume: false }, hold),
    held: mage.task("held", hold),
    work: mage.task("work", () => null),
    done: mage.task("done", () => null),
    fails: mage.task("fails", () => {
      throw new Error("as it is meant to");
    }),
  };
}

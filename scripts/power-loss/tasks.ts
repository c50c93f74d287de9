import { once } from "node:events";
import type { MageFlow, TaskPlan } from "mageflow";

/** Whether what is to be stopped waits for that; and what is told of steps. */
export interface Habits {
  readonly lingers: boolean;
  /** The code of a step runs. */
  readonly runs: (rootId: string, step: string) => void;
  /** A step is stored. */
  readonly stored: (rootId: string, step: string) => void;
}

export interface Tasks {
  readonly add: TaskPlan<{ n: number }, { n: number }, { n: number }>;
  readonly fails: TaskPlan<unknown, unknown, unknown>;
  readonly lingers: TaskPlan<unknown, unknown, unknown>;
  readonly steps: TaskPlan<unknown, unknown, unknown>;
  readonly heavy: TaskPlan<{ text: string }, number, { text: string }>;
  readonly note: TaskPlan<unknown, unknown, unknown>;
}

/** More than one state of the disk can recover. */
const MANY = 100;

/** Registers the tasks of the stories. */
export function tasksOf(mage: MageFlow, { lingers, runs, stored }: Habits): Tasks {
  return {
    add: mage.task("add", { maxRecoveries: MANY }, ({ n }: { n: number }) => ({ n: n + 1 })),
    fails: mage.task(
      "fails",
      { maxRecoveries: MANY, retry: { attempts: 2, backoff: { type: "fixed", delay: 0 } } },
      () => {
        throw new Error("as it is meant to");
      },
    ),
    lingers: mage.task(
      "lingers",
      { maxRecoveries: MANY },
      async (_input: unknown, { signal, generation }) => {
        if (!lingers || generation > 1) return "went on";
        await once(signal, "abort");
        throw signal.reason;
      },
    ),
    steps: mage.task("steps", { maxRecoveries: MANY }, async (_input: unknown, ctx) => {
      for (const step of ["one", "two", "three"]) {
        await ctx.step(step, () => runs(ctx.id, step));
        stored(ctx.id, step);
      }
      await ctx.checkpoint({ at: 3 });
      return "stepped";
    }),
    heavy: mage.task("heavy", { maxRecoveries: MANY }, ({ text }: { text: string }) => text.length),
    note: mage.task("note", { maxRecoveries: MANY }, () => null),
  };
}

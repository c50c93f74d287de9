import { TerminalError } from "../../core/errors.ts";
import type { PlanNode } from "../../core/plan.ts";
import type { Plan } from "../../core/plans.ts";
import { type Handler, plainHandler } from "../../runtime/handler.ts";
import type { TaskContext } from "../../runtime/context.ts";
import type { Process } from "./process.ts";

/** What a simulated task does. It depends on nothing but its script and the attempt, so that a seed repeats. */
export interface Script {
  /** Virtual ms that it takes. */
  readonly takes: number;
  /** The attempts up to this one fail. */
  readonly fails: number;
  /** Its failures are terminal. */
  readonly terminal: boolean;
  readonly steps: number;
  readonly checkpoint: boolean;
  readonly progress: boolean;
  readonly defer: boolean;
  readonly log: boolean;
  /** Goes on when it is told to stop. */
  readonly deaf: boolean;
  /** Virtual ms that it takes to stop when it is told to. */
  readonly lingers: number;
  /** When it is told to stop, it ends well all the same. */
  readonly finishes: boolean;
  /** Submits this plan from inside, under its own idempotency key. */
  readonly submits: PlanNode | null;
  /** Releases what it holds: something of all its attempts, and something of each. */
  readonly twin: Plan<unknown, unknown, unknown> | null;
}

/** What task code tells of itself, apart from the store: the ledger of effects. */
export interface Ledger {
  began(process: Process, context: TaskContext, input: unknown): void;
  stepRan(process: Process, context: TaskContext, name: string): void;
  stepGave(context: TaskContext, name: string, result: unknown): void;
  resumedFrom(context: TaskContext): void;
  registered(context: TaskContext, descriptor: object): void;
}

export function handlerOf(name: string, script: Script, process: Process, ledger: Ledger): Handler {
  const run = async (input: unknown, context: TaskContext): Promise<unknown> => {
    const { clock } = process.runtime;
    const mark = { name, epoch: context.epoch, by: process.name };
    ledger.began(process, context, input);
    ledger.resumedFrom(context);
    const pause = (): Promise<void> => clock.sleep(script.takes, script.deaf ? undefined : context.signal);
    if (script.log) context.log.info("working");
    if (script.defer) context.defer(() => clock.sleep(1));
    for (let i = 0; i < script.steps; i++) {
      const gave = await context.step(`s${i}`, async () => {
        ledger.stepRan(process, context, `s${i}`);
        await clock.sleep(script.takes);
        return mark;
      });
      ledger.stepGave(context, `s${i}`, gave);
    }
    if (script.twin !== null) {
      for (const descriptor of [{ held: name }, { held: name, attempt: context.attempt }]) {
        await context.resource("twin", descriptor, script.twin);
        ledger.registered(context, descriptor);
      }
    }
    if (script.progress) await context.progress(0.5, mark.by);
    if (script.takes > 0) await pause();
    if (!script.deaf && context.signal.aborted) {
      if (script.lingers > 0) await clock.sleep(script.lingers);
      if (!script.finishes) context.signal.throwIfAborted();
    }
    if (script.checkpoint) await context.checkpoint(mark);
    if (script.submits !== null) {
      await process.runtime.submit({
        plan: script.submits,
        message: null,
        start: true,
        key: context.idempotencyKey,
        tags: [],
        by: { id: context.id, epoch: context.epoch },
      });
    }
    if (context.attempt <= script.fails) {
      throw script.terminal ? new TerminalError(`${name} cannot`) : new Error(`${name} did not`);
    }
    return mark;
  };
  return plainHandler(name, run);
}

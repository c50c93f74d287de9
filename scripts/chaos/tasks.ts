import { setTimeout as sleep } from "node:timers/promises";
import {
  type AnyPlan,
  CancelledError,
  chain,
  InterruptedError,
  type MageFlow,
  MageFlowError,
  ShutdownError,
  type TaskContext,
  type TaskPlan,
  TerminalError,
} from "mageflow";
import { insistently } from "./insistently.ts";
import type { Ledger, Row, What } from "./ledger.ts";

/** What the tasks of a round are told to do. */
export interface Work {
  /** How long the handler takes. */
  ms?: number;
  /** Steps that it takes one after the other. */
  steps?: number;
  /** Attempts that fail before one succeeds. */
  flaky?: number;
  /** It fails for good. */
  fatal?: boolean;
  /** It stops when it is told to; else it goes on, whatever its signal says. */
  heeds?: boolean;
  /** Items that it adds to the swarm that it is an item of, one after the other. */
  grows?: number;
  /** What the last edit has left in it. */
  mark?: number;
  /** Of the signature whose result came in. */
  by?: string;
  epoch?: number;
}

/** A result tells which epoch of which signature made it. */
export interface Made {
  by: string;
  epoch: number;
  pid: number;
}

export interface ChaosTasks {
  readonly work: TaskPlan<Work, Made, Work>;
  readonly retried: TaskPlan<Work, Made, Work>;
  readonly note: TaskPlan<Work, Made, Work>;
  readonly spawn: TaskPlan<Work, Made, Work>;
  readonly grow: TaskPlan<Work, Made, Work>;
}

/** Why code that heeds its signal stops. A lost lease is not among them: the code of a paused worker goes on. */
const STOPPERS = [InterruptedError, CancelledError, ShutdownError];

/** Takes a while, so that a worker that stops has something to wait for. */
async function leave(tell: (what: What) => void): Promise<void> {
  await sleep(LEAVE_MS);
  tell("left");
}
const LEAVE_MS = 10;

/** More than a round can kill: a crash loop is not what is looked for here. */
const MANY = 1_000;

/** Registers the tasks of a round. Without a ledger they can be planned with, and not run. */
export function chaosTasks(mage: MageFlow, ledger: Ledger | null): ChaosTasks {
  const perform = async (input: Work, ctx: TaskContext): Promise<Made> => {
    const tell = (what: What, more: Partial<Row> = {}): void => {
      const { id, generation, attempt, epoch, idempotencyKey: key } = ctx;
      ledger!.add({ what, pid: process.pid, id, generation, attempt, epoch, key, ...more });
    };
    const { cause, epoch } = ctx;
    tell("start", {
      ...(input.by === undefined ? {} : { gotBy: input.by, gotEpoch: input.epoch! }),
      ...(cause === null ? {} : { cause: { id: cause.id, outcome: cause.outcome } }),
      ...(input.mark === undefined ? {} : { mark: input.mark }),
    });
    const { ms = 0, steps = 0, flaky = 0, fatal = false, heeds = false } = input;
    const stop = new AbortController();
    ctx.signal.addEventListener("abort", () => {
      const { reason } = ctx.signal;
      if (reason instanceof ShutdownError) tell("released");
      if (!heeds || !STOPPERS.some((stopper) => reason instanceof stopper)) return;
      tell("heeded");
      stop.abort();
    });
    if (heeds) ctx.defer(() => leave(tell));
    const nap = (span: number): Promise<void> => sleep(span, undefined, { signal: stop.signal });
    for (let i = 0; i < steps; i++) {
      const step = `s${i}`;
      const of = await ctx.step(step, async () => {
        tell("stepRun", { step });
        await nap(ms / 4);
        return epoch;
      });
      tell("stepDone", { step, of });
    }
    await nap(ms);
    if (ctx.attempt <= flaky) {
      tell("fail");
      throw new Error(`attempt ${ctx.attempt} of ${flaky} fails`);
    }
    if (fatal) {
      tell("fail");
      throw new TerminalError("it was told to fail");
    }
    tell("end");
    return { by: ctx.id, epoch, pid: process.pid };
  };
  const work = mage.task("work", { maxRecoveries: MANY }, perform);
  // The input of an error callback or a cleanup is that of what failed: the note itself does not.
  const note = mage.task("note", { maxRecoveries: MANY }, (input: Work, ctx) =>
    perform({ ...input, fatal: false, flaky: 0 }, ctx),
  );
  return {
    work,
    retried: mage.task(
      "retried",
      { maxRecoveries: MANY, retry: { attempts: 4, backoff: { type: "fixed", delay: 40, jitter: "none" } } },
      perform,
    ),
    note,
    spawn: mage.task("spawn", { maxRecoveries: MANY }, async (input: Work, ctx): Promise<Made> => {
      const spawned = chain([work.with({ ms: 5 }), work.with({ ms: 5 })], { name: "spawned" });
      const launched = await insistently(() => ctx.run(spawned));
      const { id, epoch, generation, attempt, idempotencyKey: key } = ctx;
      ledger!.add({
        what: "launched",
        pid: process.pid,
        id,
        generation,
        attempt,
        epoch,
        key,
        step: launched.id,
      });
      return perform(input, ctx);
    }),
    grow: mage.task("grow", { maxRecoveries: MANY }, async (input: Work, ctx): Promise<Made> => {
      const { parentId } = ctx.signature;
      const swarm = await mage.get(parentId!);
      for (let i = 0; i < (input.grows ?? 0); i++) {
        await sleep(5);
        try {
          const added = dressed(work.with({ ms: 5 }).keyed(`${ctx.id} ${i}`), note);
          await insistently(() => swarm.addTasks([added]));
        } catch (error) {
          // It has been closed, or is being removed: this is the end of its growth.
          if (!(error instanceof MageFlowError) || !ENDS_GROWTH.includes(error.code)) throw error;
        }
      }
      return perform(input, ctx);
    }),
  };
}

const ENDS_GROWTH: readonly string[] = ["SWARM_CLOSED", "ILLEGAL_TRANSITION", "GONE", "LOCKED"];

/** With a callback of each kind, and two cleanups, whose order tells something. */
export function dressed<P extends Dressing>(plan: P, note: AnyPlan): P {
  return plan.onSuccess(note).onError(note).onCleanup(note).onCleanup(note);
}

interface Dressing {
  onSuccess(callback: AnyPlan): this;
  onError(callback: AnyPlan): this;
  onCleanup(callback: AnyPlan): this;
}

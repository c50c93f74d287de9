import {
  type AnyPlan,
  GoneError,
  type MageFlow,
  MageFlowError,
  type Run,
  type RunLock,
  WaitTimeoutError,
} from "mageflow";
import type { Witness } from "./history.ts";
import type { Ledger } from "./ledger.ts";
import { insistently } from "./insistently.ts";
import { DONE, idOf, type Order, type Word } from "./orders.ts";
import { addition } from "./stories.ts";
import type { ChaosTasks } from "./tasks.ts";

/**
 * An order that nothing stands in the way of is answered within this time (ms): many leases, and more than several sessions take that wait for
 * the same lock one behind the other and whose processes are gone, which their server knows after two seconds each.
 */
const PATIENCE_MS = 30_000;
/** How long a story waits for its workflow to end before it goes on all the same. */
const WAIT = "5s";

type Place = Pick<Word, "story" | "beat" | "nth" | "rootId">;

/** Gives orders, and writes each down before it is given and when it was answered. */
export class Steerer {
  readonly #mages: readonly MageFlow[];
  readonly #tasks: ChaosTasks;
  readonly #ledger: Ledger;
  readonly #witness: Witness;
  readonly #onAsk: (verb: string) => void;
  /** Locks that this process holds, by story. */
  readonly #locks = new Map<number, RunLock>();

  constructor(
    mages: readonly MageFlow[],
    tasks: ChaosTasks,
    ledger: Ledger,
    witness: Witness,
    onAsk: (verb: string) => void,
  ) {
    this.#mages = mages;
    this.#tasks = tasks;
    this.#ledger = ledger;
    this.#witness = witness;
    this.#onAsk = onAsk;
  }

  /** With a key, so that it is made again when nobody knows whether it has landed. */
  async submit(story: number, plan: AnyPlan, start: boolean): Promise<string> {
    const [mage] = this.#mages;
    const options = { tags: [`story ${story}`], key: `story ${story}` };
    this.#onAsk("submit");
    const submit = (): Promise<Run> =>
      start ? mage!.run(plan, undefined, options) : mage!.create(plan, options);
    const run = await insistently(submit);
    const word: Word = {
      verb: "submit",
      story,
      beat: -1,
      nth: 0,
      rootId: run.id,
      at: await this.#witness.seq(),
      answer: DONE,
    };
    this.#ledger.add({ what: "told", pid: process.pid, word });
    return run.id;
  }

  async give(order: Order, place: Place): Promise<void> {
    const { nth, rootId, story } = place;
    const run = async (path = order.path): Promise<Run> =>
      this.#mages[nth % this.#mages.length]!.get(idOf(rootId, path));
    if (order.verb === "wait") return waited(run);
    if (order.verb === "release" && !this.#locks.has(story)) return;
    const word = { ...order, ...place };
    this.#ledger.add({ what: "asked", pid: process.pid, word: { ...word, at: await this.#witness.seq() } });
    this.#onAsk(order.verb);
    let until: number | undefined;
    let answer = DONE;
    try {
      until = await inTime(this.#carryOut(order, place, run));
    } catch (error) {
      if (!(error instanceof MageFlowError)) throw error;
      answer = error.code;
    }
    const at = await this.#witness.seq();
    const told = { ...word, at, answer, now: Date.now(), ...(until === undefined ? {} : { until }) };
    this.#ledger.add({ what: "told", pid: process.pid, word: told });
  }

  async #carryOut(
    order: Order,
    { story, nth, rootId }: Place,
    get: () => Promise<Run>,
  ): Promise<number | undefined> {
    const { verb, ms = 0 } = order;
    const reason = `story ${story}`;
    const run = await get();
    switch (verb) {
      case "start":
        await run.start();
        return;
      case "suspend":
        await run.suspend();
        return;
      case "resume":
        await run.resume();
        return;
      case "interrupt":
        await run.interrupt({ reason, grace: ms });
        return;
      case "cancel":
        await (await run.planCancel()).confirm({ reason, grace: ms });
        return;
      case "delete":
        await run.delete({ after: ms, reason });
        return;
      case "restore":
        await run.restore();
        return;
      case "extend":
        await run.extend({ after: ms });
        return;
      case "purge":
        await run.purgeNow({ reason });
        return;
      case "rerun":
        await run.rerun();
        return;
      case "lock": {
        const lock = await run.lock({ for: ms });
        this.#locks.set(story, lock);
        return lock.until;
      }
      case "release": {
        const lock = this.#locks.get(story)!;
        this.#locks.delete(story);
        await lock.release();
        return;
      }
      case "edit": {
        const { mark, paths = [] } = order;
        await this.#mages[nth % this.#mages.length]!.batch((tx) => {
          for (const path of paths)
            tx.set({ id: idOf(rootId, path) }, { with: { mark, ms: 5 }, priority: mark! });
        });
        return;
      }
      case "add":
        await run.addTasks((order.keys ?? []).map((key) => addition(this.#tasks, key)));
        return;
      case "close":
        await run.close();
        return;
      case "submit":
      case "wait":
        throw new Error(`${verb} is no order to a workflow`);
      default:
        verb satisfies never;
        return;
    }
  }
}

/** Until it has come to its end, is gone, or has had its time. */
async function waited(get: () => Promise<Run>): Promise<void> {
  try {
    await (await get()).settled({ timeout: WAIT });
  } catch (error) {
    if (!(error instanceof WaitTimeoutError) && !(error instanceof GoneError)) throw error;
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new MageFlowError("STUCK", `no answer within ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

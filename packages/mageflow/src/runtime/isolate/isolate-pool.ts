import { availableParallelism } from "node:os";
import type { Clock } from "../../ports/clock.ts";
import { KILL_MS } from "../attempt.ts";
import { unattributed } from "../stray.ts";
import type { Isolate } from "./isolate.ts";
import type { Isolation } from "./isolation.ts";
import { startProcess } from "./process.ts";
import { startThread } from "./thread.ts";

/** An isolate that nobody has used for so long (ms) is ended. */
const IDLE_MS = 60_000;

/** Most of them that are kept unused: what two tasks use at once that have no `concurrency` of their own. */
const MOST_IDLE = 2 * availableParallelism();

interface Idle {
  readonly isolation: Isolation;
  readonly isolate: Isolate;
  /** Aborts when it is used again. */
  readonly rest: AbortController;
}

/**
 * The isolates of one worker. Each serves a single task: what its code changes in there cannot be known, and reaches no other so. An
 * attempt gets the one that was used last.
 */
export class IsolatePool {
  readonly clock: Clock;
  readonly #entry: URL;
  readonly #all = new Set<Isolate>();
  /** In the order in which they were given back. */
  #idle: Idle[] = [];

  constructor(entry: URL, clock: Clock) {
    this.#entry = entry;
    this.clock = clock;
  }

  /**
   * Of the caller until it is given back, or ends. Every task has an `isolation` of its own. Throws what the system says when there can be
   * no more threads.
   */
  take(isolation: Isolation): Isolate {
    const last = this.#idle.findLast((idle) => idle.isolation === isolation);
    if (last !== undefined) {
      this.#wake(last);
      return last.isolate;
    }
    const { kind, maxMemoryMb } = isolation;
    // It outlives the task that it is started for.
    const isolate = unattributed(() =>
      kind === "thread"
        ? startThread(this.#entry, maxMemoryMb)
        : startProcess(this.#entry, maxMemoryMb, this.clock),
    );
    this.#all.add(isolate);
    void isolate.ended.then(() => this.#all.delete(isolate));
    return isolate;
  }

  /** Takes back an isolate in which nothing goes on. */
  give(isolation: Isolation, isolate: Isolate): void {
    const idle: Idle = { isolation, isolate, rest: new AbortController() };
    isolate.hear = (report) => {
      if (report === null) this.#wake(idle);
    };
    this.#idle.push(idle);
    void unattributed(() => this.#endUnused(idle));
    if (this.#idle.length > MOST_IDLE) this.#end(this.#idle[0]!);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    for (const idle of this.#idle) this.#wake(idle);
    const gone = new AbortController();
    const all = [...this.#all];
    for (const isolate of all) isolate.kill();
    void Promise.all(all.map(({ ended }) => ended)).then(() => gone.abort("gone"));
    if (all.length > 0) await this.clock.sleep(KILL_MS, gone.signal);
  }

  /** It is not idle any more. */
  #wake(idle: Idle): void {
    this.#idle = this.#idle.filter((other) => other !== idle);
    idle.rest.abort("over");
  }

  #end(idle: Idle): void {
    this.#wake(idle);
    idle.isolate.kill();
  }

  async #endUnused(idle: Idle): Promise<void> {
    await this.clock.sleep(IDLE_MS, idle.rest.signal, { background: true });
    if (!idle.rest.signal.aborted) this.#end(idle);
  }
}

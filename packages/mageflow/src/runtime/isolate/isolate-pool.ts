import type { Clock } from "../../ports/clock.ts";
import { KILL_MS } from "../attempt.ts";
import { unattributed } from "../stray.ts";
import type { Isolate } from "./isolate.ts";
import type { Isolation } from "./isolation.ts";
import { startProcess } from "./process.ts";
import { startThread } from "./thread.ts";

/** An isolate that nobody has used for so long (ms) is ended. */
const IDLE_MS = 60_000;

interface Idle {
  readonly isolate: Isolate;
  /** Aborts when it is used again. */
  readonly rest: AbortController;
}

/**
 * The isolates of one worker. There are as many as tasks in isolates have run at once; a task gets the one that was used last, and
 * shares it with any module that asks for the same kind and the same limit of memory.
 */
export class IsolatePool {
  readonly clock: Clock;
  readonly #entry: URL;
  readonly #all = new Set<Isolate>();
  readonly #idle = new Map<string, Idle[]>();

  constructor(entry: URL, clock: Clock) {
    this.#entry = entry;
    this.clock = clock;
  }

  /** Of the caller until it is given back, or ends. Throws what the system says when there can be no more threads. */
  take(isolation: Isolation): Isolate {
    const idle = this.#resting(isolation);
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      last.rest.abort("used");
      if (!last.isolate.over) return last.isolate;
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
    isolate.hear = () => {};
    const idle: Idle = { isolate, rest: new AbortController() };
    this.#resting(isolation).push(idle);
    void unattributed(() => this.#endUnused(idle));
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    for (const idle of this.#idle.values()) for (const { rest } of idle) rest.abort("closed");
    this.#idle.clear();
    const gone = new AbortController();
    const all = [...this.#all];
    for (const isolate of all) isolate.kill();
    void Promise.all(all.map(({ ended }) => ended)).then(() => gone.abort("gone"));
    if (all.length > 0) await this.clock.sleep(KILL_MS, gone.signal);
  }

  #resting({ kind, maxMemoryMb }: Isolation): Idle[] {
    const alike = `${kind} ${maxMemoryMb}`;
    let idle = this.#idle.get(alike);
    if (idle === undefined) this.#idle.set(alike, (idle = []));
    return idle;
  }

  async #endUnused({ isolate, rest }: Idle): Promise<void> {
    await this.clock.sleep(IDLE_MS, rest.signal, { background: true });
    // What has ended is passed over when it is taken.
    if (!rest.signal.aborted) isolate.kill();
  }
}

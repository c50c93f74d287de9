import { ClosedError } from "../core/errors.ts";
import { rootOf } from "../core/ids.ts";
import { spread } from "../core/spread.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { type Claimer, Claimers } from "./claimers.ts";
import { type Command, type Commit, Lane } from "./lane.ts";

/**
 * Through which everything of a process is committed. Where the store makes transactions side by side, workflows are shared out among
 * several lanes: what concerns one workflow goes one after the other, in the order in which it came, and what one lane decides while the
 * server does the work of another costs no time. The first lane also does what concerns no single workflow, and looks for tasks that are
 * ready anywhere; the others claim what they have made ready themselves.
 */
export class Committer {
  readonly #clock: Clock;
  readonly #first: Lane;
  readonly #lanes: readonly Lane[];
  readonly #claimers = new Claimers();
  readonly #listeners = new Set<(commit: Commit) => void>();
  readonly #closing = new AbortController();
  #storeTime = { at: 0, monotonic: 0 };

  /** `session` is what the transactions of this process are known by. */
  constructor(store: Store, clock: Clock, session: string) {
    this.#clock = clock;
    const parts = {
      store,
      clock,
      claimers: this.#claimers,
      closing: this.#closing.signal,
      committed: (commit: Commit) => this.#tell(commit),
    };
    this.#first = new Lane({ ...parts, by: session, looks: true, ended: () => {} });
    const others = Array.from(
      { length: store.lanes - 1 },
      (_, n) =>
        new Lane({ ...parts, by: `${session} ${n + 1}`, looks: false, ended: () => this.#lookAgain() }),
    );
    this.#lanes = [this.#first, ...others];
  }

  /** Resolves when the change is durable, with what `apply` returned. */
  run<R>(command: Command<R>): Promise<R> {
    if (this.#closing.signal.aborted) return Promise.reject(new ClosedError("this MageFlow"));
    return this.#laneOf(command).run(command);
  }

  #laneOf({ locks: [id], rootId }: Command<unknown>): Lane {
    if (this.#lanes.length === 1) return this.#first;
    const root = id === undefined ? rootId : rootOf(id);
    return root === undefined ? this.#first : this.#lanes[Math.floor(spread(root) * this.#lanes.length)]!;
  }

  /** Makes a round soon, if there is anything to do: a command, or a claimer that wants tasks. */
  kick(): void {
    this.#first.kick();
  }

  /** Places that a lane gave back may be wanted. */
  #lookAgain(): void {
    if (this.#first.wants()) this.kick();
  }

  /** Resolves when the transactions that are under way have ended, in one way or another; at once when none is. */
  async underWay(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.underWay()));
  }

  /** Lets claimers ask for what others have made ready, in case no doorbell told of it. */
  ring(): void {
    for (const claimer of this.#claimers) claimer.ring();
  }

  /** Whether a worker of this process has room, and nothing is on its way to it. */
  get idle(): boolean {
    for (const { idle } of this.#claimers) if (idle) return true;
    return false;
  }

  addClaimer(claimer: Claimer): () => void {
    return this.#claimers.add(claimer);
  }

  /** Calls `listener` after each commit of this process. */
  listen(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(commit: Commit): void {
    this.#storeTime = { at: commit.at, monotonic: this.#clock.monotonic() };
    for (const listener of this.#listeners) listener(commit);
  }

  /** The store's time, estimated from the last transaction: for log lines, never for decisions. */
  storeTime(): number {
    return Math.round(this.#storeTime.at + this.#clock.monotonic() - this.#storeTime.monotonic);
  }

  /** Finishes what was given, then takes no more. */
  async close(): Promise<void> {
    while (this.#lanes.some((lane) => lane.isBusy)) await Promise.all(this.#lanes.map((lane) => lane.rest()));
    this.#closing.abort();
  }
}

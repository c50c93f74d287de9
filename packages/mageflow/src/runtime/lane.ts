import type { Demand } from "../core/choose.ts";
import { StoreError } from "../core/errors.ts";
import type { SpecRow } from "../core/record.ts";
import { spread } from "../core/spread.ts";
import type { Clock } from "../ports/clock.ts";
import { OutcomeUnknown, type Store } from "../ports/store.ts";
import { UnreadableError } from "../ports/unreadable.ts";
import { Batch, type Change } from "./batch.ts";
import { claim, type Claimer, type Claimers, type Claiming } from "./claimers.ts";
import { SpecCache } from "./spec-cache.ts";
import { unattributed } from "./stray.ts";

/** A change that somebody in this process wants made. */
export interface Command<R> {
  /** Records to be locked before {@link apply}. */
  readonly locks: readonly string[];
  /** The root of the workflow that it is about, where the locks do not tell. */
  readonly rootId?: string;
  /**
   * Makes the change on the batch. It may be called again with a fresh batch when a transaction could not be done, so it
   * touches nothing else. When it throws, only this command fails: it throws before it has changed anything.
   */
  apply(batch: Batch): R | Promise<R>;
}

/** What a commit has changed, for those who listen in this process. */
export interface Commit {
  readonly at: number;
  readonly changed: readonly Change[];
}

interface Waiting {
  readonly command: Command<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Prepared {
  readonly replies: Reply[];
  /** Commands that did not fit into the transaction. */
  readonly left: readonly Waiting[];
  readonly commit: Commit;
  readonly specs: readonly SpecRow[];
  readonly dead: Claimer[];
  readonly claiming: Claiming[];
}

/** What a command is answered when the transaction has committed. */
type Reply =
  | { readonly to: Waiting; readonly ok: true; readonly value: unknown }
  | { readonly to: Waiting; readonly ok: false; readonly error: unknown };

/** What a lane is made from. */
export interface LaneParts {
  readonly store: Store;
  readonly clock: Clock;
  /** What its transactions are known by: no other lane has the same. */
  readonly by: string;
  readonly claimers: Claimers;
  /** Whether it looks for tasks that are ready anywhere. */
  readonly looks: boolean;
  /** Ends what waits for a store that does not come back. */
  readonly closing: AbortSignal;
  /** Called with each commit, before those who gave the commands do anything else. */
  readonly committed: (commit: Commit) => void;
  /** Called when a transaction has ended, in one way or another. */
  readonly ended: () => void;
}

/** Commands of one transaction: enough that one durable commit is shared by many, few enough to hold the event loop briefly. */
const BATCH = 500;
/** Records created by one transaction, after which it takes no more commands: what ends may leave callbacks of any size. */
const FULL = 4_000;
/** Half a minute: then the store is not coming back soon, and those who wait are told that the outcome is not known. */
const LANDING_TRIES = 20;
/** A store that stays busy for this long (ms) refuses. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 20;
const RETRY_MAX_MS = 2_000;

/**
 * Group commit: whatever arrives while a transaction is under way is committed by the next one. An idle lane commits a command at once;
 * a busy one pays one durable commit for hundreds.
 */
export class Lane {
  readonly #parts: LaneParts;
  /** Its own: what a transaction has loaded stays until it has ended. */
  readonly #specs = new SpecCache();
  #queue: Waiting[] = [];
  #stamp = 0;
  #running: Promise<void> | null = null;
  /** The transaction that is being gathered or committed. */
  #round: Promise<boolean> | null = null;
  #again = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** Resolves when the change is durable, with what `apply` returned. */
  run<R>(command: Command<R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#queue.push({ command, resolve, reject });
      this.kick();
    });
  }

  /** Makes a round soon, if there is anything to do: a command, or a claimer that wants tasks. */
  kick(): void {
    this.#again = true;
    this.#running ??= unattributed(() => this.#rounds()).finally(() => {
      this.#running = null;
      if (this.#again && !this.#parts.closing.aborted) this.kick();
    });
  }

  /** Resolves when the transaction that is under way has ended, in one way or another; at once when none is. */
  async underWay(): Promise<void> {
    await this.#round;
  }

  get isBusy(): boolean {
    return this.#queue.length > 0 || this.#running !== null;
  }

  /** Finishes what was given. */
  async rest(): Promise<void> {
    while (this.isBusy) {
      this.kick();
      await this.#running;
    }
  }

  /** Whether a claimer wants tasks that this lane would look for. */
  wants(): boolean {
    return this.#parts.looks && this.#parts.claimers.want(this);
  }

  async #rounds(): Promise<void> {
    let goesOn: boolean;
    do {
      this.#round = this.#next();
      goesOn = await this.#round;
    } while (goesOn && (this.#queue.length > 0 || this.#again || this.wants()));
    this.#round = null;
  }

  async #next(): Promise<boolean> {
    // One turn lets everything that is ready to run add its command to this transaction.
    await this.#parts.clock.turn();
    this.#again = false;
    return this.#attempt(this.#queue.splice(0, BATCH));
  }

  /** False when the store refuses: what claimers want is asked for again by the reconciler's tick, not at once. */
  async #attempt(waiting: readonly Waiting[]): Promise<boolean> {
    try {
      await this.#commit(waiting);
      return true;
    } catch (error) {
      if (error instanceof UnreadableError && this.#drop(error.id)) return this.#attempt(waiting);
      if (waiting.length > 1 && (error instanceof UnreadableError || !(error instanceof StoreError))) {
        // A command that breaks the transaction, or that needs what cannot be read, must not take the others with it.
        for (const alone of waiting) await this.#attempt([alone]);
        return true;
      }
      for (const { reject } of waiting) reject(error);
      return this.#queue.length > 0;
    }
  }

  /** Whether it was a task that an engine has brought: nothing else is to fail for it. */
  #drop(id: string): boolean {
    const drops = [...this.#parts.claimers].map(({ offers }) => offers?.drop(id) === true);
    return drops.includes(true);
  }

  /** Commits once; what cannot be committed at all is thrown. */
  async #commit(waiting: readonly Waiting[]): Promise<void> {
    try {
      this.#publish(await this.#committed(waiting));
    } finally {
      this.#parts.claimers.giveBack(this);
      this.#parts.ended();
    }
  }

  /** Through busy stores and lost answers. */
  async #committed(waiting: readonly Waiting[]): Promise<Prepared> {
    const stamp = { by: this.#parts.by, n: ++this.#stamp };
    const begun = this.#parts.clock.monotonic();
    for (let attempt = 0; ; attempt++) {
      let prepared: Prepared | null = null;
      try {
        await this.#parts.store.transact(async (tx) => {
          prepared = null;
          this.#parts.claimers.giveBack(this);
          const batch = new Batch(tx, this.#specs);
          prepared = await this.#prepare(batch, waiting);
          const changes = batch.changes(stamp);
          if (changes !== null) await tx.write(changes);
        });
      } catch (error) {
        if (error instanceof OutcomeUnknown) {
          if (prepared !== null && (await this.#landed(stamp.n))) return prepared;
        } else if (
          !(error instanceof StoreError && error.code === "STORE_BUSY") ||
          this.#parts.clock.monotonic() - begun > PATIENCE_MS
        ) {
          throw error;
        }
        await this.#pause(attempt);
        continue;
      }
      return prepared!;
    }
  }

  async #prepare(batch: Batch, waiting: readonly Waiting[]): Promise<Prepared> {
    const locks = new Set<string>();
    for (const { command } of waiting) for (const id of command.locks) locks.add(id);
    if (locks.size > 0) await batch.lock(locks, { wait: true });
    const replies: Reply[] = [];
    let done = 0;
    for (const to of waiting) {
      if (batch.born >= FULL) break;
      done++;
      try {
        const made = to.command.apply(batch);
        replies.push({ to, ok: true, value: made instanceof Promise ? await made : made });
      } catch (error) {
        replies.push({ to, ok: false, error });
      }
    }
    await batch.settle();
    const claiming: Claiming[] = [];
    const dead: Claimer[] = [];
    for (const claimer of this.#parts.claimers) {
      const demand = this.#demand(claimer, batch);
      if (demand === null) continue;
      if (await isAlive(batch, demand.workerId)) {
        const claims = await claim(batch, claimer, { demand, ask: this.#parts.looks });
        this.#parts.claimers.keep(claimer, this, claims.claimed, demand);
        claiming.push(claims);
      } else {
        dead.push(claimer);
      }
    }
    return {
      replies,
      left: waiting.slice(done),
      claiming,
      dead,
      specs: batch.newSpecs,
      commit: { at: batch.now, changed: batch.changed() },
    };
  }

  #demand(claimer: Claimer, batch: Batch): Demand | null {
    const { claimers, looks } = this.#parts;
    const ready = batch.hasReady();
    if (looks) return claimers.take(claimer, this, ready);
    return ready ? claimers.takeRoom(claimer, this) : null;
  }

  #publish({ replies, left, claiming, dead, specs, commit }: Prepared): void {
    if (left.length > 0) this.#queue.unshift(...left);
    // What was stored here is mostly run here too.
    if (this.#parts.claimers.size > 0) for (const row of specs) this.#specs.add(row);
    this.#specs.trim();
    for (const reply of replies) {
      if (reply.ok) reply.to.resolve(reply.value as never);
      else reply.to.reject(reply.error);
    }
    this.#parts.committed(commit);
    this.#parts.claimers.giveBack(this);
    for (const claimer of dead) claimer.lose();
    for (const claims of claiming) {
      claims.claimer.offers?.stale(claims.stale);
      claims.claimer.receive(claims);
    }
  }

  /** Whether a commit whose answer was lost is there: asked until the store answers, for a while. */
  async #landed(stamp: number): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        return (await this.#parts.store.stamped(this.#parts.by)) >= stamp;
      } catch (error) {
        if (this.#parts.closing.aborted || attempt >= LANDING_TRIES) throw error;
        await this.#pause(attempt);
      }
    }
  }

  async #pause(attempt: number): Promise<void> {
    const wait = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** attempt);
    await this.#parts.clock.sleep(wait * (0.5 + spread(`${this.#parts.by} ${this.#stamp} ${attempt}`) / 2));
  }
}

/** Nothing is claimed for a session that is dead, or that this very transaction declares dead: nobody would look after it. */
async function isAlive({ tx, extras }: Batch, workerId: string): Promise<boolean> {
  return (
    !extras.workers.some(({ id, endedAt }) => id === workerId && endedAt !== null) &&
    (await tx.alive(workerId))
  );
}

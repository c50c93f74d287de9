import type { Demand } from "../core/choose.ts";
import { ClosedError, StoreError } from "../core/errors.ts";
import type { SpecRow } from "../core/record.ts";
import { spread } from "../core/spread.ts";
import type { Clock } from "../ports/clock.ts";
import type { Delivery } from "../ports/engine.ts";
import { OutcomeUnknown, type Store } from "../ports/store.ts";
import { UnreadableError } from "../ports/unreadable.ts";
import type { Assignment } from "./assignment.ts";
import { assign } from "./assignment.ts";
import { Batch, type Change } from "./batch.ts";
import { claimOffered } from "./claim-offered.ts";
import type { Offers } from "./offers.ts";
import type { SpecCache } from "./spec-cache.ts";
import { unattributed } from "./stray.ts";

/** A change that somebody in this process wants made. */
export interface Command<R> {
  /** Records to be locked before {@link apply}. */
  readonly locks: readonly string[];
  /**
   * Makes the change on the batch. It may be called again with a fresh batch when a transaction could not be done, so it
   * touches nothing else. When it throws, only this command fails: it throws before it has changed anything.
   */
  apply(batch: Batch): R | Promise<R>;
}

/** Takes tasks of the batch that is being committed. */
export interface Claimer {
  /** What there is room for, or null when it wants nothing now; `ready` tells that this transaction made tasks ready. */
  demand(ready?: boolean): Demand | null;
  /** False when the store is known to have nothing ready for it. */
  readonly hungry: boolean;
  /** What an engine brings it, of which alone it claims; null when it takes what the store has. */
  readonly offers: Offers | null;
  /** It has room, and nothing is on its way to it. */
  readonly idle: boolean;
  /** Tasks may have become ready somewhere. */
  ring(): void;
  /** Called after the commit when its session was found dead: what it held belongs to others. */
  lose(): void;
  /** Called after the commit. `more` tells that other tasks may be ready. */
  receive(assignments: Assignment[], more: boolean): void;
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
  readonly claims: Claims[];
}

/** What a claimer gets of a transaction. */
interface Claims {
  readonly claimer: Claimer;
  readonly assignments: Assignment[];
  readonly more: boolean;
  readonly stale: readonly Delivery[];
}

/** What a command is answered when the transaction has committed. */
type Reply =
  | { readonly to: Waiting; readonly ok: true; readonly value: unknown }
  | { readonly to: Waiting; readonly ok: false; readonly error: unknown };

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
 * Group commit: whatever arrives while a transaction is under way is committed by the next one. An idle process commits
 * a command at once; a busy one pays one durable commit for hundreds.
 */
export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #specs: SpecCache;
  readonly #session: string;
  readonly #claimers = new Set<Claimer>();
  readonly #listeners = new Set<(commit: Commit) => void>();
  readonly #closing = new AbortController();
  #queue: Waiting[] = [];
  #stamp = 0;
  #running: Promise<void> | null = null;
  /** The transaction that is being gathered or committed. */
  #round: Promise<boolean> | null = null;
  #again = false;
  #storeTime = { at: 0, monotonic: 0 };

  constructor(store: Store, clock: Clock, specs: SpecCache, session: string) {
    this.#store = store;
    this.#clock = clock;
    this.#specs = specs;
    this.#session = session;
  }

  /** Resolves when the change is durable, with what `apply` returned. */
  run<R>(command: Command<R>): Promise<R> {
    if (this.#closing.signal.aborted) return Promise.reject(new ClosedError("this MageFlow"));
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
      if (this.#again && !this.#closing.signal.aborted) this.kick();
    });
  }

  /** Resolves when the transaction that is under way has ended, in one way or another; at once when none is. */
  async underWay(): Promise<void> {
    await this.#round;
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
    this.#claimers.add(claimer);
    return () => this.#claimers.delete(claimer);
  }

  /** Calls `listener` after each commit of this process. */
  listen(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The store's time, estimated from the last transaction: for log lines, never for decisions. */
  storeTime(): number {
    return Math.round(this.#storeTime.at + this.#clock.monotonic() - this.#storeTime.monotonic);
  }

  /** Finishes what was given, then takes no more. */
  async close(): Promise<void> {
    while (this.#queue.length > 0 || this.#running !== null) {
      this.kick();
      await this.#running;
    }
    this.#closing.abort();
  }

  #wanted(): boolean {
    if (this.#queue.length > 0 || this.#again) return true;
    for (const claimer of this.#claimers) if (claimer.demand() !== null) return true;
    return false;
  }

  async #rounds(): Promise<void> {
    let goesOn: boolean;
    do {
      this.#round = this.#next();
      goesOn = await this.#round;
    } while (goesOn && this.#wanted());
    this.#round = null;
  }

  async #next(): Promise<boolean> {
    // One turn lets everything that is ready to run add its command to this transaction.
    await this.#clock.turn();
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
    const drops = [...this.#claimers].map(({ offers }) => offers?.drop(id) === true);
    return drops.includes(true);
  }

  /** Commits once, through busy stores and lost answers; what cannot be committed at all is thrown. */
  async #commit(waiting: readonly Waiting[]): Promise<void> {
    const stamp = { by: this.#session, n: ++this.#stamp };
    const begun = this.#clock.monotonic();
    for (let attempt = 0; ; attempt++) {
      let prepared: Prepared | null = null;
      try {
        await this.#store.transact(async (tx) => {
          prepared = null;
          const batch = new Batch(tx, this.#specs);
          prepared = await this.#prepare(batch, waiting);
          const changes = batch.changes(stamp);
          if (changes !== null) await tx.write(changes);
        });
      } catch (error) {
        if (error instanceof OutcomeUnknown) {
          if (prepared !== null && (await this.#landed(stamp.n, prepared))) return this.#publish(prepared);
        } else if (
          !(error instanceof StoreError && error.code === "STORE_BUSY") ||
          this.#clock.monotonic() - begun > PATIENCE_MS
        ) {
          throw error;
        }
        await this.#pause(attempt);
        continue;
      }
      return this.#publish(prepared!);
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
    const claims: Claims[] = [];
    const dead: Claimer[] = [];
    for (const claimer of this.#claimers) {
      const demand = claimer.demand(batch.hasReady());
      if (demand === null) continue;
      if (await isAlive(batch, demand.workerId)) {
        claims.push(await claim(batch, claimer, demand));
      } else {
        dead.push(claimer);
      }
    }
    return {
      replies,
      left: waiting.slice(done),
      claims,
      dead,
      specs: batch.newSpecs,
      commit: { at: batch.now, changed: batch.changed() },
    };
  }

  #publish({ replies, left, claims, dead, specs, commit }: Prepared): void {
    if (left.length > 0) this.#queue.unshift(...left);
    // What was stored here is mostly run here too.
    if (this.#claimers.size > 0) for (const row of specs) this.#specs.add(row);
    this.#specs.trim();
    this.#storeTime = { at: commit.at, monotonic: this.#clock.monotonic() };
    for (const reply of replies) {
      if (reply.ok) reply.to.resolve(reply.value as never);
      else reply.to.reject(reply.error);
    }
    for (const listener of this.#listeners) listener(commit);
    for (const claimer of dead) claimer.lose();
    for (const { claimer, assignments, more, stale } of claims) {
      claimer.offers?.stale(stale);
      claimer.receive(assignments, more);
    }
  }

  /** Whether a commit whose answer was lost is there: asked until the store answers, for a while. */
  async #landed(stamp: number, prepared: Prepared): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        return (await this.#store.stamped(this.#session)) >= stamp;
      } catch (error) {
        if (this.#closing.signal.aborted || attempt >= LANDING_TRIES) throw this.#untold(prepared, error);
        await this.#pause(attempt);
      }
    }
  }

  /** It may have been kept. What was claimed in it is left to others, who find that its session has ended. */
  #untold({ claims }: Prepared, cause: unknown): StoreError {
    for (const { claimer, assignments } of claims) if (assignments.length > 0) claimer.lose();
    return new StoreError(
      "STORE_UNAVAILABLE",
      `${this.#store.name} does not tell whether it has kept a commit; look before you do it again`,
      { cause },
    );
  }

  async #pause(attempt: number): Promise<void> {
    const wait = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** attempt);
    await this.#clock.sleep(wait * (0.5 + spread(`${this.#session} ${this.#stamp} ${attempt}`) / 2));
  }
}

async function claim(batch: Batch, claimer: Claimer, demand: Demand): Promise<Claims> {
  const { offers } = claimer;
  if (offers === null) {
    const { claimed, more } = await batch.claim(demand, claimer.hungry);
    return { claimer, assignments: await assign(batch, claimed), more, stale: [] };
  }
  const { claimed, stale, busy } = await claimOffered(batch, demand, offers.waiting(demand.slots));
  return { claimer, assignments: await assign(batch, claimed), more: busy, stale };
}

/** Nothing is claimed for a session that is dead, or that this very transaction declares dead: nobody would look after it. */
async function isAlive({ tx, extras }: Batch, workerId: string): Promise<boolean> {
  return (
    !extras.workers.some(({ id, endedAt }) => id === workerId && endedAt !== null) &&
    (await tx.alive(workerId))
  );
}

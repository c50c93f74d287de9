import type { SignatureRecord } from "../core/record.ts";
import { StoreError } from "../core/errors.ts";
import { spread } from "../core/spread.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { UnreadableError, warnOfLeftOut } from "../ports/unreadable.ts";
import type { Batch } from "./batch.ts";
import { Census } from "./census.ts";
import type { Commit, Committer } from "./committer.ts";
import { Mender } from "./mender.ts";
import { JumpGuard } from "./jump-guard.ts";
import { discardAll, purge } from "./purger.ts";
import type { Republisher } from "./republisher.ts";
import { TakeOver, type TakeOverParts } from "./take-over.ts";
import { warn, warnOfJump } from "./warning.ts";

/** Time between two rounds (ms), and the part of it that is drawn at random so that processes do not move in step. */
const ROUND_MS = 1_000;
const JITTER_MS = 200;
/** Wait (ms) after the store has refused, so that an outage is not spent spinning. */
const REFUSED_MS = 200;
/** Signatures that one transaction of the reconciler takes. */
const WINDOW = 500;
/** A draft that was not finished after this time (ms) belongs to a process that died. */
const DRAFT_MS = 3_600_000;

/**
 * Finds every open signature that has lost its reason to wait, and mends it: what is due, what a dead worker held, credits
 * that a busy parent has not taken, sweeps that a crash cut short, drafts that nobody will finish. Every round is
 * idempotent, several processes may run it at once, and it never ends: there is no start-up recovery.
 *
 * It also listens to the commits of this process, to do at once what a round would find later.
 */
export class Reconciler {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #committer: Committer;
  readonly #stopping = new AbortController();
  readonly #session: string;
  readonly #mender: Mender;
  readonly #guard = new JumpGuard();
  readonly #takeOver: TakeOver;
  readonly #census: Census;
  readonly #republisher: Republisher | null;
  readonly #onOutage: (error: StoreError) => void;
  /** The last round was refused by the store. */
  #isOut = false;
  #wake = new AbortController();
  #nextDue = 0;
  #nextRound = 0;
  #soon = new Set<string>();
  #loop: Promise<void> | null = null;
  #leave: (() => void) | null = null;

  /** `onOutage` is told once when the store begins to refuse, and again only after a round that it has not. */
  constructor(
    parts: TakeOverParts,
    republisher: Republisher | null,
    onOutage: (error: StoreError) => void = () => {},
  ) {
    const { store, clock, committer, session } = parts;
    this.#store = store;
    this.#clock = clock;
    this.#committer = committer;
    this.#session = session;
    this.#takeOver = new TakeOver(parts, () => this.#hasten());
    this.#census = new Census(parts);
    this.#republisher = republisher;
    this.#onOutage = onOutage;
    this.#mender = new Mender(store, committer, session, this.#takeOver);
  }

  /** How many signatures it found that had lost their reason to wait and carried no mark: none, unless something went wrong. */
  get mended(): number {
    return this.#mender.mended;
  }

  /** `at` is the store's time. */
  start(at: number): void {
    this.#census.begin(at);
    this.#leave = this.#committer.listen((commit) => this.#onCommit(commit));
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort("woken");
    this.#leave?.();
    await this.#loop;
  }

  /** One round over everything there is to mend. Public so that tests and the simulator drive it by hand. */
  async tick(): Promise<void> {
    // Asked for together, so that an idle process pays one transaction a round.
    this.#committer.ring();
    await Promise.all([
      this.#due(),
      this.#deadWorkers(),
      this.#owed(),
      this.#sweeps(),
      this.#removals(),
      this.#mender.round(),
      this.#republisher?.round(),
    ]);
  }

  async #run(): Promise<void> {
    let round = 0;
    this.#nextRound = this.#clock.monotonic();
    while (!this.#stopping.signal.aborted) {
      const now = this.#clock.monotonic();
      try {
        if (now >= this.#nextRound) {
          this.#nextRound = now + ROUND_MS + JITTER_MS * spread(`${this.#session} ${round++}`);
          await this.tick();
          await this.#census.round();
          this.#nextDue = await this.#untilDue();
          this.#isOut = false;
        } else {
          await this.#hurry();
          if (this.#clock.monotonic() >= this.#nextDue) {
            const some = await this.#due();
            this.#nextDue = await this.#untilDue();
            // What is left where it is although it is due waits for the next round.
            if (!some && this.#nextDue <= this.#clock.monotonic()) this.#nextDue = this.#nextRound;
          }
        }
      } catch (error) {
        this.#tell(error);
        // The store refuses for now; the next round does what this one could not.
        await this.#clock.sleep(REFUSED_MS, this.#stopping.signal, { background: true });
      }
      const until = Math.min(this.#nextRound, this.#nextDue) - this.#clock.monotonic();
      if (this.#soon.size === 0 && until > 0)
        await this.#clock.sleep(until, this.#wake.signal, { background: true });
      this.#wake = new AbortController();
      if (this.#stopping.signal.aborted) this.#wake.abort("woken");
    }
  }

  #tell(error: unknown): void {
    warn(error);
    if (!(error instanceof StoreError) || error instanceof UnreadableError) return;
    if (!this.#isOut && !this.#stopping.signal.aborted) this.#onOutage(error);
    this.#isOut = true;
  }

  /** Makes the next round soon. */
  #hasten(): void {
    this.#nextRound = this.#clock.monotonic();
    this.#wake.abort("woken");
  }

  /** What this process has just left open for the next transaction. */
  #onCommit({ at, changed }: Commit): void {
    for (const { now } of changed) {
      if (now.sweep !== null) this.#soon.add(now.id);
      if (now.credited < now.milestone && now.parentId !== null) this.#soon.add(now.parentId);
      if (now.status === "WAITING" && now.dueAt !== null) {
        this.#nextDue = Math.min(this.#nextDue, this.#clock.monotonic() + now.dueAt - at);
        this.#wake.abort("woken");
      }
    }
    if (this.#soon.size > 0) this.#wake.abort("woken");
  }

  async #untilDue(): Promise<number> {
    const due = await this.#store.nextDue();
    return due === null
      ? Number.POSITIVE_INFINITY
      : this.#clock.monotonic() + Math.max(0, due - this.#committer.storeTime());
  }

  async #hurry(): Promise<void> {
    const ids = [...this.#soon];
    this.#soon.clear();
    await this.#continueAll(ids);
  }

  /** What somebody has damaged stays where it is, and keeps nothing else from going on. */
  async #continueAll(ids: readonly string[]): Promise<void> {
    const unlessDamaged = (error: unknown): void => {
      if (!(error instanceof UnreadableError)) throw error;
      warnOfLeftOut(error);
    };
    await Promise.all(ids.map((id) => this.#continue(id).catch(unlessDamaged)));
  }

  /** Goes on with a signature's sweep, and gives it the credits that wait for it. */
  async #continue(id: string): Promise<void> {
    const sweeps = await this.#committer.run({
      locks: [id],
      apply: async (batch) => {
        const record = batch.get(id);
        if (record === undefined || batch.isRemoved(record)) return false;
        await takeCredits(batch, id);
        if (batch.get(id)!.sweep === null) return false;
        batch.tell(batch.get(id)!, { type: "sweep" });
        await batch.settle();
        return batch.get(id)!.sweep !== null;
      },
    });
    // A full window changes those in it, and not the one that sweeps: no commit tells that it has to go on.
    if (!sweeps) return;
    this.#soon.add(id);
    this.#wake.abort("woken");
  }

  /** Whether anything was. */
  async #due(): Promise<boolean> {
    let some = false;
    let full = true;
    while (full) {
      const { found, sent } = await this.#committer.run({
        locks: [],
        apply: async (batch) => {
          const due = await batch.tx.due(WINDOW);
          await batch.lock(ids(due), { wait: true });
          const sound = batch.sound(due);
          for (const { id } of sound) batch.send({ to: id, signal: { type: "due" } });
          return { found: due.length, sent: sound.length };
        },
      });
      some ||= sent > 0;
      full = found === WINDOW && sent > 0;
    }
    return some;
  }

  async #deadWorkers(): Promise<void> {
    while (await this.#takeOver.round());
  }

  async #owed(): Promise<void> {
    const parents = await this.#committer.run({ locks: [], apply: (batch) => batch.tx.owed(WINDOW) });
    await this.#continueAll(parents);
  }

  async #sweeps(): Promise<void> {
    const sweeping = await this.#committer.run({ locks: [], apply: (batch) => batch.tx.sweeping(WINDOW) });
    await this.#continueAll(sweeping);
  }

  async #removals(): Promise<void> {
    const mayPurge = (now: number): boolean =>
      this.#guard.steady(now, this.#clock.monotonic(), (by) => warnOfJump(by));
    const [purged] = await Promise.all([
      purge(this.#committer, mayPurge),
      discardAll(this.#committer, DRAFT_MS),
    ]);
    if (purged) await discardAll(this.#committer, DRAFT_MS);
  }
}

/** Credits a parent with the children whose milestones it has not taken. */
async function takeCredits(batch: Batch, parentId: string): Promise<void> {
  const owing = await batch.tx.owing(parentId, WINDOW);
  await batch.lock(ids(owing), { wait: true });
  for (const { id } of owing) {
    const child = batch.get(id)!;
    // This very transaction may have credited it already.
    if (child.credited >= child.milestone) continue;
    const credited = { ...child, credited: child.milestone };
    batch.put(credited);
    batch.send({
      to: parentId,
      signal: { type: "credit", credits: [{ child: credited, from: child.credited }] },
    });
  }
}

function ids(records: readonly SignatureRecord[]): string[] {
  return records.map(({ id }) => id);
}

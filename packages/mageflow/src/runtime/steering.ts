import { requireRoot } from "../core/deletion.ts";
import { type Duration, millisecondsGiven } from "../core/duration.ts";
import { IllegalTransitionError, MageFlowError, WaitTimeoutError } from "../core/errors.ts";
import { isClean } from "../core/halt.ts";
import { invalidArgument } from "../core/invalid-argument.ts";
import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { encode, requireSize } from "../core/payload.ts";
import { readReason } from "../core/reason.ts";
import { isCancelled, isSettled, type SignatureRecord } from "../core/record.ts";
import type { Signal } from "../core/signal.ts";
import { isEnded } from "../core/status.ts";
import type { Reach } from "../core/lock.ts";
import { abandonCleanups } from "./abandon.ts";
import { calendarInstant, type CalendarTime } from "./calendar.ts";
import { type CancelPlan, GRACE_MS, planCancel } from "./cancel.ts";
import { checkStart } from "./check-start.ts";
import { type Control, control, missing } from "./control.ts";
import { lock, type RunLock, unlock } from "./lock.ts";
import { flag } from "./filter-arguments.ts";
import { parkedInside, resumeParked } from "./parked.ts";
import { condemn, isOpen } from "./purger.ts";
import type { Runtime } from "./runtime.ts";
import { noteUnclean, wentOnUnclean } from "./unclean.ts";
import { whatIsOpen } from "./what-is-open.ts";

/** The verbs that change what becomes of a stored signature. Each is idempotent; what a status does not allow is refused. */
export abstract class Steering {
  readonly id: string;
  /** @internal */
  protected readonly runtime: Runtime;
  /** Of the lock that this handle holds. */
  #token: string | null = null;

  /** @internal */
  get lockToken(): string | null {
    return this.#token;
  }

  /** @internal */
  constructor(runtime: Runtime, id: string, token: string | null = null) {
    this.runtime = runtime;
    this.id = id;
    this.#token = token;
  }

  /**
   * Starts what `mage.create` stored, with a message to it. What is suspended begins with it when it is resumed. Starting again is a
   * no-op.
   *
   * @throws ValidationError (`VALIDATION`) when an input that is complete now does not fit its schema, PayloadError (`PAYLOAD`) when one is more
   *   than 1 MiB; nothing is started then.
   * @throws NotFoundError (`NOT_FOUND`), IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is inside a container.
   */
  async start(message?: unknown): Promise<void> {
    const text = message === undefined ? null : encode(message, "message");
    const { role, status } = await this.begin(text);
    if (role === "root") return;
    const hint = "its container starts it when it is its turn";
    throw new IllegalTransitionError(this.id, "start", status, hint);
  }

  /**
   * What has not started does not start; what runs, ends. Costs one write whatever the size. Suspending again is a no-op.
   *
   * @throws AlreadyRunningError (`ALREADY_RUNNING`) for a task that is running; IllegalTransitionError (`ILLEGAL_TRANSITION`), NotFoundError.
   */
  async suspend(): Promise<void> {
    await this.#tell({ type: "suspend" }, { action: "suspend" });
  }

  /**
   * Goes on where it was suspended or interrupted; what was interrupted does so in its next generation, with its finished steps and
   * checkpoints. A container takes the tasks inside along that were parked because their worker was lost, also when it runs itself; what
   * somebody has interrupted by itself stays. Resuming what is none of these is a no-op. `clean` is false when code of it has not ended by
   * itself: it may still go on somewhere, unless it was isolated, and ended. Whoever resumes it again hears the same, as long as it goes on in
   * that generation.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has ended, LockedError (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError.
   */
  async resume(): Promise<{ clean: boolean }> {
    const found = await this.record();
    const parked = await parkedInside(this.runtime.store, found);
    const { clean, changed } = await this.change(
      (batch, record) => {
        // What the workers of parked tasks did last is not known.
        const clean = parked.length === 0 && isClean(record) === true;
        const now = batch.tell(record, { type: "resume" });
        if (!clean) noteUnclean(batch, now);
        return { clean, changed: now !== record };
      },
      { action: "resume" },
    );
    if (parked.length > 0) await resumeParked(this.runtime, this.id, parked, this.#token);
    return { clean: clean && (changed || !(await wentOnUnclean(this.runtime.store, this.id))) };
  }

  /**
   * Stops it, whatever its status, and keeps it: nothing in it starts any more, what runs is told by `ctx.signal` and gets `grace`
   * (default `"10s"`) to end by itself, after which nothing that it still does has an effect. Its cleanups run. Resolves when what ran has
   * stopped, with its cleanups if it is a container, and with the end of the grace at the latest. Interrupting again is a no-op, unless its grace is over sooner than that of the first time: it can be made shorter, and
   * never longer.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has ended, LockedError (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError.
   */
  async interrupt(options: { reason?: string; grace?: Duration } = {}): Promise<void> {
    requireArguments(options, INTERRUPT, "interrupt");
    const grace = options.grace === undefined ? GRACE_MS : millisecondsGiven(options.grace, "grace");
    const reason = readReason(options.reason);
    const { actor } = this.runtime;
    await this.#tell(
      { type: "halt", verb: "interrupt", actor, reason, grace, by: null },
      { action: "interrupt", reason, details: { grace } },
    );
    const { waiters } = this.runtime;
    const stopped = await waiters.until(
      this.id,
      ({ status }) => status === "INTERRUPTED" || isEnded(status),
      null,
    );
    if (isClean(stopped) !== null) return;
    // Cleanups inside wait for a worker, for which nobody waits here.
    const within = waiters.until(this.id, (record) => isClean(record) !== null, grace + FENCING_MS);
    await within.catch((error: unknown) => {
      if (!(error instanceof WaitTimeoutError)) throw error;
    });
  }

  /**
   * Begins what has ended again, in its next generation, with `message` in the place of the one that it was given before. Takes a
   * mark of deletion away.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has not ended, and for what is inside another signature; LockedError
   *   (`LOCKED`), NotFoundError (`NOT_FOUND`), GoneError (`GONE`) once it was purged.
   */
  async rerun(message?: unknown): Promise<void> {
    const text = message === undefined ? null : encode(message, "message");
    const record = await this.record();
    if (text !== null) requireRoom(record, text);
    const { truth: store, check } = this.runtime;
    if (check !== null && text !== null) await checkStart(store, { ...record, message: text }, check);
    await this.#tell(
      { type: "rerun", ...(text === null ? {} : { message: text }) },
      { action: "rerun", details: { message: text !== null } },
    );
  }

  /**
   * Marks the workflow for deletion: it is removed after a span, or at a point in time (a local one with its `timeZone`), when nothing of it is open. What runs goes on to
   * its end; what has not started does not start unless the mark is taken away. Marking again is a no-op: see {@link extend}.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not a root, MageFlowError (`INVALID_ARGUMENT`) for a bad time, LockedError,
   *   NotFoundError, GoneError.
   */
  async delete(options: PurgeTime & RemovalOptions): Promise<void> {
    requireArguments(options, DELETE, "delete");
    const purgeAt = await purgeInstant(options);
    const stub = flag("stub", options.stub ?? false);
    const reason = readReason(options.reason);
    const by = this.runtime.actor;
    await this.change(
      (batch, record) =>
        void batch.tell(record, { type: "delete", purgeAt: purgeAt(batch.now), by, reason, stub }),
      { action: "delete", reason },
    );
  }

  /** Takes the mark of deletion away; what was to start and did not, starts. A no-op without a mark. @throws as {@link delete} */
  async restore(): Promise<void> {
    await this.#tell({ type: "restore" }, { action: "restore" });
  }

  /** Moves the time of a marked workflow's deletion. @throws as {@link delete}, and for what is not marked */
  async extend(options: PurgeTime): Promise<void> {
    requireArguments(options, EXTEND, "extend");
    const purgeAt = await purgeInstant(options);
    await this.change(
      (batch, record) => void batch.tell(record, { type: "extend", purgeAt: purgeAt(batch.now) }),
      { action: "extend" },
    );
  }

  /**
   * Removes the workflow at once. A tombstone answers those who ask for it later. What is left out of the options is as its mark of
   * deletion says, if it has one.
   *
   * With `abandonCleanups` a workflow that was cancelled is removed although its cleanups have not ended. Those that run are told by
   * `ctx.signal` and given up a second later; the others never run, and what they were to release stays as it is.
   *
   * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) while anything of it is open, which the message names, and as {@link delete}.
   */
  async purgeNow(options: RemovalOptions & { abandonCleanups?: boolean } = {}): Promise<void> {
    requireArguments(options, PURGE, "purgeNow");
    const { stub } = options;
    if (stub !== undefined) flag("stub", stub);
    const reason = readReason(options.reason);
    if (flag("abandonCleanups", options.abandonCleanups ?? false)) {
      const record = await this.record();
      if (record.role === "root" && isCancelled(record)) {
        await abandonCleanups(this.runtime, record, { token: this.#token, reason });
        return this.runtime.reconciler.tick();
      }
    }
    const by = this.runtime.actor;
    const open = await this.change(
      async (batch, record) => {
        if (record.role === "root" && isCancelled(record) && !isSettled(record)) return record;
        requireRoot(record, "purge");
        if (await isOpen(batch, record)) return record;
        const { deletion } = record;
        // The mark that it has gives way: a tombstone tells who removed it.
        const marked = batch.tell(
          { ...record, deletion: null },
          {
            type: "delete",
            purgeAt: batch.now,
            by,
            reason: reason ?? deletion?.reason ?? null,
            stub: stub ?? deletion?.stub ?? false,
          },
        );
        // Whoever holds the lock may remove it.
        await condemn(batch, { ...marked, lock: null });
        return null;
      },
      { action: "purge", reason },
    );
    if (open !== null) {
      const hint = await whatIsOpen(this.runtime.store, open);
      throw new IllegalTransitionError(this.id, "purge", open.status, hint);
    }
    await this.runtime.reconciler.tick();
  }

  /** What cancelling it would remove, and what it takes to do so; nothing happens before `confirm()`. @throws as {@link delete} */
  planCancel(): Promise<CancelPlan> {
    return planCancel(this.runtime, [this.id], () => this.#token);
  }

  /**
   * Keeps others from steering, editing and deleting it, what is inside it, and what it stands in as far as that would reach it, for a time
   * (default `"30s"`, at most `"1d"`). Work goes on. This handle may, and so may every handle that is asked for with the lock's token;
   * see `release`. Whoever needs it for longer locks it again.
   *
   * @throws LockedError (`LOCKED`) while somebody else holds it, something inside it or something that it stands in, and when 100 locks are
   *   held in something that it stands in; MageFlowError (`INVALID_ARGUMENT`) for a longer time, NotFoundError, GoneError.
   */
  async lock(options: { for?: Duration } = {}): Promise<RunLock> {
    requireArguments(options, LOCK, "lock");
    const span = millisecondsGiven(options.for ?? "30s", "for");
    if (span > LONGEST_LOCK_MS) throw invalidArgument("for", options.for, "a time of at most a day");
    return lock(this.runtime, {
      id: this.id,
      token: this.#token,
      span,
      onHeld: (token) => {
        this.#token = token;
      },
    });
  }

  /**
   * Gives back the lock that this handle holds. With `force` it takes away whoever's lock there is on this very signature, and the audit trail
   * tells whose it was. A no-op for what is not locked.
   *
   * @throws LockedError (`LOCKED`) while somebody else holds it, MageFlowError (`INVALID_ARGUMENT`) for an unknown option, NotFoundError, GoneError.
   */
  async unlock(options: UnlockOptions = {}): Promise<void> {
    requireArguments(options, UNLOCK, "unlock");
    const force = flag("force", options.force ?? false);
    await unlock(this.runtime, {
      id: this.id,
      token: this.#token,
      force,
      reason: readReason(options.reason),
    });
  }

  /** Starts a root that has not been started; returns what stood here before. */
  protected async begin(message: string | null): Promise<SignatureRecord> {
    const record = await this.record();
    if (!isUnstarted(record)) return record;
    if (message !== null) requireRoom(record, message);
    const { truth: store, check } = this.runtime;
    if (check !== null) await checkStart(store, { ...record, message }, check);
    await this.change(
      (batch, now) => {
        if (!isUnstarted(now)) return;
        batch.put({ ...now, message });
        batch.tell(batch.get(now.id)!, { type: "start" });
      },
      undefined,
      "itself",
    );
    return record;
  }

  async #tell(signal: Signal, deed?: Control<void>["deed"]): Promise<void> {
    await this.change((batch, record) => void batch.tell(record, signal), deed);
  }

  /** One change of this signature in a transaction. */
  protected change<T>(
    apply: Control<T>["apply"],
    deed?: Control<T>["deed"],
    reach: Reach = "tree",
  ): Promise<T> {
    const { id } = this;
    const token = this.#token;
    return control(this.runtime, { id, token, reach, apply, ...(deed === undefined ? {} : { deed }) });
  }

  protected async record(): Promise<SignatureRecord> {
    const [record] = await this.runtime.store.get([this.id]);
    if (record === undefined) throw await missing(this.runtime.store, this.id);
    return record;
  }
}

/** A record keeps its message beside what is bound. @throws PayloadError (`PAYLOAD`) when both are more than 1 MiB. */
function requireRoom({ bound, name }: SignatureRecord, message: string): void {
  requireSize([bound, message], `input of "${name}"`);
}

/** What those find out who ask for a workflow that was removed. */
interface RemovalOptions {
  reason?: string;
  /** Keeps how it went, without any payload, for `mage.tombstone`. Default false. */
  stub?: boolean;
}

export interface UnlockOptions {
  /** Whoever holds it. Default false. */
  force?: boolean;
  /** Why it was taken away, for the audit trail. */
  reason?: string;
}

/** When a workflow is to be removed: a span from now, which is the same on every calendar, or a point in time. */
export interface PurgeTime extends Partial<CalendarTime> {
  after?: Duration;
}

/** Nobody can break the lock of a process that is gone. */
const LONGEST_LOCK_MS = 86_400_000;

/** What still runs when its grace is over is fenced off by the next round of any process, within this time (ms). */
const FENCING_MS = 2_000;

const INTERRUPT: OptionNames<{ reason?: string; grace?: Duration }> = { reason: true, grace: true };
const PURGE: OptionNames<RemovalOptions & { abandonCleanups?: boolean }> = {
  reason: true,
  stub: true,
  abandonCleanups: true,
};
const EXTEND: OptionNames<PurgeTime> = { after: true, at: true, timeZone: true };
const DELETE: OptionNames<PurgeTime & RemovalOptions> = { ...EXTEND, reason: true, stub: true };
const LOCK: OptionNames<{ for?: Duration }> = { for: true };
const UNLOCK: OptionNames<UnlockOptions> = { force: true, reason: true };

/** The instant of it, once the store's time is known. */
async function purgeInstant({ after, at, timeZone }: PurgeTime): Promise<(now: number) => number> {
  if ((after === undefined) === (at === undefined)) {
    throw new MageFlowError("INVALID_ARGUMENT", "give either `after`, a span, or `at`, a point in time");
  }
  if (at !== undefined) {
    const instant = await calendarInstant({ at, ...(timeZone === undefined ? {} : { timeZone }) }, "at");
    return () => instant;
  }
  const span = millisecondsGiven(after!, "after");
  return (now) => now + span;
}

function isUnstarted({ role, readyAt, status }: SignatureRecord): boolean {
  return role === "root" && readyAt === null && (status === "PENDING" || status === "SUSPENDED");
}

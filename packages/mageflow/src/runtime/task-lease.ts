import { LeaseLostError, StoreError } from "../core/errors.ts";
import type { CheckInput } from "../core/door.ts";
import type { AnyPlan, OutputOf } from "../core/flow.ts";
import { fateOfTask, type ResumeEntry } from "../core/resume-report.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { AttemptOutcome } from "../core/signal.ts";
import { owns } from "../core/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogLevel, LogLine } from "../ports/store.ts";
import { type AttemptHost, failed } from "./attempt.ts";
import type { Batch } from "./batch.ts";
import type { Committer } from "./committer.ts";
import { noteGoingOn } from "./going-on.ts";
import { insist, isBusy } from "./insist.ts";
import type { RunOptions } from "./launch.ts";
import type { Run } from "./run.ts";
import { storeTwin, type Twin } from "./twin.ts";

/** What all leases of one worker share. */
export interface LeaseKeeper {
  readonly committer: Committer;
  readonly clock: Clock;
  /** How long code that was told to stop may take, in ms. */
  readonly grace: number;
  /** True when the worker is stopping and repeats nothing for long. */
  readonly stopping: () => boolean;
  /** Log lines wait to be stored. */
  logsWait(): void;
  /** Refuses complete inputs; null when all are taken. */
  check(): CheckInput | null;
  launch<P extends AnyPlan>(
    plan: P,
    message: unknown,
    options: RunOptions,
    by: { id: string; epoch: number },
  ): Promise<Run<OutputOf<P>>>;
}

/** Characters of a log message; the rest is cut. */
const LONGEST_LINE = 16_384;
const NO_LINES: readonly LogLine[] = [];

/**
 * A worker's right to write for one task, from its claim on. Every write is conditional on the epoch of the claim: when the task
 * has been taken over, or has ended, nothing of it is stored.
 */
export class TaskLease implements AttemptHost {
  readonly record: SignatureRecord;
  readonly #keeper: LeaseKeeper;
  #lines: LogLine[] | null = null;
  /** The worker has given the task up: whatever its code still does has no effect. */
  #over = false;

  constructor(record: SignatureRecord, keeper: LeaseKeeper) {
    this.record = record;
    this.#keeper = keeper;
  }

  get over(): boolean {
    return this.#over;
  }

  get clock(): Clock {
    return this.#keeper.clock;
  }

  get grace(): number {
    return this.#keeper.grace;
  }

  storeTime(): number {
    return this.#keeper.committer.storeTime();
  }

  /** Gives the task up without a word: it belongs to somebody else. */
  giveUp(): void {
    this.#over = true;
  }

  /** Stores how the attempt ended. A store that refuses is asked again; nothing happens when the lease is gone. */
  async finish(outcome: AttemptOutcome): Promise<void> {
    if (this.#over) return;
    const lines = this.#takeLines();
    try {
      await this.#conclude(outcome, lines);
    } catch (error) {
      // An outcome that breaks its transaction would leave the task running for ever: it fails, with this as its cause.
      const again = error instanceof StoreError ? outcome : failed(error);
      await this.insist(() => this.#conclude(again, lines));
    }
  }

  #conclude(outcome: AttemptOutcome, lines: readonly LogLine[]): Promise<void> {
    const { epoch } = this.record;
    return this.#write((batch, record) => batch.tell(record, { type: "finish", epoch, outcome }), lines);
  }

  /** Hands the task back, to be taken by another worker as soon as `stopped` resolves. What it does until then has no effect. */
  async release(stopped: Promise<void> | undefined): Promise<void> {
    this.#over = true;
    await stopped;
    await this.#write(
      (batch, record) => noteGoingOn(batch, batch.tell(record, { type: "release", epoch: record.epoch })),
      this.#takeLines(),
    );
  }

  /** Leaves the task to whoever resumes it, for a reason. `told` gets what has become of it, in the same transaction. */
  async park(reason: string, told: (batch: Batch, fate: ResumeEntry) => void): Promise<void> {
    const { epoch } = this.record;
    const how = { resume: false, reason } as const;
    await this.insist(() =>
      this.#write((batch, record) => {
        const now = batch.tell(record, { type: "recover", epoch, how });
        told(batch, fateOfTask(record, now));
      }, NO_LINES),
    );
  }

  log(level: LogLevel, message: string, fields: string | null): void {
    const { id, rootId, generation, attempt } = this.record;
    this.#lines ??= [];
    this.#lines.push({
      id,
      rootId,
      generation,
      attempt,
      at: this.storeTime(),
      level,
      message: loggable(message),
      fields,
    });
    this.#keeper.logsWait();
  }

  /** Stores the log lines that wait. */
  async flush(): Promise<void> {
    if (this.#lines === null || this.#over) return;
    const lines = this.#takeLines();
    await this.insist(() => this.#write(() => {}, lines));
  }

  saveStep(name: string, result: string): Promise<void> {
    const { id, origin } = this.record;
    return this.#insistOwned(
      ({ extras }) => void extras.steps.push({ id, generation: origin, name, result }),
    );
  }

  saveCheckpoint(body: string): Promise<void> {
    const { id, origin } = this.record;
    return this.#insistOwned(({ extras }) => void extras.checkpoints.push({ id, generation: origin, body }));
  }

  saveProgress(fraction: number, note: string | null): Promise<void> {
    const { id, rootId, generation, origin } = this.record;
    const progress = { fraction, note };
    return this.#insistOwned((batch, { status, attempt }) => {
      batch.extras.progress.push({ id, generation: origin, progress });
      batch.note(rootId, { id, type: "progress", status, generation, attempt, progress });
    });
  }

  saveTwin(mark: string, twin: Twin): Promise<void> {
    const { id, generation, origin } = this.record;
    // Where it is not known whether there is one, a second one would run too.
    return this.insist(
      () =>
        this.#writeOwned((batch, record) => {
          storeTwin(batch, record, twin, this.#keeper.check());
          batch.extras.steps.push({ id, generation: origin, name: mark, result: String(generation) });
        }),
      isBusy,
    );
  }

  launch<P extends AnyPlan>(plan: P, message: unknown, options: RunOptions): Promise<Run<OutputOf<P>>> {
    const { id, epoch } = this.record;
    // It has a key: what was started is found.
    return this.insist(() => this.#keeper.launch(plan, message, options, { id, epoch }));
  }

  /** Repeats what the store refuses, for as long as the worker has the task: code does not fail because the store is away. */
  insist<T>(work: () => Promise<T>, isRepeated?: (error: unknown) => boolean): Promise<T> {
    const { clock, stopping } = this.#keeper;
    return insist(clock, () => this.#over || stopping(), work, isRepeated);
  }

  #insistOwned(write: (batch: Batch, record: SignatureRecord) => void): Promise<void> {
    return this.insist(() => this.#writeOwned(write));
  }

  /** A write that tells when the lease is gone. */
  #writeOwned(write: (batch: Batch, record: SignatureRecord) => void): Promise<void> {
    const { id } = this.record;
    return this.#keeper.committer.run({
      locks: [id],
      apply: (batch) => {
        const now = this.#owned(batch);
        if (now === null) throw this.#lost();
        write(batch, now);
      },
    });
  }

  /** A write, with log lines, that is left out when the lease is gone. */
  #write(write: (batch: Batch, record: SignatureRecord) => void, lines: readonly LogLine[]): Promise<void> {
    return this.#keeper.committer.run({
      locks: [this.record.id],
      apply: (batch) => {
        const now = this.#owned(batch);
        if (now === null) return;
        write(batch, now);
        for (const line of lines) batch.extras.logs.push(line);
      },
    });
  }

  #owned(batch: Batch): SignatureRecord | null {
    const now = batch.get(this.record.id);
    return now !== undefined && owns(now, this.record.epoch) ? now : null;
  }

  #lost(): LeaseLostError {
    return new LeaseLostError(this.record.id, this.record.epoch);
  }

  #takeLines(): readonly LogLine[] {
    const lines = this.#lines ?? NO_LINES;
    this.#lines = null;
    return lines;
  }
}

/** A log line is never refused: what a store may not keep in a text is replaced. */
function loggable(message: unknown): string {
  return String(message).toWellFormed().replaceAll("\0", "\uFFFD").slice(0, LONGEST_LINE);
}

import { nextTurn, type Pace } from "../core/pace.ts";
import type { TaskSpec } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { type Recovery, reasonToPark } from "../core/recovery.ts";
import {
  emptyReport,
  fateOfTask,
  isTold,
  type ResumeEntry,
  type ResumeReport,
  withEntries,
} from "../core/resume-report.ts";
import { spread } from "../core/spread.ts";
import { isInCleanup } from "../core/view.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { assign } from "./assignment.ts";
import type { AutoResume } from "./auto-resume.ts";
import type { Batch } from "./batch.ts";
import type { Committer } from "./committer.ts";
import type { Handler } from "./handler.ts";
import { openRoots } from "./open-roots.ts";
import { judge, type Question, type Verdict } from "./resume-judge.ts";

export interface TakeOverParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly committer: Committer;
  /** Of this process. */
  readonly session: string;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly autoResume: AutoResume;
  readonly newId: () => string;
}

/** Sessions that one transaction declares lost, and tasks of each that it takes over. */
const SESSIONS = 20;
const WINDOW = 500;
/** The actor of what is parked. */
const ACTOR = "auto-resume";
/** The turns of all tasks together; no task has an empty name. */
const ALL = "";

/**
 * Takes over what lost workers held: lets each task go on, at once or when it is its turn, or parks it, and reports what has become
 * of it. The report of a transaction's work is part of the transaction.
 *
 * What only code can tell of a task (its schema, `validate`) is asked outside of transactions: the task is left where it is until the
 * answer is there, and taken over by the next round after it.
 */
export class TakeOver {
  readonly #parts: TakeOverParts;
  readonly #onJudged: () => void;
  /** When the next turn of all tasks, and of one by its name, is free. */
  readonly #free = new Map<string, number>();
  #verdicts: ReadonlyMap<string, Verdict> = new Map();
  #judging = false;
  /** The report that the next transaction goes on with. */
  #report: ResumeReport | null = null;
  /** From the start of the process until it has reported what it found: the store's time then, and roots that were taken over since. */
  #starting: { readonly at: number; readonly taken: Set<string> } | null = null;

  /** `onJudged` is called when answers are there for the next round. */
  constructor(parts: TakeOverParts, onJudged: () => void) {
    this.#parts = parts;
    this.#onJudged = onJudged;
  }

  /** What is found until {@link tellOfStart} belongs to the start of the process, at this instant of the store. Who knows no task only looks on. */
  begin(at: number): void {
    if (this.#parts.handlers.size > 0) this.#starting = { at, taken: new Set() };
  }

  /** Takes over what sessions held whose lease has lapsed. Returns whether there is more to be done at once. */
  async round(): Promise<boolean> {
    const { committer } = this.#parts;
    const { taking, more } = await committer.run({
      locks: [],
      apply: async (batch) => {
        const lost = this.#begun(batch, this.#report);
        let left = false;
        for (const worker of await batch.tx.lapsed(SESSIONS)) {
          const held = await batch.tx.heldByWorker(worker.id, WINDOW);
          const ids = held.map(({ id }) => id);
          await batch.lock(ids, { wait: true });
          let open = 0;
          for (const id of ids) if (!(await lost.take(batch.get(id)!))) open++;
          if (held.length < WINDOW && open === 0) {
            batch.extras.workers.push({ ...worker, endedAt: batch.now });
          } else left ||= open === 0;
        }
        lost.write();
        return { taking: lost, more: left };
      },
    });
    this.#keep(taking);
    const unfinished = more || taking.questions.length > 0 || this.#starting !== null;
    this.#report = unfinished ? taking.report : null;
    return more;
  }

  /** The same for tasks of which it is only known that nobody looks after them; those that it was done for, as they were. */
  async strays(ids: readonly string[]): Promise<SignatureRecord[]> {
    const { taking, found } = await this.#parts.committer.run({
      locks: ids,
      apply: async (batch) => {
        // A report of its own: a round may be part of the same transaction.
        const strays = this.#begun(batch, null);
        const taken: SignatureRecord[] = [];
        for (const id of ids) {
          // What this very transaction has changed goes on.
          if (!batch.isAsFound(id)) continue;
          const record = batch.get(id)!;
          const { kind, status, workerId } = record;
          if (status !== "RUNNING" || kind !== "task" || workerId === null) continue;
          if (!(await batch.tx.alive(workerId)) && (await strays.take(record))) taken.push(record);
        }
        strays.write();
        return { taking: strays, found: taken };
      },
    });
    this.#keep(taking);
    return found;
  }

  /** Reports what the process found at its start, once nothing of it waits for an answer; nothing that was told before. */
  async tellOfStart(): Promise<void> {
    const { store, committer } = this.#parts;
    const starting = this.#starting;
    if (starting === null || this.#judging) return;
    let report = this.#report ?? this.#newReport(starting.at);
    let newest = 0;
    for await (const { entries, newest: stored, more } of openRoots(store, starting.at)) {
      newest = Math.max(newest, stored);
      report = withEntries(
        report,
        entries.filter(({ id }) => !starting.taken.has(id)),
      );
      if (more) report = { ...report, more };
    }
    const [last] = await store.reports({ after: null, limit: 1 });
    if (report.seen > 0 && (this.#report !== null || !isTold(report, last, newest))) {
      await committer.run({ locks: [], apply: (batch) => void batch.extras.reports.push(report) });
    }
    this.#report = null;
    this.#starting = null;
  }

  #begun(batch: Batch, report: ResumeReport | null): Taking {
    const { handlers, autoResume } = this.#parts;
    const known = { handlers, autoResume, verdicts: this.#verdicts, free: new Map(this.#free) };
    return new Taking(batch, known, report, () => this.#newReport(batch.now));
  }

  #newReport(at: number): ResumeReport {
    const { newId, session } = this.#parts;
    const reason = this.#starting === null ? "lost worker" : "start";
    return emptyReport({ id: newId(), at, by: session, reason });
  }

  /** After the commit. */
  #keep({ free, taken, questions }: Taking): void {
    for (const [name, at] of free) this.#free.set(name, Math.max(at, this.#free.get(name) ?? 0));
    for (const { id, parentId } of taken) if (parentId === null) this.#starting?.taken.add(id);
    if (questions.length > 0 && !this.#judging) void this.#judge(questions);
  }

  async #judge(questions: readonly Question[]): Promise<void> {
    this.#judging = true;
    const answers = await Promise.all(
      questions.map(async (question): Promise<[string, Verdict]> => [
        question.record.id,
        await judge(this.#parts.clock, question),
      ]),
    );
    this.#verdicts = new Map(answers);
    this.#judging = false;
    this.#onJudged();
  }
}

interface Known {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly autoResume: AutoResume;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly free: Map<string, number>;
}

/** What one transaction takes over. It changes nothing but its batch and itself, so that the transaction can be repeated. */
class Taking {
  readonly questions: Question[] = [];
  readonly taken: SignatureRecord[] = [];
  readonly #batch: Batch;
  readonly #known: Known;
  readonly #newReport: () => ResumeReport;
  readonly #entries: ResumeEntry[] = [];
  #report: ResumeReport | null;

  /** `report` is the one to go on with, or null. */
  constructor(batch: Batch, known: Known, report: ResumeReport | null, newReport: () => ResumeReport) {
    this.#batch = batch;
    this.#known = known;
    this.#report = report;
    this.#newReport = newReport;
  }

  get report(): ResumeReport | null {
    return this.#report;
  }

  get free(): ReadonlyMap<string, number> {
    return this.#known.free;
  }

  /** Decides on a locked task whose worker was lost. False when somebody must be asked first. */
  async take(record: SignatureRecord): Promise<boolean> {
    // This very transaction may have ended it.
    if (record.status !== "RUNNING") return true;
    const how = await this.#how(record);
    if (how === null) return false;
    const now = this.#batch.tell(record, { type: "recover", epoch: record.epoch, how });
    this.taken.push(record);
    this.#entries.push(fateOfTask(record, now));
    return true;
  }

  /** Adds the report to the transaction, if there is anything to tell. */
  write(): void {
    if (this.#entries.length === 0) return;
    this.#report = withEntries(this.#report ?? this.#newReport(), this.#entries);
    this.#batch.extras.reports.push(this.#report);
  }

  async #how(record: SignatureRecord): Promise<Recovery | null> {
    const { autoResume, verdicts } = this.#known;
    // What was told to stop stops, and what has lost too many workers fails, whatever else is said of it.
    if (record.stop !== null) return { resume: true, dueAt: null };
    const off = reasonToPark(this.#batch, record, autoResume.rules);
    if (off !== null) return { resume: false, actor: ACTOR, reason: off };
    if (record.recoveries >= this.#spec(record).maxRecoveries) return { resume: true, dueAt: null };
    const verdict = verdicts.get(record.id);
    if (verdict?.epoch !== record.epoch) {
      const question = await this.#question(record);
      if (question === null) return { resume: true, dueAt: this.#turn(record) };
      this.questions.push(question);
      return null;
    }
    return verdict.reason === null
      ? { resume: true, dueAt: this.#turn(record) }
      : { resume: false, actor: ACTOR, reason: verdict.reason };
  }

  async #question(record: SignatureRecord): Promise<Question | null> {
    const { handlers, autoResume } = this.#known;
    const handler = handlers.get(record.name);
    const schema = handler?.input ?? null;
    const overall = isInCleanup(this.#batch, record) ? null : autoResume.validate;
    const validators = [overall, handler?.mayResume ?? null].filter((validator) => validator !== null);
    if (schema === null && validators.length === 0) return null;
    if (schema === null) return { record, input: null, validators };
    const [assignment] = await assign(this.#batch, [record]);
    return { record, input: { schema, assignment: assignment! }, validators };
  }

  /** The instant at which it is its turn, or null for at once. */
  #turn(record: SignatureRecord): number | null {
    const { stagger } = this.#known.autoResume;
    const own = this.#spec(record).autoResume;
    const turns: number[] = [];
    if (stagger !== null) turns.push(this.#next(ALL, stagger, record));
    if (own) turns.push(this.#next(record.name, { jitter: stagger?.jitter ?? "full", ...own }, record));
    return turns.length === 0 ? null : Math.max(...turns);
  }

  #next(name: string, pace: Pace, { id, epoch }: SignatureRecord): number {
    const { free } = this.#known;
    const turn = nextTurn(pace, free.get(name) ?? 0, this.#batch.now, spread(`${id} ${epoch}`));
    free.set(name, turn.free);
    return turn.at;
  }

  #spec(record: SignatureRecord): TaskSpec {
    return this.#batch.spec(record) as TaskSpec;
  }
}

import { nextTurn, type Pace } from "../core/pace.ts";
import type { TaskSpec } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { type Recovery, reasonToPark, type ResumeRules } from "../core/recovery.ts";
import {
  emptyReport,
  fateOfTask,
  type ResumeEntry,
  type ResumeReport,
  withEntries,
} from "../core/resume-report.ts";
import { spread } from "../core/spread.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store, WorkerRow } from "../ports/store.ts";
import { assign } from "./assignment.ts";
import type { AutoResume } from "./auto-resume.ts";
import type { Batch } from "./batch.ts";
import type { Committer } from "./committer.ts";
import { noteGoingOn } from "./going-on.ts";
import type { Handler } from "./handler.ts";
import { judge, type Question, questionOf, type Verdict } from "./resume-judge.ts";

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

/** Sessions that one transaction looks at, and tasks of each that it takes over. */
const SESSIONS = 20;
const WINDOW = 500;
/** A session whose tasks are left to others is looked at again after this time (ms), or when another task is registered here. */
const LEAVE_MS = 30_000;
/** The turns of all tasks together; no task has an empty name. */
const ALL = "";

/** What was left of a session: how many tasks, and until which instant of the store nobody looks at it here. */
interface Left {
  readonly tasks: number;
  readonly until: number;
}

/**
 * Takes over what lost workers held: lets each task go on, at once or when it is its turn, or parks it, and reports what has become
 * of it. The report of a transaction's work is part of the transaction.
 *
 * The rules are those that the lost worker has left in its row, for whoever finds it may be a command that looks at the store for a
 * moment and was given none. What only code can tell of a task (its version, its schema, `validate`) is asked where the task is
 * registered, outside of transactions: the task is left where it is until the answer is there, and taken over by the next round after
 * it. A process that does not know the task leaves it to those that do, for as long as it takes: it could not run it anyway.
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
  /** By session. */
  #left: ReadonlyMap<string, Left> = new Map();
  /** How many tasks were registered when that was left. */
  #known = 0;

  /** `onJudged` is called when answers are there for the next round. */
  constructor(parts: TakeOverParts, onJudged: () => void) {
    this.#parts = parts;
    this.#onJudged = onJudged;
  }

  /** Takes over what sessions held whose lease has lapsed. Returns whether there is more to be done at once. */
  async round(): Promise<boolean> {
    const { committer, handlers } = this.#parts;
    if (this.#known !== handlers.size) this.#left = new Map();
    this.#known = handlers.size;
    const { taking, left, more } = await committer.run({
      locks: [],
      apply: (batch) => this.#takeFromLost(batch),
    });
    this.#left = left;
    this.#keep(taking);
    this.#report = more || taking.questions.length > 0 ? taking.report : null;
    return more;
  }

  async #takeFromLost(batch: Batch): Promise<{ taking: Taking; left: Map<string, Left>; more: boolean }> {
    const taking = this.#begun(batch, this.#report);
    const lapsed = await batch.tx.lapsed(SESSIONS + this.#left.size);
    const resting = lapsed.filter(({ id }) => (this.#left.get(id)?.until ?? 0) > batch.now);
    const left = new Map(resting.map(({ id }) => [id, this.#left.get(id)!]));
    let more = false;
    for (const worker of lapsed.filter(({ id }) => !left.has(id)).slice(0, SESSIONS)) {
      const window = WINDOW + (this.#left.get(worker.id)?.tasks ?? 0);
      const { full, asked, others } = await takeFrom(batch, worker, window, taking);
      if (others > 0) left.set(worker.id, { tasks: others, until: full ? 0 : batch.now + LEAVE_MS });
      if (!full && asked + others === 0) batch.extras.workers.push({ ...worker, endedAt: batch.now });
      else more ||= full && asked === 0;
    }
    taking.write();
    return { taking, left, more };
  }

  /**
   * The same for tasks of which it is only known that nobody looks after them; those that it was done for, as they were. A bug or a hand
   * in the store brought them here, and no rules with them: those of this process count, and who does not know a task asks nothing.
   */
  async strays(ids: readonly string[]): Promise<SignatureRecord[]> {
    const { committer, autoResume } = this.#parts;
    const { taking, found } = await committer.run({
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
          if (batch.sound([record]).length === 0 || (await batch.tx.alive(workerId))) continue;
          if ((await strays.take(record, autoResume.rules, { unknown: true })) === "taken")
            taken.push(record);
        }
        strays.write();
        return { taking: strays, found: taken };
      },
    });
    this.#keep(taking);
    return found;
  }

  #begun(batch: Batch, report: ResumeReport | null): Taking {
    const { handlers, autoResume, newId, session } = this.#parts;
    const known = { handlers, autoResume, verdicts: this.#verdicts, free: new Map(this.#free) };
    return new Taking(batch, known, report, () =>
      emptyReport({ id: newId(), at: batch.now, by: session, reason: "lost worker" }),
    );
  }

  /** After the commit. */
  #keep({ free, questions }: Taking): void {
    for (const [name, at] of free) this.#free.set(name, Math.max(at, this.#free.get(name) ?? 0));
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

/** Takes over what a session holds: whether there may be more than the window, how many have to be asked about, and how many are left to others. */
async function takeFrom(
  batch: Batch,
  { id: session, autoResume }: WorkerRow,
  window: number,
  taking: Taking,
): Promise<{ full: boolean; asked: number; others: number }> {
  const held = await batch.tx.heldByWorker(session, window);
  const ids = held.map(({ id }) => id);
  await batch.lock(ids, { wait: true });
  let asked = 0;
  let others = 0;
  for (const id of ids) {
    const [sound] = batch.sound([batch.get(id)!]);
    const taken = sound === undefined ? "left" : await taking.take(sound, autoResume, { unknown: false });
    if (taken === "asked") asked++;
    if (taken === "left") others++;
  }
  return { full: held.length === window, asked, others };
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

  /**
   * Decides on a locked task whose worker was lost. `asked`: not before somebody has answered. `left`: its task is not registered here;
   * with `unknown` such a one is taken by the rules alone.
   */
  async take(
    record: SignatureRecord,
    rules: ResumeRules,
    { unknown }: { unknown: boolean },
  ): Promise<"taken" | "asked" | "left"> {
    // This very transaction may have ended it.
    if (record.status !== "RUNNING") return "taken";
    const how = await this.#how(record, rules, unknown);
    if (how === "asked" || how === "left") return how;
    const now = this.#batch.tell(record, { type: "recover", epoch: record.epoch, how });
    noteGoingOn(this.#batch, now);
    this.#entries.push(fateOfTask(record, now));
    return "taken";
  }

  /** Adds the report to the transaction, if there is anything to tell. */
  write(): void {
    if (this.#entries.length === 0) return;
    this.#report = withEntries(this.#report ?? this.#newReport(), this.#entries);
    this.#batch.extras.reports.push(this.#report);
  }

  async #how(
    record: SignatureRecord,
    rules: ResumeRules,
    unknown: boolean,
  ): Promise<Recovery | "asked" | "left"> {
    const { handlers, verdicts } = this.#known;
    // What was told to stop stops, and what has lost too many workers fails, whatever else is said of it.
    if (record.stop !== null) return { resume: true, dueAt: null };
    const off = reasonToPark(this.#batch, record, rules);
    if (off !== null) return { resume: false, reason: off };
    if (record.recoveries >= this.#spec(record).maxRecoveries) return { resume: true, dueAt: null };
    const goesOn = (): Recovery => ({ resume: true, dueAt: this.#turn(record, rules.stagger) });
    const handler = handlers.get(record.name);
    if (handler === undefined) return unknown ? goesOn() : "left";
    const verdict = verdicts.get(record.id);
    if (verdict?.epoch !== record.epoch) {
      const { validate } = this.#known.autoResume;
      const question = await questionOf(record, this.#spec(record), handler, validate, async () => {
        const [assignment] = await assign(this.#batch, [record]);
        return assignment!;
      });
      if (question === null) return goesOn();
      this.questions.push(question);
      return "asked";
    }
    return verdict.reason === null ? goesOn() : { resume: false, reason: verdict.reason };
  }

  /** The instant at which it is its turn, or null for at once. */
  #turn(record: SignatureRecord, stagger: Pace | null): number | null {
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

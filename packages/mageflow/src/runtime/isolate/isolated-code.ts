import { planFromJson } from "../../core/plan-from-json.ts";
import { NO_CALLBACKS } from "../../core/plan.ts";
import { decode } from "../../core/payload.ts";
import type { AttemptOutcome } from "../../core/signal.ts";
import type { Notes } from "../../ports/store.ts";
import type { Assignment } from "../assignment.ts";
import { type AttemptHost, type Elsewhere, failed } from "../attempt.ts";
import type { Run } from "../run.ts";
import { type CarriedError, carriedError } from "./carried-error.ts";
import type { Isolate } from "./isolate.ts";
import type { IsolatePool } from "./isolate-pool.ts";
import type { Isolation } from "./isolation.ts";
import type { Answer, Question, Report } from "./messages.ts";

/** So many isolates are started for an attempt whose code they do not come to. */
const MOST_STARTS = 3;

/** What an isolate takes (ms) at most to tell that nothing goes on in it. One that does not is ended. */
const QUIET_MS = 500;

/** The worker's side of an attempt whose code runs in an isolate: does what the code asks for, and ends it. */
export class IsolatedCode implements Elsewhere {
  readonly #pool: IsolatePool;
  readonly #isolation: Isolation;
  readonly #assignment: Assignment;
  readonly #host: AttemptHost;
  readonly #notes: Notes | null;
  /** Handles on what the code has started. */
  readonly #started = new Map<string, Run>();
  #isolate: Isolate | null = null;
  #aborted: CarriedError | null = null;
  #killed = false;

  constructor(
    pool: IsolatePool,
    isolation: Isolation,
    assignment: Assignment,
    host: AttemptHost,
    notes: Notes | null,
  ) {
    this.#pool = pool;
    this.#isolation = isolation;
    this.#assignment = assignment;
    this.#host = host;
    this.#notes = notes;
  }

  async run(onTidying: () => void): Promise<AttemptOutcome> {
    for (let starts = 1; ; starts++) {
      let isolate: Isolate;
      try {
        isolate = this.#pool.take(this.#isolation);
      } catch (error) {
        return failed(error);
      }
      this.#isolate = isolate;
      const { begun, outcome } = await this.#runIn(isolate, onTidying);
      this.#isolate = null;
      // A process that does not heed them yet is ended by signals that are meant for its worker.
      if (begun || this.#killed || starts === MOST_STARTS) return outcome;
    }
  }

  async #runIn(
    isolate: Isolate,
    onTidying: () => void,
  ): Promise<{ begun: boolean; outcome: AttemptOutcome }> {
    let begun = false;
    const reported = Promise.withResolvers<Extract<Report, { type: "over" }> | null>();
    const quiet = Promise.withResolvers<boolean>();
    isolate.hear = (report) => {
      if (report === null) {
        reported.resolve(null);
        quiet.resolve(false);
        return;
      }
      switch (report.type) {
        case "begun":
          begun = true;
          break;
        case "tidies":
          onTidying();
          break;
        case "over":
          reported.resolve(report);
          break;
        case "quiet":
          quiet.resolve(report.quiet);
          break;
        case "log":
          this.#host.log(report.level, report.message, report.fields);
          break;
        case "ask":
          void this.#answer(isolate, report.number, report.question);
          break;
        default:
          report satisfies never;
      }
    };
    isolate.post({
      type: "begin",
      work: {
        module: this.#isolation.module,
        assignment: withoutLimits(this.#assignment),
        notes: this.#notes,
        grace: this.#host.grace,
      },
    });
    if (this.#aborted !== null) isolate.post({ type: "abort", reason: this.#aborted });
    const report = await reported.promise;
    if (report === null) return { begun, outcome: { ...failed(await isolate.ended), abandoned: begun } };
    const quietly = !report.spent && (await this.#soon(quiet.promise));
    if (quietly && !this.#killed) {
      this.#pool.give(this.#isolation, isolate);
    } else {
      isolate.kill();
      await isolate.ended;
    }
    return { begun, outcome: report.outcome };
  }

  abort(reason: unknown): void {
    this.#aborted = carriedError(reason);
    this.#isolate?.post({ type: "abort", reason: this.#aborted });
  }

  kill(): void {
    this.#killed = true;
    this.#isolate?.kill();
  }

  /** Code that goes on may keep the isolate from saying anything. */
  async #soon(quiet: Promise<boolean>): Promise<boolean> {
    const heard = new AbortController();
    const late = this.#pool.clock.sleep(QUIET_MS, heard.signal).then(() => false);
    const answer = await Promise.race([quiet, late]);
    heard.abort("heard");
    return answer;
  }

  async #answer(isolate: Isolate, to: number, question: Question): Promise<void> {
    const post = (answer: Answer): void => isolate.post({ type: "answer", to, answer });
    try {
      post({ ok: true, value: await this.#do(question) });
    } catch (error) {
      post({ ok: false, error: carriedError(error) });
    }
  }

  #do(question: Question): Promise<unknown> {
    switch (question.what) {
      case "step":
        return this.#host.saveStep(question.name, question.result);
      case "checkpoint":
        return this.#host.saveCheckpoint(question.body);
      case "progress":
        return this.#host.saveProgress(question.fraction, question.note);
      case "twin":
        return this.#host.saveTwin(question.mark, question.twin);
      case "launch":
        return this.#launch(question);
      case "call": {
        const run = this.#started.get(question.id)! as unknown as Record<
          string,
          (...given: readonly unknown[]) => Promise<unknown>
        >;
        return run[question.method]!(...question.given);
      }
      default:
        return question satisfies never;
    }
  }

  async #launch({ plan, message, key }: Extract<Question, { what: "launch" }>): Promise<string> {
    const given = message === null ? undefined : decode(message);
    const run = await this.#host.launch(planFromJson(plan), given, key === null ? {} : { key });
    this.#started.set(run.id, run);
    return run.id;
  }
}

/** The worker watches the time, and code is found by its name: neither is needed where it runs. */
function withoutLimits(assignment: Assignment): Assignment {
  const { record, spec } = assignment;
  return {
    ...assignment,
    record: { ...record, deadlineAt: null },
    spec: { ...spec, timeout: null, totalTimeout: null, callbacks: NO_CALLBACKS },
  };
}

import { LeaseLostError } from "../../core/errors.ts";
import type { AnyPlan, OutputOf } from "../../core/flow.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogLevel } from "../../ports/store.ts";
import type { AttemptHost } from "../attempt.ts";
import { readRun, type RunOptions } from "../launch.ts";
import type { Run } from "../run.ts";
import type { Twin } from "../twin.ts";
import { distantRun } from "./distant-run.ts";
import type { Question, Report, Work } from "./messages.ts";

/** What the worker is to an attempt in an isolate: everything but the time is asked of it. */
export class DistantHost implements AttemptHost {
  readonly clock: Clock;
  readonly grace: number;
  readonly #post: (report: Report) => void;
  readonly #ask: (question: Question) => Promise<unknown>;
  readonly #lost: () => LeaseLostError;
  #over = false;

  constructor(
    { grace, assignment: { record } }: Work,
    clock: Clock,
    post: (report: Report) => void,
    ask: (question: Question) => Promise<unknown>,
  ) {
    this.clock = clock;
    this.grace = grace;
    this.#post = post;
    this.#ask = ask;
    this.#lost = () => new LeaseLostError(record.id, record.epoch);
  }

  /** From now on nothing of the attempt has an effect: the isolate may belong to another one. */
  giveUp(): void {
    this.#over = true;
  }

  /** The worker watches the time; nothing here has a limit. */
  storeTime(): number {
    return Number.NaN;
  }

  log(level: LogLevel, message: string, fields: string | null): void {
    if (!this.#over) this.#post({ type: "log", level, message, fields });
  }

  async saveStep(name: string, result: string): Promise<void> {
    await this.#owned({ what: "step", name, result });
  }

  async saveCheckpoint(body: string): Promise<void> {
    await this.#owned({ what: "checkpoint", body });
  }

  async saveProgress(fraction: number, note: string | null): Promise<void> {
    await this.#owned({ what: "progress", fraction, note });
  }

  async saveTwin(mark: string, twin: Twin): Promise<void> {
    await this.#owned({ what: "twin", mark, twin });
  }

  async launch<P extends AnyPlan>(plan: P, message: unknown, options: RunOptions): Promise<Run<OutputOf<P>>> {
    const { given, text, key } = readRun(plan, message, options);
    const id = await this.#owned({ what: "launch", plan: JSON.stringify(given), message: text, key });
    return distantRun(id as string, (method, list) =>
      this.#owned({ what: "call", id: id as string, method, given: list }),
    ) as Run<OutputOf<P>>;
  }

  async #owned(question: Question): Promise<unknown> {
    if (this.#over) throw this.#lost();
    return this.#ask(question);
  }
}

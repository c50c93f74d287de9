import { MageFlowError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { Attempt, failed } from "../attempt.ts";
import type { Handler } from "../handler.ts";
import { heedStrays } from "../stray.ts";
import { revivedError } from "./carried-error.ts";
import { DistantHost } from "./distant-host.ts";
import type { Answer, Order, Question, Report, Work } from "./messages.ts";
import { type Activity, activity, isMore } from "./activity.ts";
import { becomeIsolate, findRegistered } from "./registered.ts";
import { unwrapped, type Wrapped } from "./wrapped.ts";

/** What was closed at the end of an attempt may take so long (ms) to be gone. */
const CLOSING_MS = 20;

/** The line to the worker. */
export interface Line {
  /** Ends everything here at once when the worker is gone. */
  requireWorker(): void;
  post(report: Wrapped<Report>): void;
  listen(hear: (heard: unknown) => void): void;
}

/** Runs attempts as the worker orders, in the way in which it runs those that are inline. */
export function serveIsolate(line: Line, clock: Clock): void {
  becomeIsolate();
  heedStrays();
  const isolate = new Served(line, clock);
  line.listen((heard) => {
    const order = unwrapped<Order>(heard);
    if (order !== null) isolate.hear(order);
  });
}

class Served {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #questions = 0;
  #attempt: Attempt | null = null;
  /** Why the attempt must stop that is being prepared. */
  #aborted: Error | null = null;

  constructor(line: Line, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
  }

  hear(order: Order): void {
    switch (order.type) {
      case "begin":
        void this.#serve(order.work);
        break;
      case "abort":
        this.#aborted = revivedError(order.reason);
        this.#attempt?.abort(this.#aborted);
        break;
      case "answer":
        this.#answered(order.to, order.answer);
        break;
      default:
        order satisfies never;
    }
  }

  async #serve(work: Work): Promise<void> {
    this.#aborted = null;
    let handler: Handler;
    this.#line.requireWorker();
    this.#post({ type: "begun" });
    try {
      await import(work.module);
      handler = findRegistered(work.module, work.assignment.record.name);
    } catch (error) {
      // What is wrong with the program stays wrong; the module system remembers it as well.
      const terminal = error instanceof MageFlowError;
      this.#post({ type: "over", outcome: { ...failed(error), terminal }, spent: true });
      return;
    }
    // Loading the module may have taken long.
    this.#line.requireWorker();
    const post = (report: Report): void => this.#post(report);
    const host = new DistantHost(work, this.#clock, post, (question) => this.#ask(question));
    const before = activity();
    const attempt = new Attempt(work.assignment, handler, host, work.notes, null);
    this.#attempt = attempt;
    if (this.#aborted !== null) attempt.abort(this.#aborted);
    attempt.start(
      () => {},
      () => this.#post({ type: "tidies" }),
    );
    const outcome = await attempt.outcome;
    host.giveUp();
    this.#attempt = null;
    this.#post({ type: "over", outcome, spent: attempt.abandoned });
    this.#post({ type: "quiet", quiet: await this.#isQuiet(before) });
  }

  /** True when nothing of the attempt goes on, which what it has just closed may do for a moment. */
  async #isQuiet(before: Activity): Promise<boolean> {
    const end = this.#clock.monotonic() + CLOSING_MS;
    let quiet: boolean;
    do {
      await this.#clock.turn();
      quiet = this.#asked.size === 0 && !isMore(activity(), before);
    } while (!quiet && this.#clock.monotonic() < end);
    return quiet;
  }

  #post(report: Report): void {
    this.#line.post({ mageflow: report });
  }

  #ask(question: Question): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const number = this.#questions++;
      this.#post({ type: "ask", number, question });
      this.#asked.set(number, { resolve, reject });
    });
  }

  #answered(number: number, answer: Answer): void {
    const asked = this.#asked.get(number)!;
    this.#asked.delete(number);
    if (answer.ok) asked.resolve(answer.value);
    else asked.reject(revivedError(answer.error));
  }
}

import { composeInput, requireFit } from "../core/compose.ts";
import {
  describeThrown,
  PayloadError,
  TerminalError,
  TimeoutError,
  ValidationError,
} from "../core/errors.ts";
import { encode } from "../core/payload.ts";
import type { AttemptOutcome } from "../core/signal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Notes } from "../ports/store.ts";
import type { Assignment } from "./assignment.ts";
import { type ContextHost, TaskContext } from "./context.ts";
import type { Handler } from "./handler.ts";
import { attributed, type Culprit } from "./stray.ts";
import { sleepUntil } from "./sleep-until.ts";
import { validate } from "../core/validate.ts";
import { warn } from "./warning.ts";

/** What an attempt needs of its worker. */
export interface AttemptHost extends ContextHost {
  readonly clock: Clock;
  /** How long code that was told to stop may take, in ms. */
  readonly grace: number;
  /** The store's time, estimated. */
  storeTime(): number;
}

/** Runs the code of one attempt in another thread or process. */
export interface Elsewhere {
  /** Resolves when nothing of the code goes on any more. Never rejects. Calls back when the code begins what it has deferred. */
  run(onTidying: () => void): Promise<AttemptOutcome>;
  /** Tells the code to stop. */
  abort(reason: unknown): void;
  /** Ends the code, whatever it does. */
  kill(): void;
}

/** Ending a thread or process takes milliseconds. What goes on after this (ms) cannot be ended. */
export const KILL_MS = 2_000;

/** Code that runs elsewhere and is handed to another worker gets so long (ms) to hear of it, and to come to what it has deferred. */
const HEED_MS = 100;

/**
 * One run of a task's code. {@link outcome} is settled when the attempt is decided: the code ended, or it was cut short
 * (by a time-out or a stray error) and has had its grace. Code that ignores its signal may go on after that, without any
 * effect here; what runs elsewhere is ended then.
 */
export class Attempt implements Culprit {
  readonly assignment: Assignment;
  readonly outcome: Promise<AttemptOutcome>;
  readonly #handler: Handler;
  readonly #host: AttemptHost;
  readonly #context: TaskContext;
  readonly #elsewhere: Elsewhere | null;
  #decide!: (outcome: AttemptOutcome) => void;
  /** Why it was cut short; `fails` even when the code gets to its end all the same. */
  #cut: { reason: unknown; fails: boolean } | null = null;
  #abandoned = false;
  #deferring = false;
  #over = false;
  /** Monotonic end of its time. */
  #timeEnd = Number.POSITIVE_INFINITY;
  /** Monotonic end of the grace, and what wakes those up who wait for it when it comes sooner. */
  #graceEnd = Number.POSITIVE_INFINITY;
  #sooner = new AbortController();
  /** Abort when the code has ended, and when it begins what it has deferred; made when something waits for that. */
  #end: AbortController | null = null;
  #tidying: AbortController | null = null;
  #onTidying: (() => void) | null = null;

  constructor(
    assignment: Assignment,
    handler: Handler,
    host: AttemptHost,
    notes: Notes | null,
    elsewhere: Elsewhere | null,
  ) {
    this.assignment = assignment;
    this.#handler = handler;
    this.#host = host;
    this.#context = new TaskContext(assignment, host, notes);
    this.#elsewhere = elsewhere;
    this.outcome = new Promise((resolve) => {
      this.#decide = resolve;
    });
  }

  get name(): string {
    return this.#handler.name;
  }

  /**
   * Runs the code. `onOver` is called when it has really ended, before the outcome is decided, and `onTidying` when it begins what it has
   * deferred, if it has.
   */
  start(onOver: () => void, onTidying: (() => void) | null = null): void {
    this.#onTidying = onTidying;
    if (limit(this.assignment) !== null) void this.#watchTime();
    if (this.#elsewhere === null) void attributed(this, () => this.#run(onOver));
    else void this.#runElsewhere(this.#elsewhere, onOver);
  }

  /** Tells the code to stop. The outcome is not decided by this. */
  abort(reason: unknown): void {
    // What its listeners throw is the task's own doing.
    attributed(this, () => this.#context.abortWith(reason));
    this.#elsewhere?.abort(reason);
  }

  /** Ends code that runs elsewhere; resolves when it is gone, or cannot be ended. Code in this thread goes on. */
  async kill(): Promise<void> {
    if (this.#elsewhere === null || this.#over) return;
    const { clock } = this.#host;
    this.#elsewhere.kill();
    await sleepUntil(clock, clock.monotonic() + KILL_MS, this.#untilOver());
  }

  /** Ends code that runs elsewhere, unless it comes to what it has deferred within a moment. */
  async letGo(): Promise<void> {
    if (this.#elsewhere === null || this.#over || this.#deferring) return;
    const { clock } = this.#host;
    this.#tidying = new AbortController();
    const heeded = AbortSignal.any([this.#untilOver(), this.#tidying.signal]);
    if (await sleepUntil(clock, clock.monotonic() + HEED_MS, heeded)) await this.kill();
  }

  /** True when its code can be ended. */
  get isElsewhere(): boolean {
    return this.#elsewhere !== null;
  }

  /** Resolves when what it has deferred is done, or has had its time; at once while its code has not ended. */
  async tidied(): Promise<void> {
    if (!this.#deferring) return;
    const { clock, grace } = this.#host;
    if (this.#elsewhere === null) await this.outcome;
    else if (!this.#over) await sleepUntil(clock, clock.monotonic() + grace, this.#untilOver());
  }

  /**
   * Cuts it short for somebody who wants it stopped: what ends well within the grace (ms) has ended well. Again, it brings the end of
   * the grace forward, and never puts it off.
   */
  stop(reason: unknown, grace: number): void {
    if (this.#cut === null) this.#cutShort(reason, grace, false);
    else this.#endGrace(grace);
  }

  /** True while its code goes on although its grace is over. */
  get abandoned(): boolean {
    return this.#abandoned && !this.#over;
  }

  /** An error that escaped the task's promise fails it, or is told of when the task has ended. */
  fail(error: unknown): void {
    if (this.#over) {
      const { name, message } = describeThrown(error);
      warn(new Error(`"${this.name}" threw after it had ended: ${name}: ${message}`, { cause: error }));
    } else this.#cutShort(error);
  }

  #cutShort(reason: unknown, grace = this.#host.grace, fails = true): void {
    if (this.#cut !== null) return;
    this.#cut = { reason, fails };
    this.abort(reason);
    this.#endGrace(grace);
    void this.#giveGrace();
  }

  /** The grace is over in so many ms, unless it is sooner. */
  #endGrace(grace: number): void {
    const end = this.#host.clock.monotonic() + grace;
    if (end >= this.#graceEnd) return;
    this.#graceEnd = end;
    this.#sooner.abort("sooner");
  }

  async #giveGrace(): Promise<void> {
    const { clock } = this.#host;
    while (!this.#over && clock.monotonic() < this.#graceEnd) {
      this.#sooner = new AbortController();
      await sleepUntil(clock, this.#graceEnd, AbortSignal.any([this.#untilOver(), this.#sooner.signal]));
    }
    if (this.#over) return;
    if (this.#elsewhere !== null) {
      await this.kill();
      if (this.#over) return;
    }
    this.#abandoned = true;
    this.#decide({ ...failed(this.#cut!.reason), abandoned: true });
  }

  #untilOver(): AbortSignal {
    this.#end ??= new AbortController();
    return this.#end.signal;
  }

  /** Never rejects. */
  async #run(onOver: () => void): Promise<void> {
    let outcome: AttemptOutcome;
    try {
      const { name, input: schema, output, run } = this.#handler;
      requireFit(this.assignment, `the input of "${name}"`);
      let input: unknown = composeInput(this.assignment);
      if (schema !== null) {
        const valid = validate(schema, input, `the input of "${name}"`);
        input = (valid instanceof Promise ? await valid : valid).value;
      }
      const returned = run(input as never, this.#context);
      let result: unknown = isThenable(returned) ? await returned : returned;
      if (output !== null) {
        const valid = validate(output, result ?? null, `the result of "${name}"`);
        result = (valid instanceof Promise ? await valid : valid).value;
      }
      outcome = { ok: true, result: encode(result, "result") };
    } catch (error) {
      outcome = failed(error);
    }
    // Code that has blocked the event loop comes to its end before the watch does.
    if (this.#host.clock.monotonic() > this.#timeEnd) this.#timeOut();
    if (this.#context.hasDeferred) await this.#runDeferred(outcome);
    else this.#context.end();
    this.#conclude(outcome, onOver);
  }

  async #runElsewhere(elsewhere: Elsewhere, onOver: () => void): Promise<void> {
    this.#conclude(await elsewhere.run(() => this.#tidy()), onOver);
  }

  #tidy(): void {
    this.#deferring = true;
    this.#onTidying?.();
    this.#tidying?.abort("tidying");
  }

  #conclude(outcome: AttemptOutcome, onOver: () => void): void {
    this.#over = true;
    this.#end?.abort("over");
    onOver();
    this.#decide(this.#final(outcome));
  }

  /** What is deferred has a grace of its own; after it the outcome is decided, and the place stays taken until it has ended. */
  async #runDeferred(outcome: AttemptOutcome): Promise<void> {
    const { clock, grace } = this.#host;
    this.#tidy();
    const ended = new AbortController();
    const done = this.#context.runDeferred().then(() => ended.abort("over"));
    if (await sleepUntil(clock, clock.monotonic() + grace, ended.signal)) {
      this.#host.log("error", `deferred functions did not end within ${grace} ms`, null);
      this.#abandoned = true;
      this.#decide(this.#final(outcome));
    }
    await done;
  }

  #final(outcome: AttemptOutcome): AttemptOutcome {
    const cut = this.#cut;
    if (cut === null || (outcome.ok && !cut.fails)) return outcome;
    return { ...failed(cut.reason), abandoned: !outcome.ok && outcome.abandoned === true };
  }

  async #watchTime(): Promise<void> {
    const { clock } = this.#host;
    this.#timeEnd = clock.monotonic() + limit(this.assignment, this.#host.storeTime())!;
    if (await sleepUntil(clock, this.#timeEnd, this.#untilOver())) this.#timeOut();
  }

  #timeOut(): void {
    const { record, spec } = this.assignment;
    const total = record.deadlineAt !== null && this.#host.storeTime() >= record.deadlineAt;
    const what = total ? `its totalTimeout of ${spec.totalTimeout} ms` : `its timeout of ${spec.timeout} ms`;
    this.#cutShort(new TimeoutError(`"${record.name}" did not end within ${what}`));
  }
}

/** Milliseconds that the attempt may take, or null. Without a time, tells only whether there is a limit. */
function limit({ record, spec }: Assignment, now = 0): number | null {
  if (spec.timeout === null && record.deadlineAt === null) return null;
  const total = record.deadlineAt === null ? Number.POSITIVE_INFINITY : Math.max(0, record.deadlineAt - now);
  return Math.min(spec.timeout ?? Number.POSITIVE_INFINITY, total);
}

/** Failures that another attempt cannot mend end the retries. */
export function failed(error: unknown): Extract<AttemptOutcome, { ok: false }> {
  return { ok: false, cause: describeThrown(error), terminal: isTerminal(error) };
}

/** Asking for the class of what was thrown runs its code, when it is a Proxy. */
function isTerminal(error: unknown): boolean {
  try {
    return (
      error instanceof TerminalError || error instanceof ValidationError || error instanceof PayloadError
    );
  } catch {
    return false;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

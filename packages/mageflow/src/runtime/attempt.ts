import { composeInput } from "../core/compose.ts";
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
import { validate, validateNow } from "../core/validate.ts";

/** What an attempt needs of its worker. */
export interface AttemptHost extends ContextHost {
  readonly clock: Clock;
  /** How long code that was told to stop may take, in ms. */
  readonly grace: number;
  /** The store's time, estimated. */
  storeTime(): number;
}

/**
 * One run of a task's code. {@link outcome} is settled when the attempt is decided: the code ended, or it was cut short
 * (by a time-out or a stray error) and has had its grace. Code that ignores its signal may go on after that, without any
 * effect here; {@link over} tells when it has really stopped.
 */
export class Attempt implements Culprit {
  readonly assignment: Assignment;
  readonly outcome: Promise<AttemptOutcome>;
  readonly over: Promise<void>;
  readonly #handler: Handler;
  readonly #host: AttemptHost;
  readonly #context: TaskContext;
  #cut: { reason: unknown } | null = null;
  #onCut: (() => void) | null = null;

  constructor(assignment: Assignment, handler: Handler, host: AttemptHost, notes: Notes | null) {
    this.assignment = assignment;
    this.#handler = handler;
    this.#host = host;
    this.#context = new TaskContext(assignment, host, notes);
    const done = attributed(this, () => this.#run());
    this.over = done.then(() => {});
    this.outcome = limit(assignment) === null ? this.#untilCut(done) : this.#untilTimeout(done);
  }

  get name(): string {
    return this.#handler.name;
  }

  /** Tells the code to stop. The outcome is not decided by this. */
  abort(reason: unknown): void {
    this.#context.abortWith(reason);
  }

  /** An error that escaped the task's promise fails it. */
  fail(error: unknown): void {
    this.#cutShort(error);
  }

  #cutShort(reason: unknown): void {
    if (this.#cut !== null) return;
    this.#cut = { reason };
    this.#context.abortWith(reason);
    this.#onCut?.();
  }

  /** Never rejects. */
  async #run(): Promise<AttemptOutcome> {
    let outcome: AttemptOutcome;
    try {
      outcome = { ok: true, result: await this.#call() };
    } catch (error) {
      outcome = failed(error);
    }
    if (this.#context.hasDeferred) await this.#context.runDeferred();
    return this.#cut === null ? outcome : failed(this.#cut.reason);
  }

  async #call(): Promise<string> {
    const { incoming, bound } = this.assignment;
    const { input: schema, output, name, run } = this.#handler;
    let input: unknown = composeInput({ incoming, bound });
    if (schema !== null) {
      const what = `the input of "${name}"`;
      const now = validateNow(schema, input, what);
      input = now === null ? await validate(schema, input, what) : now.value;
    }
    const returned = run(input as never, this.#context);
    let result: unknown = isThenable(returned) ? await returned : returned;
    if (output !== null) result = await validate(output, result ?? null, `the result of "${name}"`);
    return encode(result, "result");
  }

  /** The outcome of the code, or of what cut it short when its grace is over before the code is. */
  #untilCut(done: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      void done.then(resolve);
      this.#onCut = () => {
        const settled = new AbortController();
        void done.then(() => settled.abort());
        void this.#host.clock
          .sleep(this.#host.grace, settled.signal)
          .then(() => resolve(failed(this.#cut!.reason)));
      };
      if (this.#cut !== null) this.#onCut();
    });
  }

  #untilTimeout(done: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
    const settled = new AbortController();
    void done.then(() => settled.abort());
    void this.#watchTime(settled.signal);
    return this.#untilCut(done);
  }

  async #watchTime(settled: AbortSignal): Promise<void> {
    const { record, spec } = this.assignment;
    const { clock } = this.#host;
    const end = clock.monotonic() + limit(this.assignment, this.#host.storeTime())!;
    while (!settled.aborted && clock.monotonic() < end) await clock.sleep(end - clock.monotonic(), settled);
    if (settled.aborted) return;
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
export function failed(error: unknown): AttemptOutcome {
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

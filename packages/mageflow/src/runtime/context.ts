import { createHash } from "node:crypto";
import { describeThrown, MageFlowError } from "../core/errors.ts";
import type { StoredError } from "../core/errors.ts";
import type { Role } from "../core/ids.ts";
import type { AnyPlan, Flow, Incoming, OutputOf } from "../core/flow.ts";
import { invalidArgument } from "../core/invalid-argument.ts";
import { A_LABEL, isLabel } from "../core/label.ts";
import { decode, encode, type Json } from "../core/payload.ts";
import type { Kind } from "../core/plan.ts";
import { requirePlan } from "../core/plans.ts";
import type { LogLevel, Notes } from "../ports/store.ts";
import type { Assignment } from "./assignment.ts";
import type { RunArguments, RunOptions } from "./launch.ts";
import { logFields, logMessage } from "./log-line.ts";
import { Resources } from "./resources.ts";
import type { Run } from "./run.ts";
import type { Twin } from "./twin.ts";

/** Writes structured lines that are stored with the task, in batches. What is no plain data in `fields` is described. */
export interface TaskLog {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** How what a callback follows came to its end. */
export type CauseOutcome = "success" | "error" | "interrupt" | "cancel";

/** What a callback follows. */
export interface Cause {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  readonly generation: number;
  /** How it came to its end; a cleanup also follows what was interrupted or cancelled. */
  readonly outcome: CauseOutcome;
  readonly input: Json;
  readonly result?: Json;
  readonly error?: StoredError;
  /** Of an item's callback: which item. */
  readonly item?: { readonly index: number; readonly key?: string };
}

/** What a task may know about itself. */
export interface SignatureInfo {
  readonly id: string;
  readonly name: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly role: Role;
  readonly slot: number;
  readonly key: string | null;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly metadata: { readonly [key: string]: Json };
}

/** What the context asks of the worker around it. */
export interface ContextHost {
  log(level: LogLevel, message: string, fields: string | null): void;
  /** Durable when it resolves; rejects with `LeaseLostError` once the task belongs to another worker. */
  saveStep(name: string, result: string): Promise<void>;
  saveCheckpoint(body: string): Promise<void>;
  saveProgress(fraction: number, note: string | null): Promise<void>;
  /** Stores a twin and, as a step of this name, the generation that has it. */
  saveTwin(mark: string, twin: Twin): Promise<void>;
  /** Stores and starts a plan while the task holds its lease. */
  launch<P extends AnyPlan>(plan: P, message: unknown, options: RunOptions): Promise<Run<OutputOf<P>>>;
}

/** Between the name of a step and the number of its use. */
const NTH = "\u001f";

/** Characters of a progress note. */
const LONGEST_NOTE = 1_024;

/** What releases a resource: a function, or a plan that its descriptor satisfies. */
type Release<D> = ((descriptor: D) => unknown) | Flow<Incoming<D>, unknown, unknown>;

/** The second argument of every task function. What it can do may be taken out of it: `(input, { step, progress }) => …`. */
export class TaskContext {
  readonly #assignment: Assignment;
  readonly #host: ContextHost;
  readonly #notes: Notes | null;
  readonly #stepNames = new Map<string, number>();
  readonly #deferred: (() => unknown)[] = [];
  #resources: Resources | null = null;
  #abort: AbortController | null = null;
  #aborted: unknown = null;
  #log: TaskLog | null = null;
  #cause: Cause | null | undefined;
  #launched = 0;
  #ended = false;

  /** @internal */
  constructor(assignment: Assignment, host: ContextHost, notes: Notes | null) {
    this.#assignment = assignment;
    this.#host = host;
    this.#notes = notes;
  }

  get id(): string {
    return this.#assignment.record.id;
  }

  /** From 1. A retry adds one; a lost worker does not. */
  get attempt(): number {
    return this.#assignment.record.attempt;
  }

  get generation(): number {
    return this.#assignment.record.generation;
  }

  /** Grows with every claim by a worker. */
  get epoch(): number {
    return this.#assignment.record.epoch;
  }

  /** The same over all attempts and recoveries of a generation: pass it to services that deduplicate. */
  get idempotencyKey(): string {
    const { id, generation } = this.#assignment.record;
    return `${id}@${generation}`;
  }

  get signature(): SignatureInfo {
    const { record, tags, metadata } = this.#assignment;
    const { id, name, rootId, parentId, role, slot, key, priority } = record;
    return { id, name, rootId, parentId, role, slot, key, priority, tags, metadata };
  }

  /**
   * Aborts when the task must stop. Its reason is an `InterruptedError`, `CancelledError`, `TimeoutError`, `ShutdownError`,
   * `LeaseLostError` or, when another run of the task has begun, a `SupersededError`. Pass it on to whatever can be aborted.
   */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#aborted !== null) this.#abort.abort(this.#aborted);
    }
    return this.#abort.signal;
  }

  get log(): TaskLog {
    const write =
      (level: LogLevel) =>
      (message: string, fields?: object): void => {
        this.#host.log(level, logMessage(message), logFields(fields));
      };
    this.#log ??= { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
    return this.#log;
  }

  /** In a callback and everything inside it: what it follows. Else null. */
  get cause(): Cause | null {
    if (this.#cause === undefined) this.#cause = readCause(this.#assignment);
    return this.#cause;
  }

  /** What the last run of this generation saved by {@link checkpoint}, or null. */
  get checkpointed(): Json {
    const body = this.#notes?.checkpoint ?? null;
    return body === null ? null : decode(body);
  }

  /**
   * Stores how far the task is: `fraction` from 0 to 1, and a note for people, of which 1,024 characters are kept.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`)
   */
  get progress(): (fraction: number, note?: string) => Promise<void> {
    return (fraction, note) => this.#progress(fraction, note);
  }

  async #progress(fraction: number, note: string | undefined): Promise<void> {
    if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) {
      throw invalidArgument("progress", fraction, "a fraction from 0 to 1");
    }
    if (note !== undefined && typeof note !== "string") {
      throw invalidArgument("the note of progress", note, "a text, or leave it out");
    }
    await this.#host.saveProgress(fraction, note === undefined ? null : shortened(note));
  }

  /** Saves a state for the next run of this generation, should this one not end. Durable when it resolves. */
  get checkpoint(): (state: unknown) => Promise<void> {
    return (state) => this.#checkpoint(state);
  }

  async #checkpoint(state: unknown): Promise<void> {
    await this.#host.saveCheckpoint(encode(state, "checkpoint"));
  }

  /**
   * Runs `work` once per generation: its result is stored, and later attempts get the stored result without running it.
   * A name that is used again in one attempt is another step, by the order of the calls.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a name that is not a text of 1 to 256 characters without control characters, and for `work`
   *   that is no function.
   * @throws PayloadError (`PAYLOAD`) for a result that JSON cannot carry, LeaseLostError (`LEASE_LOST`), and what `work` throws.
   */
  get step(): <T>(name: string, work: () => T | Promise<T>) => Promise<T> {
    return (name, work) => this.#step(name, work);
  }

  async #step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    if (!isLabel(name)) throw invalidArgument("the name of a step", name, A_LABEL);
    if (typeof work !== "function") {
      throw invalidArgument(`what step ${JSON.stringify(name)} runs`, work, "a function");
    }
    const uses = (this.#stepNames.get(name) ?? 0) + 1;
    this.#stepNames.set(name, uses);
    const key = uses === 1 ? name : `${name}${NTH}${uses}`;
    const stored = this.#notes?.steps.get(key);
    if (stored !== undefined) return decode(stored) as T;
    const result = encode(await work(), `step ${JSON.stringify(name)}`);
    await this.#host.saveStep(key, result);
    // The same as later attempts get, so that a task cannot come to depend on what is not stored.
    return decode(result) as T;
  }

  /**
   * Stores and starts another workflow. Over all attempts of this generation the same call, counted by order, starts it once: give a
   * `key` where the order may differ.
   *
   * @throws LeaseLostError (`LEASE_LOST`) once the task belongs to another worker, CancelledError (`CANCELLED`) once its workflow is cancelled,
   *   unless this is a cleanup, and what `mage.run` throws.
   */
  get run(): <P extends AnyPlan>(plan: P, ...given: RunArguments<P>) => Promise<Run<OutputOf<P>>> {
    return (plan, ...[message, options]) => this.#run(plan, message, options);
  }

  async #run<P extends AnyPlan>(
    plan: P,
    message: unknown,
    options: RunOptions | undefined,
  ): Promise<Run<OutputOf<P>>> {
    const key = options?.key ?? fitting(`${this.idempotencyKey}/run${this.#launched++}`);
    return this.#host.launch(plan, message, { ...options, key });
  }

  /**
   * Registers something that is to be released, and stores its descriptor first, so that it is not lost with the worker.
   *
   * - A function releases it when the attempt is over, as {@link defer} does. When the worker dies, the next attempt does so, in whatever
   *   process, before it takes its own of the same name. It may therefore be called twice with one descriptor.
   * - A plan is its durable twin: a cleanup of this task, stored when this resolves, with the descriptor as its input. It runs when this
   *   generation is over, after all attempts, as `onCleanup` does: whatever the end, on any worker, also when there is no next attempt.
   *   Registered again in this generation under the same name with the same descriptor, by whichever attempt, it is the same one. What goes on
   *   after an interrupt takes its resources anew.
   *
   * A name may be used again: each descriptor that was registered under it is released.
   *
   * @example
   * ```ts
   * import { mkdtemp, rm } from "node:fs/promises";
   * import { MageFlow } from "mageflow";
   *
   * await using mage = new MageFlow();
   * const remove = mage.task("remove", async ({ path }: { path: string }) => {
   *   await rm(path, { recursive: true, force: true });
   *   console.log("removed"); // → removed
   * });
   * const unpack = mage.task("unpack", async (_input: unknown, ctx) => {
   *   const path = await mkdtemp("/tmp/unpack-");
   *   await ctx.resource("folder", { path }, remove);
   *   return path;
   * });
   * await using worker = await mage.worker();
   * await (await mage.run(unpack)).settled();
   * ```
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for a name that is not a text of 1 to 256 characters without control characters.
   * @throws InvalidPlanError (`INVALID_PLAN`) for what is neither function nor plan, for a plan beyond 1 MiB, and for more than 1,000 twins of one
   *   generation; ValidationError (`VALIDATION`) for a descriptor that does not fit the plan's schema.
   * @throws PayloadError (`PAYLOAD`) for a descriptor that JSON cannot carry, LeaseLostError (`LEASE_LOST`), and what `release` throws when
   *   it is called for an earlier attempt.
   */
  get resource(): <D>(name: string, descriptor: D, release: Release<D>) => Promise<void> {
    return (name, descriptor, release) => this.#resource(name, descriptor, release);
  }

  async #resource<D>(name: string, descriptor: D, release: Release<D>): Promise<void> {
    if (!isLabel(name)) throw invalidArgument("the name of a resource", name, A_LABEL);
    this.#resources ??= new Resources(this.#host, this.#notes, this.generation);
    if (typeof release === "function") {
      this.#defer(await this.#resources.hold(name, descriptor, release));
      return;
    }
    requirePlan(release, `what releases ${JSON.stringify(name)}`);
    await this.#resources.twin(name, descriptor, release);
  }

  /**
   * Runs `work` in this process when the attempt is over, whatever its end; last registered first. No signal aborts it; all of it
   * together has as long as the worker's grace, after which the task's outcome waits for it no longer.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for what is no function, and once the task has ended.
   */
  get defer(): (work: () => unknown) => void {
    return (work) => this.#defer(work);
  }

  #defer(work: () => unknown): void {
    if (typeof work !== "function") throw invalidArgument("what is deferred", work, "a function");
    if (this.#ended) throw new MageFlowError("INVALID_ARGUMENT", "defer was called after the task had ended");
    this.#deferred.push(work);
  }

  /** @internal */
  abortWith(reason: unknown): void {
    this.#aborted ??= reason;
    this.#abort?.abort(reason);
  }

  /** @internal */
  get abortedBy(): unknown {
    return this.#aborted;
  }

  /** @internal Runs what was deferred; what throws is logged. */
  async runDeferred(): Promise<void> {
    this.end();
    for (let work = this.#deferred.pop(); work !== undefined; work = this.#deferred.pop()) {
      try {
        await work();
      } catch (error) {
        // Whatever was thrown may throw when it is looked at.
        const { name, message, code } = describeThrown(error);
        if (code !== "LEASE_LOST")
          this.log.error("a deferred function failed", { error: `${name}: ${message}` });
      }
    }
  }

  /** @internal Nothing can be deferred from here on. */
  end(): void {
    this.#ended = true;
  }

  /** @internal */
  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }
}

/** What a store may not keep in a text is replaced. */
function shortened(note: string): string {
  return note.slice(0, LONGEST_NOTE).toWellFormed().replaceAll("\0", "\uFFFD");
}

/** As a key: an id is as long as the way to it, and keys have an end. */
function fitting(key: string): string {
  return isLabel(key) ? key : `run ${createHash("sha256").update(key).digest("hex")}`;
}

function readCause({ cause }: Assignment): Cause | null {
  if (cause === null) return null;
  const { id, name, kind, generation, outcome, input, result, error, item } = cause;
  return {
    id,
    name,
    kind,
    generation,
    outcome,
    input: decode(input),
    ...(result === null ? {} : { result: decode(result) }),
    ...(error === null ? {} : { error }),
    ...(item === null ? {} : { item }),
  };
}

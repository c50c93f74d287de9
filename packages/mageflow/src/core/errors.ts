import type { Kind } from "./plan.ts";
import type { Status } from "./status.ts";

/** Where a signature stands, from the root down: the `path` of an error. */
export interface PathEntry {
  id: string;
  name: string;
  kind: Kind;
  slot: number;
}

/** An error as it is stored with a signature and handed to error callbacks. */
export interface StoredError {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  /** Attempts made when it became final. */
  attempts: number;
  /** From the root to the signature that failed. */
  path: PathEntry[];
  cause?: StoredCause;
  errors?: StoredCause[];
}

/** What `error.cause`, or the `errors` of an `AggregateError`, held: at most eight in all. */
export interface StoredCause {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  cause?: StoredCause;
  /** Of an `AggregateError`. */
  errors?: StoredCause[];
}

/**
 * Base of every error that MageFlow throws. `code` is stable over releases; the message says what happened and what
 * to do about it.
 */
export class MageFlowError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A plan that cannot be run as written: an empty chain, a negative concurrency, two tasks of one name. */
export class InvalidPlanError extends MageFlowError {
  constructor(message: string) {
    super("INVALID_PLAN", message);
  }
}

/** A value that JSON text cannot carry unchanged, or that is too large or too deep. `path` leads to it. */
export class PayloadError extends MageFlowError {
  readonly path: string;

  constructor(path: string, message: string, options?: { cause?: unknown }) {
    super("PAYLOAD", message, options);
    this.path = path;
  }
}

/** One violation of a schema. */
export interface Issue {
  /** For example `$.items[3].url`. */
  path: string;
  message: string;
}

/** Violations that a message tells of, and characters of each. */
const ISSUES_TOLD = 10;
const ISSUE_CHARS = 500;

/**
 * An input or output that its schema refuses, or throws at. Never retried. `issues` has every violation with its path; the message has
 * the first ten.
 */
export class ValidationError extends MageFlowError {
  readonly issues: readonly Issue[];

  constructor(what: string, issues: readonly Issue[], options?: { cause?: unknown }) {
    const told = issues
      .slice(0, ISSUES_TOLD)
      .map(({ path, message }) => `${path}: ${message}`.slice(0, ISSUE_CHARS));
    const more = issues.length - told.length;
    if (more > 0) told.push(`and ${more} more`);
    super("VALIDATION", `${what} does not fit its schema: ${told.join("; ")}`, options);
    this.issues = issues;
  }
}

/** No signature with this id (or it was never stored here). */
export class NotFoundError extends MageFlowError {
  readonly id: string;

  constructor(id: string) {
    super(
      "NOT_FOUND",
      `there is no signature "${id}" in this store; check the id, or that this is the right store`,
    );
    this.id = id;
  }
}

/** A control call that the signature's status does not allow. */
export class IllegalTransitionError extends MageFlowError {
  readonly id: string;
  readonly status: Status;

  constructor(id: string, verb: string, status: Status, hint: string, code = "ILLEGAL_TRANSITION") {
    super(code, `cannot ${verb} "${id}" while it is ${status}; ${hint}`);
    this.id = id;
    this.status = status;
  }
}

/** Suspending a single task that a worker runs right now. */
export class AlreadyRunningError extends IllegalTransitionError {
  constructor(id: string) {
    super(
      id,
      "suspend",
      "RUNNING",
      "a task that runs is not stopped by suspend: let it end, or suspend the container around it",
      "ALREADY_RUNNING",
    );
  }
}

/** Adding to a swarm that takes no more items. */
export class SwarmClosedError extends MageFlowError {
  constructor(id: string, why: string) {
    super("SWARM_CLOSED", `swarm "${id}" takes no more items: ${why}`);
  }
}

/**
 * A write by a worker whose lease is gone; and the reason of `ctx.signal` when the worker hears that it was declared dead, and the
 * task waits for another one or has ended.
 */
export class LeaseLostError extends MageFlowError {
  constructor(
    id: string,
    epoch: number,
    why = "another worker owns the task or it has ended",
    code = "LEASE_LOST",
  ) {
    super(code, `the lease on "${id}" (epoch ${epoch}) is gone: ${why}`);
  }
}

/** The reason of `ctx.signal` when the task has gone on without this attempt: another run of it began, or it was given up. */
export class SupersededError extends LeaseLostError {
  constructor(id: string, epoch: number, now: number) {
    super(id, epoch, `the task has gone on without this attempt (epoch ${now})`, "SUPERSEDED");
  }
}

/** A task that ran longer than its `timeout` (one attempt) or `totalTimeout` (all attempts, from the start of the first). */
export class TimeoutError extends MageFlowError {
  constructor(message: string) {
    super("TIMEOUT", message);
  }
}

/** The reason of `ctx.signal` when a worker stops before the task has ended. */
export class ShutdownError extends MageFlowError {
  constructor() {
    super("SHUTDOWN", "the worker is shutting down; the task is handed to another one");
  }
}

/** A task that runs in a thread or process of its own and needed more memory than that may have. */
export class OutOfMemoryError extends MageFlowError {
  constructor(where: "thread" | "process", maxMemoryMb: number | null) {
    const limit = maxMemoryMb === null ? "what Node gives it" : `its maxMemoryMb of ${maxMemoryMb}`;
    super("OUT_OF_MEMORY", `the task needed more memory than ${limit} in a ${where} of its own`);
  }
}

/** The thread or process that ran a task ended before the task did: it exited, or was killed. */
export class WorkerExitedError extends MageFlowError {
  constructor(how: string, cause?: unknown) {
    super("WORKER_EXITED", `${how} before the task had`, cause === undefined ? {} : { cause });
  }
}

/** Thrown by task code, also inside a step, to end all retries. */
export class TerminalError extends MageFlowError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("TERMINAL", message, options);
  }
}

/** `result()` of a signature that failed or was never reached. `error` is what is stored with it. */
export class WorkflowFailedError extends MageFlowError {
  readonly id: string;
  readonly error: StoredError | null;

  constructor(id: string, name: string, error: StoredError | null) {
    const why = error === null ? "it was skipped" : `${error.name}: ${error.message}`;
    super(
      "WORKFLOW_FAILED",
      `"${name}" (${id}) failed: ${why}`,
      error === null ? {} : { cause: toError(error) },
    );
    this.id = id;
    this.error = error;
  }
}

/** `result()` of a signature that was interrupted, and the reason of `ctx.signal` of a task that is. */
export class InterruptedError extends MageFlowError {
  constructor(id: string, reason: string | null = null) {
    super("INTERRUPTED", `"${id}" was interrupted${because(reason)}; resume() continues it`);
  }
}

/** `result()` of a signature that was cancelled, and the reason of `ctx.signal` of a task that is. */
export class CancelledError extends MageFlowError {
  constructor(id: string, reason: string | null = null) {
    super("CANCELLED", `"${id}" was cancelled${because(reason)}`);
  }
}

function inIso(instant: number): string {
  // oxlint-disable-next-line no-restricted-globals -- writes an instant down; no clock is asked.
  return new Date(instant).toISOString();
}

function because(reason: string | null): string {
  return reason === null ? "" : ` (${reason})`;
}

/** The signature was removed. `at` is when (epoch ms), `by` who did it and `reason` why, as far as it was told. */
export class GoneError extends MageFlowError {
  readonly id: string;
  readonly at: number;
  readonly by: string;
  readonly action: "cancel" | "delete" | "retention";
  readonly reason: string | null;

  constructor(id: string, { at, by, action, reason }: Pick<GoneError, "at" | "by" | "action" | "reason">) {
    const how = {
      cancel: "was cancelled",
      delete: "was deleted",
      retention: "was removed when its time was over",
    };
    super("GONE", `"${id}" ${how[action]} at ${inIso(at)} by ${by}${because(reason)}`);
    this.id = id;
    this.at = at;
    this.by = by;
    this.action = action;
    this.reason = reason;
  }
}

/** Somebody else holds the lock of a signature, until `until` (epoch ms). */
export class LockedError extends MageFlowError {
  readonly until: number;

  constructor(id: string, by: string, until: number) {
    super("LOCKED", `"${id}" is locked by ${by} until ${inIso(until)}; wait, or ask them to release it`);
    this.until = until;
  }
}

/** An idempotency key was used before for something else: the plan has another kind, name or input. */
export class IdempotencyConflictError extends MageFlowError {
  /** What the key stands for. */
  readonly id: string;

  constructor(key: string, id: string) {
    const shown = JSON.stringify(key.slice(0, 100));
    super(
      "IDEMPOTENCY_CONFLICT",
      `the key ${shown} stands for "${id}", which was asked for with another plan or input; give what is new another key`,
    );
    this.id = id;
  }
}

/** A confirmation that is not known, has expired, or was given for a tree that has changed since. */
export class StaleConfirmationError extends MageFlowError {
  constructor(why: string) {
    super("STALE_CONFIRMATION", `${why}; plan the cancellation again`);
  }
}

/** A wait with a `timeout` ran out; the signature itself goes on. */
export class WaitTimeoutError extends MageFlowError {
  constructor(id: string, ms: number) {
    super(
      "WAIT_TIMEOUT",
      `"${id}" did not end within ${ms} ms; it goes on, wait again or look at its status`,
    );
  }
}

/** The object was closed. */
export class ClosedError extends MageFlowError {
  constructor(what: string) {
    super("CLOSED", `${what} is closed; make a new one`);
  }
}

/** Why a store cannot be used or written. `code` tells the cases apart. */
export type StoreFault =
  | "STORE_BUSY"
  | "STORE_READ_ONLY"
  | "STORE_CORRUPT"
  | "STORE_FULL"
  | "STORE_NEWER"
  | "STORE_MISSING"
  | "STORE_UNAVAILABLE";

/** The database refused: locked, read-only, corrupt, full, of a newer version, not there, or not to be opened. */
export class StoreError extends MageFlowError {
  declare readonly code: StoreFault;

  constructor(code: StoreFault, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** A worker or a call names a task that this process has not registered. */
export class UnknownTaskError extends MageFlowError {
  constructor(name: string, known: readonly string[]) {
    super(
      "UNKNOWN_TASK",
      `no task is registered as "${name}"; registered here: ${known.length === 0 ? "none" : known.join(", ")}`,
    );
  }
}

const CAUSES = 8;
const STACK_CHARS = 8_192;
const MESSAGE_CHARS = 16_384;

/**
 * Anything thrown, as a cause that can be stored. It never throws itself: a getter that throws, a revoked Proxy or
 * `throw null` still give a name and a message.
 */
export function describeThrown(thrown: unknown): StoredCause {
  return described(thrown, { left: CAUSES });
}

/** `budget` is shared by all that is told of one thing thrown. */
function described(thrown: unknown, budget: { left: number }): StoredCause {
  try {
    if (thrown instanceof Error) {
      const told: StoredCause = {
        name: text(thrown.name, 256) || "Error",
        message: text(thrown.message, MESSAGE_CHARS),
      };
      if (typeof thrown.stack === "string") told.stack = text(thrown.stack, STACK_CHARS);
      const code: unknown = "code" in thrown ? thrown.code : undefined;
      if (typeof code === "string" || typeof code === "number") told.code = text(code, 256);
      if (thrown.cause !== undefined && budget.left-- > 0) told.cause = described(thrown.cause, budget);
      if (thrown instanceof AggregateError && Array.isArray(thrown.errors) && budget.left > 0) {
        const inner: StoredCause[] = [];
        for (const error of thrown.errors as unknown[])
          if (budget.left-- > 0) inner.push(described(error, budget));
        told.errors = inner;
      }
      return told;
    }
    return { name: "Error", message: notAnError(thrown) };
  } catch {
    return { name: "Error", message: "something was thrown that cannot be described" };
  }
}

function notAnError(thrown: unknown): string {
  if (thrown === null || thrown === undefined) return `${thrown} was thrown`;
  if (typeof thrown !== "object") return `a ${typeof thrown} was thrown: ${text(thrown, 1_024)}`;
  return `an object was thrown: ${text(fieldsOf(thrown) ?? thrown, 1_024)}`;
}

/** Its JSON text, when that tells something. */
function fieldsOf(thrown: object): string | null {
  try {
    const json = JSON.stringify(thrown);
    return json === "{}" || json === undefined ? null : json;
  } catch {
    return null;
  }
}

function text(value: unknown, chars: number): string {
  return String(value).slice(0, chars);
}

/** The stored error as an `Error` again, causes included, for `cause` chains and stack traces. */
export function toError(stored: StoredCause): Error {
  const { message, cause, errors } = stored;
  const options = cause === undefined ? undefined : { cause: toError(cause) };
  const error =
    errors === undefined
      ? new Error(message, options)
      : new AggregateError(errors.map(toError), message, options);
  error.name = stored.name;
  if (stored.stack !== undefined) error.stack = stored.stack;
  return stored.code === undefined ? error : Object.assign(error, { code: stored.code });
}

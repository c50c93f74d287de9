import { AsyncLocalStorage } from "node:async_hooks";
import { TerminalError } from "../core/errors.ts";

/** A running attempt that errors outside its promise can be given to. */
export interface Culprit {
  readonly name: string;
  fail(error: unknown): void;
}

/**
 * Gives errors that escape a task's promise (a rejection nobody handles, a throw in a timer or event listener,
 * `process.exit()`) to the task that caused them, so that it fails and the worker with all other tasks goes on. What
 * no task caused is not ours: it ends the process as it would without us.
 */
const running = new AsyncLocalStorage<Culprit>();
let guards = 0;
let originalExit: ((this: void, code?: number | string | null) => never) | null = null;

/** Runs `work` as the doing of `culprit`. */
export function attributed<T>(culprit: Culprit, work: () => T): T {
  return running.run(culprit, work);
}

/** Runs `work`, and whatever it starts, as nobody's doing: what serves all tasks must not be taken for the one that set it off. */
export function unattributed<T>(work: () => T): T {
  return running.exit(work);
}

/** Puts the guards up until the returned function is called; they are shared by all workers of a process. */
export function guardStrays(): () => void {
  if (guards++ === 0) {
    heedStrays();
    originalExit = process.exit.bind(process);
    process.exit = exitOrFail;
  }
  let up = true;
  return () => {
    if (!up) return;
    up = false;
    if (--guards > 0) return;
    process.off("unhandledRejection", onRejection);
    process.off("uncaughtException", onException);
    process.exit = originalExit!;
  };
}

/** The part of the guards that an isolate needs, for as long as it lives: `process.exit()` ends nothing but the task's own thread or process. */
export function heedStrays(): void {
  process.on("unhandledRejection", onRejection);
  process.on("uncaughtException", onException);
}

function onRejection(error: unknown): void {
  const culprit = running.getStore();
  if (culprit !== undefined) culprit.fail(error);
  else if (process.listenerCount("unhandledRejection") === 1) crash(error);
}

function onException(error: unknown): void {
  const culprit = running.getStore();
  if (culprit !== undefined) culprit.fail(error);
  else if (process.listenerCount("uncaughtException") === 1) crash(error);
}

/** What Node does with an error that nobody handles. */
function crash(error: unknown): never {
  process.stderr.write(
    `Uncaught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return originalExit === null ? process.exit(1) : originalExit(1);
}

function exitOrFail(code?: number | string | null): never {
  const culprit = running.getStore();
  if (culprit === undefined) return originalExit!(code);
  const error = new TerminalError(
    `"${culprit.name}" called process.exit(${code ?? ""}); a task ends by returning or throwing`,
  );
  culprit.fail(error);
  throw error;
}

import { type Duration, milliseconds, someMilliseconds } from "../core/duration.ts";
import { InvalidPlanError, UnknownTaskError } from "../core/errors.ts";
import { inWords } from "../core/in-words.ts";
import type { Handler } from "./handler.ts";

export interface WorkerOptions {
  /** Attempts that run at once. Default 100. */
  concurrency?: number;
  /** Names of the tasks to run. Default: all that are registered. */
  tasks?: readonly string[];
  /** Time without a heartbeat after which others take the tasks over. Default `"15s"`. */
  lease?: Duration;
  /** Time between heartbeats. Default `"5s"`. */
  heartbeat?: Duration;
  /** Time that running tasks get to end when they are told to stop. Default `"10s"`. */
  grace?: Duration;
}

/** The options of a worker with the defaults filled in. Times are in ms. */
export interface WorkerSettings {
  readonly concurrency: number;
  /** The tasks of the worker; it may grow. */
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly lease: number;
  readonly interval: number;
  readonly grace: number;
}

/** @throws InvalidPlanError (`INVALID_PLAN`), UnknownTaskError (`UNKNOWN_TASK`) for the name of a task that is not `registered` */
export function settingsOf(options: WorkerOptions, registered: ReadonlyMap<string, Handler>): WorkerSettings {
  const concurrency = options.concurrency ?? 100;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new InvalidPlanError(`a worker's concurrency is ${concurrency}; give a whole number from 1`);
  }
  const lease = milliseconds(options.lease ?? "15s", "lease");
  const interval = someMilliseconds(options.heartbeat ?? "5s", "heartbeat");
  const grace = milliseconds(options.grace ?? "10s", "grace");
  if (interval * 2 > lease) {
    throw new InvalidPlanError(
      `heartbeat (${interval} ms) is more than half of lease (${lease} ms); one late heartbeat would lose the leases`,
    );
  }
  return { concurrency, handlers: chosen(registered, options.tasks), lease, interval, grace };
}

function chosen(
  handlers: ReadonlyMap<string, Handler>,
  names: readonly string[] | undefined,
): ReadonlyMap<string, Handler> {
  if (names === undefined) return handlers;
  if (!Array.isArray(names)) {
    throw new InvalidPlanError(`the tasks of a worker are ${inWords(names)}; give an array of their names`);
  }
  const tasks = new Map<string, Handler>();
  for (const name of names) {
    const handler = handlers.get(name);
    if (handler === undefined) throw new UnknownTaskError(name, [...handlers.keys()]);
    tasks.set(name, handler);
  }
  return tasks;
}

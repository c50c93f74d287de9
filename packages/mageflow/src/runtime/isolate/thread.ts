import { setFlagsFromString } from "node:v8";
import { Worker as Thread } from "node:worker_threads";
import { type MageFlowError, OutOfMemoryError, WorkerExitedError } from "../../core/errors.ts";
import { type Isolate, isolate } from "./isolate.ts";

/**
 * Some loops that V8 unrolls have lost the checks at which they can be stopped: `for (;;) new Array(1_000).fill(0)` outlives
 * `terminate()`, and the limit of memory.
 */
const KEEP_CHECKS = "--no-turboshaft-loop-unrolling";
/**
 * Megabytes of young objects in a thread with a limit. At its limit V8 grants 16 MB to get to the next check, and ends the process if that
 * is not enough: what one collection promotes must be less.
 */
const YOUNG_MB = 8;

/** Starts a thread. Its module sees the arguments of the process; its output comes with that of the process. */
export function startThread(entry: URL, maxMemoryMb: number | null): Isolate {
  setFlagsFromString(KEEP_CHECKS);
  return isolate((hear) => {
    const thread = new Thread(entry, {
      name: "mageflow-isolate",
      argv: process.argv.slice(2),
      ...(maxMemoryMb === null
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb, maxYoungGenerationSizeMb: YOUNG_MB } }),
    });
    thread.on("message", hear);
    let error: unknown;
    thread.on("error", (thrown) => {
      error = thrown;
    });
    const ended = new Promise<MageFlowError>((resolve) => {
      thread.once("exit", (code) => resolve(why(error, code, maxMemoryMb)));
    });
    return { post: (order) => thread.postMessage(order), kill: () => void thread.terminate(), ended };
  });
}

function why(error: unknown, code: number, maxMemoryMb: number | null): MageFlowError {
  if (error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new OutOfMemoryError("thread", maxMemoryMb);
  }
  return new WorkerExitedError(`the thread of the task ended with exit code ${code}`, error);
}

import { Worker as Thread } from "node:worker_threads";
import { type MageFlowError, OutOfMemoryError, WorkerExitedError } from "../../core/errors.ts";
import { type Isolate, isolate } from "./isolate.ts";

/** Starts a thread. Its module sees the arguments of the process; its output comes with that of the process. */
export function startThread(entry: URL, maxMemoryMb: number | null): Isolate {
  return isolate((hear) => {
    const thread = new Thread(entry, {
      name: "mageflow-isolate",
      argv: process.argv.slice(2),
      ...(maxMemoryMb === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } }),
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

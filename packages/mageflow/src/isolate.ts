import { registerHooks } from "node:module";
import { isMainThread, parentPort, Worker as Thread } from "node:worker_threads";
import { systemClock } from "./engines/embedded/system-clock.ts";
import type { OrphanWatchData } from "./runtime/isolate/orphan-watch.ts";
import { type Line, serveIsolate } from "./runtime/isolate/serve-isolate.ts";

// Hooks of the worker end at its thread. Where the sources run, what the module of a task imports is to be them too: of a second copy of
// the library, nothing that is registered would be found.
if (import.meta.url.endsWith(".ts")) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "@mageflow/source"] }),
  });
}

/** The program of an isolate: a thread or process that runs tasks for a worker, and ends with it. */
serveIsolate(isMainThread ? lineOfProcess() : lineOfThread(), systemClock);

function lineOfThread(): Line {
  const port = parentPort!;
  return {
    // The memory of the worker is that of its threads.
    requireWorker: () => {},
    post: (report) => port.postMessage(report),
    listen: (hear) => void port.on("message", hear),
  };
}

function lineOfProcess(): Line {
  // A terminal sends them to the whole group, and a service manager too: the worker says when tasks end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.exit());
  // Whoever is the parent by now need not be the worker. The task's module does not see this argument.
  const workerPid = Number(process.argv.splice(2, 1)[0]);
  const watch = new URL(`./runtime/isolate/orphan-watch${import.meta.url.slice(-3)}`, import.meta.url);
  const workerData: OrphanWatchData = { workerPid };
  new Thread(watch, { workerData, name: "mageflow-orphan-watch" }).unref();
  return {
    requireWorker: () => {
      if (process.ppid !== workerPid || !process.connected) process.kill(process.pid, "SIGKILL");
    },
    // A worker that is gone hears nothing, and the watch ends what it has left.
    post: (report) => void process.send!(report, undefined, undefined, () => {}),
    listen: (hear) => void process.on("message", hear),
  };
}

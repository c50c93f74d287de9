import { isMainThread, workerData } from "node:worker_threads";

/** How often it is looked whether the worker lives (ms). */
const LOOK_MS = 1_000;

/** What this thread is started with: the process that everything here is done for. */
export interface OrphanWatchData {
  readonly workerPid: number;
}

/** The body of a thread beside the task's: it ends the process when its worker is gone, also when the task never lets go. */
function watch({ workerPid }: OrphanWatchData): never {
  const nobodyRings = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (;;) {
    Atomics.wait(nobodyRings, 0, 0, LOOK_MS);
    if (process.ppid !== workerPid) process.kill(process.pid, "SIGKILL");
  }
}

if (!isMainThread && isWatch(workerData)) watch(workerData);

function isWatch(data: unknown): data is OrphanWatchData {
  return typeof data === "object" && data !== null && "workerPid" in data;
}

import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isBusy } from "./failures.ts";

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 5;

/**
 * Makes the attempt again while another process has the lock, with growing pauses in which the event loop is free. Only
 * for what has done nothing when it finds the lock taken. `waiting` is called before each pause.
 */
export async function patiently<T>(
  attempt: () => T,
  patience: number,
  waiting: () => void = () => {},
): Promise<T> {
  const until = performance.now() + patience;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error;
    }
    waiting();
    await sleep(pause * (0.5 + Math.random() / 2));
  }
}

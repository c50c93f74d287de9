import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** Makes the attempt again while its failure is one that passes, with growing pauses. Only for what has done nothing when it fails. */
export async function patiently<T>(
  attempt: () => Promise<T>,
  patience: number,
  passes: (error: unknown) => boolean,
): Promise<T> {
  const until = performance.now() + patience;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error) || performance.now() >= until) throw error;
    }
    await sleep(pause * (0.5 + Math.random() / 2));
  }
}

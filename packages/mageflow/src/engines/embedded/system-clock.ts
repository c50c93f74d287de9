import type { Clock } from "../../ports/clock.ts";

/** Longest timer (ms): beyond 24.8 days `setTimeout` fires at once, and nothing here needs more than an hour. */
const LONGEST_MS = 3_600_000;

/** The clock of this machine. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),

  sleep(ms, signal, options) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(LONGEST_MS, Math.max(0, ms)));
      if (options?.background === true) timer.unref();
      signal?.addEventListener("abort", end, { once: true });
    });
  },

  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

import type { Clock } from "../ports/clock.ts";

/** Sleeps until a monotonic instant, however far away, or until `signal` aborts. True when the instant has come. */
export async function sleepUntil(clock: Clock, end: number, signal: AbortSignal): Promise<boolean> {
  // A single sleep is cut to an hour.
  while (!signal.aborted && clock.monotonic() < end) await clock.sleep(end - clock.monotonic(), signal);
  return !signal.aborted;
}

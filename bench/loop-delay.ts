import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 2;

/** Watches how long the event loop is held, until stopped: then the longest time in ms. */
export function watchLoop(): { stop(): number } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    stop() {
      histogram.disable();
      // The histogram counts from one probe to the next, so an idle loop shows the resolution itself.
      return Math.max(0, Math.round((histogram.max / 1e6 - RESOLUTION_MS) * 10) / 10);
    },
  };
}

import type { Clock } from "../../ports/clock.ts";
import type { Actor, Scheduler } from "./scheduler.ts";

const LONGEST_MS = 3_600_000;

/** The clock of one simulated process. Every process counts from its own zero. */
export function virtualClock(scheduler: Scheduler, actor: Actor, bornAt: number): Clock {
  return {
    monotonic: () => scheduler.now - bornAt,
    sleep: (ms, signal) =>
      scheduler.sleep(
        actor,
        "sleep",
        scheduler.now + Math.ceil(Math.min(LONGEST_MS, Math.max(0, ms))),
        signal,
      ),
    turn: () => scheduler.wait(actor, "turn"),
  };
}

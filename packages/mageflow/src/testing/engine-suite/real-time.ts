import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, IdSource } from "../../ports/clock.ts";

const LONGEST_MS = 3_600_000;
let ids = 0;

/** The time that servers see. */
export const realTime: Clock = {
  monotonic: () => performance.now(),
  sleep: (ms, signal, options = {}) =>
    sleep(Math.min(LONGEST_MS, Math.max(0, ms)), undefined, {
      signal,
      ref: options.background !== true,
    }).catch(() => {}),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

export const suiteIds: IdSource = {
  next: () => `${Date.now().toString(36)}${(ids++).toString(36).padStart(6, "0")}${randomUUID().slice(0, 4)}`,
};

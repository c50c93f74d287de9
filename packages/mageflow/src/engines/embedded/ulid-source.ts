import { randomFillSync } from "node:crypto";
import { monotonicFactory } from "ulid";
import type { IdSource } from "../../ports/clock.ts";

/** Random bytes that are drawn at once: drawn one by one they take most of the time of an id. */
const POOL = 4_096;

/** Ids that sort by time, as ULIDs in lower case (https://github.com/ulid/spec): 48 bits of time, 80 random ones. */
export function ulidSource(): IdSource {
  const pool = new Uint8Array(POOL);
  let used = POOL;
  const next = monotonicFactory(() => {
    if (used === POOL) {
      randomFillSync(pool);
      used = 0;
    }
    return pool[used++]! / 0x100;
  });
  return { next: () => next().toLowerCase() };
}

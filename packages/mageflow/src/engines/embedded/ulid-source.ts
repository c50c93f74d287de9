import { monotonicFactory } from "ulid";
import type { IdSource } from "../../ports/clock.ts";

/** Ids that sort by time, as ULIDs in lower case (https://github.com/ulid/spec): 48 bits of time, 80 random ones. */
export function ulidSource(): IdSource {
  const next = monotonicFactory();
  return { next: () => next().toLowerCase() };
}

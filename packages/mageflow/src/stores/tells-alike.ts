import { isDeepStrictEqual } from "node:util";
import type { SignatureRecord } from "../core/record.ts";

/**
 * Whether two states of a signature tell the same to what stands below it. Its counters do not matter: in a swarm they change with every item
 * that ends.
 */
export function tellsAlike(a: SignatureRecord, b: SignatureRecord): boolean {
  return (
    a.status === b.status &&
    a.generation === b.generation &&
    a.heldBy === b.heldBy &&
    a.bound === b.bound &&
    a.message === b.message &&
    isDeepStrictEqual([a.stop, a.deletion, a.lock], [b.stop, b.deletion, b.lock])
  );
}

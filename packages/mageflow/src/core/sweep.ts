import type { SignatureRecord } from "./record.ts";
import { type Decision, type Signal, unchanged } from "./signal.ts";

/**
 * Work on many signatures, done a window at a time: the record names what is being swept, so that a crash between
 * two windows loses nothing. `take` asks for the next window; `took` tells how many there were.
 */

/** Signatures that one commit starts, skips or releases for one container. */
const WINDOW = 500;

export type Took = Extract<Signal, { type: "took" }>;

/** Asks for the next window of what the record is sweeping. */
export function sweep(record: SignatureRecord, limit: number = WINDOW): Decision {
  if (record.sweep === null) return unchanged(record);
  return { ...unchanged(record), take: { what: record.sweep, limit: Math.min(limit, WINDOW) } };
}

/** After a window: a full one means that there may be more, which is left to the next commit. */
export function swept(record: SignatureRecord, took: Took): SignatureRecord {
  return record.sweep !== took.what || took.count === took.limit ? record : { ...record, sweep: null };
}

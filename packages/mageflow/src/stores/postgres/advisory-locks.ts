import type { Location } from "./location.ts";

/** What one transaction at a time may do in a store, though there is no row that stands for it. */
const PURPOSES = ["schema", "audit", "starts"] as const;

export type Purpose = (typeof PURPOSES)[number];

/** Takes a lock until the transaction ends, waiting for it. Two stores in one database do not wait for each other. */
export function advisoryLock({ schema }: Location, purpose: Purpose): string {
  return `SELECT pg_advisory_xact_lock(hashtext('mageflow ${schema}'), ${PURPOSES.indexOf(purpose)})`;
}

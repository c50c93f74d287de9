import type { Duration } from "mageflow";

/** How a worker of the command line behaves unless it is told otherwise. */
export const LEASE: Duration = "15s";
export const GRACE: Duration = "10s";

/** How a worker of the command line behaves unless it is told otherwise. */
export const LEASE = "15s";
export const GRACE = "10s";

/** What is judged, each counted: those of chaos that need no orders, and at the end those that only a restart can break. */
export const LAWS = [
  "lost",
  "duplicateCallbacks",
  "stuck",
  "staleWrites",
  "stepsRerun",
  "keysChanged",
  "overCap",
  "miscounted",
  "outOfOrder",
  "partial",
  "wrongOutcome",
  "journal",
  "crashed",
  "breaches",
  /** A run that began while an earlier one of the same task was at work. */
  "together",
  /** A task that was recovered although no worker was lost. */
  "recovered",
  /** A run that heeded its signal and whose deferred work was not done. */
  "notDeferred",
  /** A session that outlives its process. */
  "sessions",
] as const;

export interface Unlawful {
  readonly kind: (typeof LAWS)[number];
  readonly detail: string;
}

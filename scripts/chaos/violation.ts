/** What a round can find, each counted. All zero is the only good answer. */
export const VIOLATIONS = [
  /** Acknowledged, and absent or without an end. */
  "lost",
  /** A callback that is stored twice, ended twice, missing, or of the wrong outcome. */
  "duplicateCallbacks",
  /** Not settled in time. */
  "stuck",
  /** A result, or a result of a step, that a superseded epoch made. */
  "staleWrites",
  /** A step that ran again after it had finished. */
  "stepsRerun",
  /** Two idempotency keys in one generation, or one key for two tasks. */
  "keysChanged",
  /** More items of a swarm at work than its concurrency. */
  "overCap",
  /** A crash that counted as an attempt, or that was not counted as a recovery. */
  "miscounted",
  /** A step that began before the one before it had ended, or that got another input than its result. */
  "outOfOrder",
  /** Part of a tree, or two trees of one submission. */
  "partial",
  /** Another outcome than the plan has. */
  "wrongOutcome",
  /** A gap in a workflow's journal, or a signature that it lets end twice. */
  "journal",
  /** A process that ended although nobody killed it. */
  "crashed",
] as const;

type Kind = (typeof VIOLATIONS)[number];

export interface Violation {
  readonly kind: Kind;
  readonly detail: string;
}

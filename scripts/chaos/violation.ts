/** What a round can find, each counted. All zero is the only good answer. */
export const VIOLATIONS = [
  /** Acknowledged, and absent or without an end. */
  "lost",
  /** A callback that is stored twice, ended twice, missing, or of the wrong outcome. */
  "duplicateCallbacks",
  /** Not settled in time. */
  "stuck",
  /** Went on only because the mender looks for what waits for nothing. */
  "mended",
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
  /** A start in what is suspended. */
  "startedSuspended",
  /** A start, other than of a cleanup, in what is interrupted; or an effect of its code after the grace. */
  "startedInterrupted",
  /** The same in what is cancelled, where nothing that ends counts. */
  "startedCancelled",
  /** A cleanup that is missing, ran in the wrong order or more than once in a generation. */
  "cleanups",
  /** An order that was neither carried out nor refused as a whole. */
  "halfDone",
  /** Something left, or something new, of what is gone. */
  "remains",
  /** A change of what somebody else has locked. */
  "lockBroken",
  /** An audit trail that is broken, or that does not tell of an order. */
  "audit",
  /** What `mageflow verify` finds in the store. */
  "breaches",
] as const;

type Kind = (typeof VIOLATIONS)[number];

export interface Violation {
  readonly kind: Kind;
  readonly detail: string;
}

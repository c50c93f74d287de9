import { MageFlowError } from "mageflow";

/** What an exit code of the command tells, and the error codes that end with it. Anything else is a 1. */
export const EXIT_CODES: readonly { code: number; meaning: string; errors: readonly string[] }[] = [
  { code: 0, meaning: "it went well", errors: [] },
  { code: 1, meaning: "the workflow failed, or something unexpected happened", errors: ["WORKFLOW_FAILED"] },
  {
    code: 2,
    meaning: "the command was not understood, or its input is not valid",
    errors: [
      "USAGE",
      "FILE_NOT_FOUND",
      "FILE_INVALID",
      "INVALID_ARGUMENT",
      "INVALID_PLAN",
      "PAYLOAD",
      "UNKNOWN_TASK",
      "UNSUPPORTED_STORE",
      "VALIDATION",
    ],
  },
  { code: 3, meaning: "verification found breaches, or a cache that differs from its store", errors: [] },
  { code: 4, meaning: "there is no such signature, or it was removed", errors: ["NOT_FOUND", "GONE"] },
  {
    code: 5,
    meaning:
      "its status or a lock does not allow that, nobody has confirmed it, or it was interrupted or cancelled",
    errors: [
      "ILLEGAL_TRANSITION",
      "ALREADY_RUNNING",
      "SWARM_CLOSED",
      "IDEMPOTENCY_CONFLICT",
      "LOCKED",
      "STALE_CONFIRMATION",
      "NOT_CONFIRMED",
      "INTERRUPTED",
      "CANCELLED",
    ],
  },
  {
    code: 6,
    meaning:
      "the store is missing, locked, read-only, corrupt, full, or of a newer version, or the cache cannot be used",
    errors: [
      "STORE_MISSING",
      "STORE_BUSY",
      "STORE_READ_ONLY",
      "STORE_CORRUPT",
      "STORE_FULL",
      "STORE_NEWER",
      "STORE_UNAVAILABLE",
    ],
  },
  { code: 130, meaning: "interrupted by a signal", errors: [] },
];

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  breaches: 3,
  store: 6,
  interrupted: 130,
} as const;

export function exitCodeOf(code: string): number {
  return EXIT_CODES.find(({ errors }) => errors.includes(code))?.code ?? EXIT.failed;
}

/** An error of the command line itself; `hint` says what to do. */
export class CommandError extends MageFlowError {
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.hint = hint;
  }
}

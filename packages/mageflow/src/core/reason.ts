import { invalidArgument } from "./invalid-argument.ts";

/** As much as a person reads; it is repeated in records, tombstones and the audit trail. */
const LONGEST = 1_024;

/**
 * Why something is done, or null. The audit trail hashes it, so it must come back from every store as it was given.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`) for anything but such a text.
 */
export function readReason(reason: unknown): string | null {
  if (reason === undefined) return null;
  const isKept =
    typeof reason === "string" && reason.length <= LONGEST && reason.isWellFormed() && !reason.includes("\0");
  if (isKept) return reason;
  throw invalidArgument(
    "the reason",
    reason,
    `a text of at most ${LONGEST} characters that every store keeps`,
  );
}

import { isCleanup } from "./ids.ts";
import type { SignatureRecord } from "./record.ts";

/**
 * The log line of a cleanup that has just failed, or null: it changes no outcome, so that nobody would hear of it who does not look at
 * the counts. It is written in the commit of the failure.
 */
export function cleanupFailure(
  before: SignatureRecord | null,
  { id, rootId, parentId, role, name, status, generation, attempt, error }: SignatureRecord,
): CleanupFailure | null {
  if (!isCleanup(role) || status !== "FAILED" || before?.status === "FAILED") return null;
  const fields = {
    code: "CLEANUP_FAILED",
    of: parentId,
    ...(error === null ? {} : { error: `${error.name}: ${error.message}` }),
  };
  const message = `CLEANUP_FAILED: the cleanup ${JSON.stringify(name)} failed`;
  return { id, rootId, generation, attempt, level: "error", message, fields: JSON.stringify(fields) };
}

interface CleanupFailure {
  readonly id: string;
  readonly rootId: string;
  readonly generation: number;
  readonly attempt: number;
  readonly level: "error";
  readonly message: string;
  readonly fields: string;
}

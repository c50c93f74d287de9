import {
  BROKEN,
  BUSY,
  ConnectionLost,
  constraintError,
  CORRUPT,
  CROWDED,
  type Fault,
  FULL,
  LOST,
  NOT_LET_IN,
  storeError,
  UNREACHABLE,
} from "../server-failures.ts";
import type { Location } from "./location.ts";

const READ_ONLY: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written; connect to the primary server, with a role that may write",
};
const FORBIDDEN: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written by this role; give it the right to create and use the schema",
};

/** SQLSTATEs (appendix A of the PostgreSQL manual) that tell of the database, not of the statement. */
const FAULTS: ReadonlyMap<string, Fault> = new Map([
  ["40001", BUSY],
  ["40P01", BUSY],
  ["55P03", BUSY],
  // A statement that took too long, or was cancelled by hand.
  ["57014", BUSY],
  ["53300", CROWDED],
  ["53100", FULL],
  ["53200", BUSY],
  ["28000", NOT_LET_IN],
  ["28P01", NOT_LET_IN],
  ["3D000", NOT_LET_IN],
  ["25006", READ_ONLY],
  ["42501", FORBIDDEN],
  ["58030", BROKEN],
  ["XX001", CORRUPT],
  ["XX002", CORRUPT],
]);

const INTEGRITY_CLASS = "23";

/** Too many connections; a server that is starting, or shutting down. */
const PASSING: ReadonlySet<string> = new Set(["53300", "57P03", "57P01", "57P02"]);

/** What a connection threw, in the words of the port; anything else comes back as it is. */
export function explain(error: unknown, location: Location): unknown {
  if (isLoss(error)) return storeError(UNREACHABLE, error, location.name);
  const state = stateOf(error);
  if (state === null) return error;
  if (state.startsWith(INTEGRITY_CLASS)) return constraintError(error as Error);
  const fault = FAULTS.get(state);
  return fault === undefined ? error : storeError(fault, error as Error, location.name);
}

/** The same in the middle of a transaction: when the connection was lost before the commit was sent, nothing was kept. */
export function explainInside(error: unknown, location: Location): unknown {
  return isLoss(error) ? storeError(LOST, error, location.name) : explain(error, location);
}

/** True when nothing more is heard of what was under way: the connection is gone, or the server has ended it. Who was not let in had none. */
export function isLoss(error: unknown): error is Error {
  if (error instanceof ConnectionLost) return true;
  const state = stateOf(error);
  if (state === null || FAULTS.get(state) === NOT_LET_IN) return false;
  return (error as { severity?: unknown }).severity === "FATAL" || state.startsWith("08");
}

/** True for what the server or a connection to it threw. */
export function isAnswer(error: unknown): boolean {
  return error instanceof ConnectionLost || stateOf(error) !== null;
}

/** True for what the server says to everything behind a statement that it has refused, until the transaction ends. */
export function isAborted(error: unknown): boolean {
  return stateOf(error) === "25P02";
}

/** True when the server is not there yet or has no room for one more connection: to be tried again for a while. */
export function isPassing(error: unknown): boolean {
  const state = stateOf(error);
  return state === null ? error instanceof ConnectionLost : PASSING.has(state);
}

/** The SQLSTATE, or null when it is no error of the server. */
function stateOf(error: unknown): string | null {
  return error instanceof Error && "severity" in error && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}

import { StoreError, type StoreFault } from "../../core/errors.ts";
import type { Location } from "./location.ts";

/** There is no connection, or not any more: of what was under way on it nothing more is heard. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

interface Fault {
  readonly code: StoreFault;
  /** What happened, and what to do. `$` stands for where. */
  readonly says: string;
}

const BUSY: Fault = {
  code: "STORE_BUSY",
  says: "$ could not do this beside other transactions, and nothing of it was kept; try again",
};
const CROWDED: Fault = {
  code: "STORE_BUSY",
  says: "$ takes no more connections now; try again, or give the server more of them",
};
const FULL: Fault = {
  code: "STORE_FULL",
  says: "there is no room left for $; nothing of the transaction was kept, free some space and try again",
};
const READ_ONLY: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written; connect to the primary server, with a role that may write",
};
const FORBIDDEN: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written by this role; give it the right to create and use the schema",
};
const CORRUPT: Fault = { code: "STORE_CORRUPT", says: "$ is damaged; restore it from a backup" };
const UNREACHABLE: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "$ cannot be reached; check that the server runs, and the host, database, role and password",
};
const LOST: Fault = {
  code: "STORE_BUSY",
  says: "the connection to $ was lost in the middle of a transaction, of which nothing was kept; try again",
};
const BROKEN: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "$ failed to read or write; look for errors of the disk in the server's log",
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
  if (isLoss(error)) return storeError(UNREACHABLE, error, location);
  const state = stateOf(error);
  if (state === null) return error;
  const { message } = error as Error;
  if (state.startsWith(INTEGRITY_CLASS))
    return new Error(`constraint: ${message}; nothing of the transaction was kept`, { cause: error });
  const fault = FAULTS.get(state);
  return fault === undefined ? error : storeError(fault, error as Error, location);
}

/** The same in the middle of a transaction: when the connection was lost before the commit was sent, nothing was kept. */
export function explainInside(error: unknown, location: Location): unknown {
  return isLoss(error) ? storeError(LOST, error, location) : explain(error, location);
}

/** True when nothing more is heard of what was under way: the connection is gone, or the server has ended it. */
export function isLoss(error: unknown): error is Error {
  if (error instanceof ConnectionLost) return true;
  const state = stateOf(error);
  return state !== null && ((error as { severity?: unknown }).severity === "FATAL" || state.startsWith("08"));
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

function storeError(fault: Fault, cause: Error, location: Location): StoreError {
  return new StoreError(fault.code, `${fault.says.replace("$", () => location.name)} (${cause.message})`, {
    cause,
  });
}

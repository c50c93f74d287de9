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
  storeError,
  UNREACHABLE,
} from "../server-failures.ts";
import type { Location } from "./location.ts";

/** What the driver makes of an answer of the server that is an error. */
interface ServerError extends Error {
  readonly errno: number;
  readonly sqlState: string;
}

const READ_ONLY: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written; connect to the primary server, as a user who may write",
};
const FORBIDDEN: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written by this user; give them all rights on the database",
};

/** Numbers of errors, of both servers, that tell of the database and not of the statement. */
const FAULTS: ReadonlyMap<number, Fault> = new Map([
  // A lock was waited for too long; a deadlock; a row has changed meanwhile; too many locks.
  [1205, BUSY],
  [1213, BUSY],
  [1020, BUSY],
  [1206, BUSY],
  // A statement took too long, or was ended by hand.
  [1317, BUSY],
  [1969, BUSY],
  [3024, BUSY],
  [1637, BUSY],
  [1040, CROWDED],
  [1203, CROWDED],
  [1226, CROWDED],
  [1021, FULL],
  [1114, FULL],
  [3675, FULL],
  [1290, READ_ONLY],
  [1792, READ_ONLY],
  [1836, READ_ONLY],
  [1142, FORBIDDEN],
  [1143, FORBIDDEN],
  [1227, FORBIDDEN],
  [1044, UNREACHABLE],
  [1045, UNREACHABLE],
  [1049, UNREACHABLE],
  [1698, UNREACHABLE],
  [1030, BROKEN],
  [1026, BROKEN],
  [1034, CORRUPT],
  [1194, CORRUPT],
  [1195, CORRUPT],
  [1712, CORRUPT],
]);

const INTEGRITY_CLASS = "23";

/** The server has ended the session, or is about to: it is shut down, somebody ended it, it was silent for too long. */
const ENDED: ReadonlySet<number> = new Set([
  1053, 1077, 1079, 1080, 1152, 1159, 1160, 1161, 1184, 1927, 3168, 3169, 4031,
]);

/** Too many connections; a server that is starting, or shutting down. */
const PASSING: ReadonlySet<number> = new Set([1040, 1203, 1053]);

/** The server has failed to commit, and does not say how far it came. */
const FAILED_COMMIT = 1180;

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && "errno" in error && typeof error.errno === "number" && "sqlState" in error;
}

/** What a connection threw, in the words of the port; anything else comes back as it is. */
export function explain(error: unknown, location: Location): unknown {
  if (isLoss(error)) return storeError(UNREACHABLE, error, location.name);
  if (!isServerError(error)) return error;
  if (error.sqlState.startsWith(INTEGRITY_CLASS)) return constraintError(error);
  const fault = FAULTS.get(error.errno);
  return fault === undefined ? error : storeError(fault, error, location.name);
}

/** The same in the middle of a transaction: when the connection was lost before the commit was sent, nothing was kept. */
export function explainInside(error: unknown, location: Location): unknown {
  return isLoss(error) ? storeError(LOST, error, location.name) : explain(error, location);
}

/** True when nothing more is heard of what was under way: the connection is gone, or the server has ended it. */
export function isLoss(error: unknown): error is Error {
  return error instanceof ConnectionLost || (isServerError(error) && ENDED.has(error.errno));
}

/** True for what the server or a connection to it threw. */
export function isAnswer(error: unknown): boolean {
  return error instanceof ConnectionLost || isServerError(error);
}

/** True when it is not known what became of a commit that failed so. */
export function leavesOpen(error: unknown): boolean {
  return isLoss(error) || (isServerError(error) && error.errno === FAILED_COMMIT);
}

/** True when the server is not there yet or has no room for one more connection: to be tried again for a while. */
export function isPassing(error: unknown): boolean {
  return isServerError(error) ? PASSING.has(error.errno) : error instanceof ConnectionLost;
}

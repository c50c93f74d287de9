import { StoreError, type StoreFault } from "../../core/errors.ts";
import { hasRoom } from "./disk-room.ts";
import { describeLocation, type Location } from "./location.ts";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that tell of the database, not of the statement. */
const BUSY = 5;
const LOCKED = 6;
const IO_ERROR = 10;
const CONSTRAINT = 19;

/** Extended codes of a sync that failed: what was written may or may not outlive a power loss. */
const SYNC_ERRORS: readonly number[] = [1034, 1290];

interface Fault {
  readonly code: StoreFault;
  /** What happened, and what to do. `$` stands for where. */
  readonly says: string;
}

const BUSY_FAULT: Fault = {
  code: "STORE_BUSY",
  says: "$ is locked by another process; try again, or end the process that holds it",
};
const READ_ONLY: Fault = {
  code: "STORE_READ_ONLY",
  says: "$ cannot be written; give this user the right to write the file and its directory",
};
const CORRUPT: Fault = {
  code: "STORE_CORRUPT",
  says: "$ is not a sound SQLite database; restore it from a backup, or give another path",
};
const FULL: Fault = {
  code: "STORE_FULL",
  says: "there is no room left for $; nothing of the transaction was kept, free some space and try again",
};
const IO: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "reading or writing $ failed; look for errors of the disk in the system's log",
};
const CANNOT_OPEN: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "$ cannot be opened; check the path and the rights on its directory",
};

const FAULTS: ReadonlyMap<number, Fault> = new Map([
  [3, READ_ONLY],
  [BUSY, BUSY_FAULT],
  [LOCKED, BUSY_FAULT],
  [8, READ_ONLY],
  [IO_ERROR, IO],
  [11, CORRUPT],
  [13, FULL],
  [14, CANNOT_OPEN],
  [26, CORRUPT],
]);

/** Errors of the file system, from making the directory. */
const SYSTEM_FAULTS: ReadonlyMap<unknown, Fault> = new Map([
  ["ENOSPC", FULL],
  ["EDQUOT", FULL],
  ["EROFS", READ_ONLY],
  ["EACCES", READ_ONLY],
  ["EPERM", READ_ONLY],
  ["EEXIST", CANNOT_OPEN],
  ["ENOTDIR", CANNOT_OPEN],
]);

/** What SQLite or the file system threw, in the words of the port; anything else comes back as it is. */
export function explain(error: unknown, location: Location): unknown {
  if (!(error instanceof Error)) return error;
  const result = resultOf(error);
  if (result === null) {
    const fault = SYSTEM_FAULTS.get("code" in error ? error.code : undefined);
    return fault === undefined ? error : storeError(fault, error, location);
  }
  const primary = result & 0xff;
  if (primary === CONSTRAINT)
    return new Error(`constraint: ${error.message}; nothing of the transaction was kept`, { cause: error });
  const fault = FAULTS.get(primary);
  if (fault === undefined) return error;
  // SQLite tells ENOSPC apart, but not the file size limit, a quota, or a full disk behind shared memory.
  const full = primary === IO_ERROR && !isSyncFailure(error) && location !== null && !hasRoom(location);
  return storeError(full ? FULL : fault, error, location);
}

export function isBusy(error: unknown): boolean {
  const primary = (resultOf(error) ?? 0) & 0xff;
  return primary === BUSY || primary === LOCKED;
}

/** True when the disk did not take what was written. Trying again would say that it did, without its being so. */
export function isSyncFailure(error: unknown): boolean {
  return SYNC_ERRORS.includes(resultOf(error) ?? 0);
}

/** The extended result code, or null when it is no error of SQLite. */
function resultOf(error: unknown): number | null {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode
    : null;
}

function storeError(fault: Fault, cause: Error, location: Location): StoreError {
  const says = fault.says.replace("$", () => describeLocation(location));
  return new StoreError(fault.code, `${says} (${cause.message})`, { cause });
}

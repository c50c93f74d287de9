import { StoreError, type StoreFault } from "../core/errors.ts";

/** There is no connection, or not any more: of what was under way on it nothing more is heard. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** What the database has to say of itself, not of a statement. */
export interface Fault {
  readonly code: StoreFault;
  /** What happened, and what to do. `$` stands for where. */
  readonly says: string;
}

export const BUSY: Fault = {
  code: "STORE_BUSY",
  says: "$ could not do this beside other transactions, and nothing of it was kept; try again",
};
export const CROWDED: Fault = {
  code: "STORE_BUSY",
  says: "$ takes no more connections now; try again, or give the server more of them",
};
export const FULL: Fault = {
  code: "STORE_FULL",
  says: "there is no room left for $; nothing of the transaction was kept, free some space and try again",
};
export const CORRUPT: Fault = { code: "STORE_CORRUPT", says: "$ is damaged; restore it from a backup" };
export const UNREACHABLE: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "$ cannot be reached; check that the server runs, and the host, database, user and password",
};
export const NOT_LET_IN: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "$ does not let this program in; check the database, the user and the password",
};
export const LOST: Fault = {
  code: "STORE_BUSY",
  says: "the connection to $ was lost in the middle of a transaction, of which nothing was kept; try again",
};
export const BROKEN: Fault = {
  code: "STORE_UNAVAILABLE",
  says: "$ failed to read or write; look for errors of the disk in the server's log",
};

/** `name` is that of the store. */
export function storeError({ code, says }: Fault, cause: Error, name: string): StoreError {
  return new StoreError(code, `${says.replace("$", () => name)} (${cause.message})`, { cause });
}

/** What was refused is no fault of the database. */
export function constraintError(cause: Error): Error {
  return new Error(`constraint: ${cause.message}; nothing of the transaction was kept`, { cause });
}

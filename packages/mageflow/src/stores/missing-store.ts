import { StoreError } from "../core/errors.ts";

/** Nobody has worked there, and who came to look makes nothing. `name` is that of the store. */
export function missingStore(name: string): StoreError {
  return new StoreError(
    "STORE_MISSING",
    `there is no store in ${name}; run a workflow on it first, or name another`,
  );
}

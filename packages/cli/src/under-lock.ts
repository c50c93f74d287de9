/** The variable by which `mageflow lock` tells the commands that it runs under which lock they act. */
export const LOCK_VARIABLE = "MAGEFLOW_LOCK";

/** The lock under which this command acts, if any. */
export function underLock(): { lock?: string } {
  const lock = process.env[LOCK_VARIABLE] ?? "";
  return lock === "" ? {} : { lock };
}

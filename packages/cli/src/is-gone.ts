/** True for the error that tells that a signature was removed; also for that of another copy of the library. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "GONE";
}

import { StoreError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { UnreadableError } from "../ports/unreadable.ts";

const RETRY_MS = 100;
const RETRY_MAX_MS = 5_000;
/** Tries of one who is about to leave. */
const LAST_TRIES = 3;

/** The store has not done it, or does not tell whether it has. */
function isRefused(error: unknown): boolean {
  return error instanceof StoreError && !(error instanceof UnreadableError);
}

/** The store has not done it. */
export function isBusy(error: unknown): boolean {
  return error instanceof StoreError && error.code === "STORE_BUSY";
}

/**
 * Repeats what the store refuses until it takes it, or a few times only when `leaving`. Any other error is a fault that
 * repeating does not mend: it comes through. What must not be done twice is repeated when `isRepeated` says so only.
 */
export async function insist<T>(
  clock: Clock,
  leaving: () => boolean,
  work: () => Promise<T>,
  isRepeated: (error: unknown) => boolean = isRefused,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isRepeated(error) || (leaving() && attempt >= LAST_TRIES)) throw error;
      await clock.sleep(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** attempt));
    }
  }
}

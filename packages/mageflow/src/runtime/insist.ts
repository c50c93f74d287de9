import { StoreError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { UnreadableError } from "../ports/unreadable.ts";

const RETRY_MS = 100;
const RETRY_MAX_MS = 5_000;
/** Tries of one who is about to leave. */
const LAST_TRIES = 3;

/**
 * Repeats what the store refuses until it takes it, or a few times only when `leaving`. Any other error is a fault that
 * repeating does not mend: it comes through.
 */
export async function insist<T>(clock: Clock, leaving: () => boolean, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const refused = error instanceof StoreError && !(error instanceof UnreadableError);
      if (!refused || (leaving() && attempt >= LAST_TRIES)) throw error;
      await clock.sleep(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** attempt));
    }
  }
}

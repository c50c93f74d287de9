import { randomUUID } from "node:crypto";
import { OutcomeUnknown, type Store } from "../ports/store.ts";

/** A ticket of the store that never expires: what it says tells the copies of this store from those of all others. */
const TOKEN = "cache-namespace";
/** The last millisecond of the year 9999. */
const FOR_EVER = 253_402_300_799_999;

/**
 * What stands before everything that is kept of this store in a cache: the same for all processes that have it open, however they call
 * it, and another for every other store.
 */
export async function namespaceOf(store: Store): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      return await store.transact(async (tx) => {
        const known = await tx.ticket(TOKEN);
        if (known !== null) return known.body.slice(1, -1);
        const namespace = randomUUID();
        await tx.write({
          tickets: [{ token: TOKEN, body: JSON.stringify(namespace), expiresAt: FOR_EVER }],
        });
        return namespace;
      });
    } catch (error) {
      // Somebody else has written it at the same time, or the answer was lost.
      if (tries > 0 && !(error instanceof OutcomeUnknown && tries < 3)) throw error;
    }
  }
}

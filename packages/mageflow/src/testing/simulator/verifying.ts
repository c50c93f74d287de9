import type { Clock } from "../../ports/clock.ts";
import type { Store, Transaction } from "../../ports/store.ts";
import { type Breach, verifyStore } from "../../runtime/verify.ts";

/** Between two events nobody else has a turn, so that the audit sees one state of the store. */
const STILL: Clock = { monotonic: () => 0, sleep: async () => {}, turn: async () => {} };

/** What `mageflow verify` calls a breach, of a store in which no transaction is open. */
export async function breaches(store: Store): Promise<Breach[]> {
  const found: Breach[] = [];
  for await (const breach of verifyStore(timeless(store), STILL)) {
    if (breach.severity === "breach") found.push(breach);
  }
  return found;
}

/**
 * The store at the beginning of time, which is all that the audit asks a transaction for. Clocks step here, and processes freeze: that
 * nobody has done yet what is due says nothing.
 */
function timeless(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === "transact")
        return async (work: (tx: Transaction) => unknown) => work({ now: 0 } as Transaction);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

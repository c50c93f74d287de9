import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import { type Breach, verifyStore } from "../../runtime/verify.ts";

/** Between two events nobody else has a turn, so that the audit sees one state of the store. */
const STILL: Clock = { monotonic: () => 0, sleep: async () => {}, turn: async () => {} };

/** What `mageflow verify` calls a breach, of a store in which nothing is under way. */
export async function breaches(store: Store): Promise<Breach[]> {
  const found: Breach[] = [];
  for await (const breach of verifyStore(withoutLapses(store), STILL)) {
    if (breach.severity === "breach") found.push(breach);
  }
  return found;
}

/** The store's clock steps here, and processes freeze: that nobody has taken over what a lease lost says nothing. */
function withoutLapses(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === "workers") return async (limit: number) => (await target.workers(limit)).map(lasting);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

function lasting<Row extends { readonly leaseUntil: number }>(row: Row): Row {
  return { ...row, leaseUntil: Number.MAX_SAFE_INTEGER };
}

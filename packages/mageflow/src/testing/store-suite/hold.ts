import type { Store, Transaction } from "../../ports/store.ts";

/** A transaction that stays open until it is told to end. */
export interface Held {
  readonly ended: Promise<unknown>;
  end(): void;
}

/** Opens a transaction and does `work` in it; resolves when that is done and leaves the transaction open. */
export async function hold(store: Store, work: (tx: Transaction) => Promise<unknown>): Promise<Held> {
  const done = Promise.withResolvers<void>();
  const { promise: told, resolve: end } = Promise.withResolvers<void>();
  const ended = store.transact(async (tx) => {
    await work(tx);
    done.resolve();
    await told;
  });
  ended.catch(done.reject);
  await done.promise;
  return { ended, end };
}

import type { Store } from "../../src/ports/store.ts";

export type OpenStore = Store & AsyncDisposable;

/** Opens a store, which is closed when it is disposed of. */
export async function openStore(store: Store): Promise<OpenStore> {
  await store.open();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

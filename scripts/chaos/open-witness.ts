import type { Witness } from "./history.ts";
import { PostgresWitness } from "./postgres-witness.ts";
import { SqliteWitness } from "./sqlite-witness.ts";

/** A witness of the store with this URL. */
export function openWitness(store: string): Witness {
  return store.startsWith("sqlite:")
    ? new SqliteWitness(store.slice("sqlite:".length))
    : new PostgresWitness(store);
}

import type { Witness } from "./history.ts";
import { mysqlNotebook } from "./mysql-notebook.ts";
import { postgresNotebook } from "./postgres-notebook.ts";
import { ServerWitness } from "./server-witness.ts";
import { SqliteWitness } from "./sqlite-witness.ts";

/** A witness of the store with this URL. */
export function openWitness(store: string): Witness {
  if (store.startsWith("sqlite:")) return new SqliteWitness(store.slice("sqlite:".length));
  return new ServerWitness(store.startsWith("mysql:") ? mysqlNotebook(store) : postgresNotebook(store));
}

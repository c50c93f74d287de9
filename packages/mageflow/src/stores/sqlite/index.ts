import type { Store } from "../../ports/store.ts";
import { locate } from "./location.ts";
import { type SqliteOptions, SqliteStore } from "./sqlite-store.ts";

/**
 * A store in one SQLite file, which any number of threads and processes of this host share.
 *
 * @example
 * ```ts
 * const store = sqliteStore(".mageflow/mageflow.db"); // or ":memory:", which ends with the object
 * await store.open();
 * ```
 */
export function sqliteStore(path: string, options: SqliteOptions = {}): Store {
  return new SqliteStore(locate(path), import.meta.url, options);
}

/** Opens what the address of a store names: `sqlite:/path/to/file.db`. */
export function openStore(url: string): Store {
  return sqliteStore(url);
}

export type { SqliteOptions } from "./sqlite-store.ts";

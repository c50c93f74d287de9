import type { Store } from "../../ports/store.ts";
import { locate } from "./location.ts";
import { ServerStore, type ServerStoreOptions } from "../server-store.ts";
import { PostgresServer } from "./postgres-server.ts";

/**
 * A store in a schema of a PostgreSQL database (14 or newer), which any number of processes of any number of hosts share. Its driver
 * is the package `pg`.
 *
 * @example
 * ```ts
 * const store = postgresStore("postgres://user@host:5432/database?schema=mageflow");
 * await store.open();
 * ```
 */
export function postgresStore(url: string, options: ServerStoreOptions = {}): Store {
  return new ServerStore(new PostgresServer(locate(url)), { module: import.meta.url, url }, options);
}

/** Opens what the address of a store names. */
export function openStore(url: string): Store {
  return postgresStore(url);
}

export type { ServerStoreOptions } from "../server-store.ts";

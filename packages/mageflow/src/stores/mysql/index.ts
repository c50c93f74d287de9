import type { Store } from "../../ports/store.ts";
import { locate } from "./location.ts";
import { ServerStore, type ServerStoreOptions } from "../server-store.ts";
import { MysqlServer } from "./mysql-server.ts";

/**
 * A store in a database of MySQL (8.0 or newer) or MariaDB (10.6 or newer), which any number of processes of any number of hosts share.
 * Its driver is the package `mysql2`.
 *
 * @example
 * ```ts
 * const store = mysqlStore("mysql://user@host:3306/database");
 * await store.open();
 * ```
 */
export function mysqlStore(url: string, options: ServerStoreOptions = {}): Store {
  return new ServerStore(new MysqlServer(locate(url)), { module: import.meta.url, url }, options);
}

/** Opens what the address of a store names. */
export function openStore(url: string): Store {
  return mysqlStore(url);
}

export type { ServerStoreOptions } from "../server-store.ts";

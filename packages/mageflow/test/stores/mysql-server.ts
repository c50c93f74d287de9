import { randomUUID } from "node:crypto";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { findServerOf, type TestServer } from "../../../../scripts/servers/find-server.ts";
import { mysqlStore, type ServerStoreOptions } from "../../src/stores/mysql/index.ts";
import { type OpenStore, openStore } from "./open-store.ts";

/** The module of the store, for other processes. */
export const INDEX: string = new URL("../../src/stores/mysql/index.ts", import.meta.url).href;

/** A database that nobody else uses. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  readonly database: string;
}

export function findServer(): Promise<TestServer> {
  return findServerOf("mysql");
}

/** Makes one, which is dropped when it is disposed of. */
export async function freshDatabase(server: TestServer): Promise<Place> {
  const database = `test_${randomUUID().replaceAll("-", "_")}`;
  await ask(server, `CREATE DATABASE ${database}`);
  const url = new URL(server.url);
  url.pathname = database;
  return {
    url: url.href,
    database,
    [Symbol.asyncDispose]: async () => void (await ask(server, `DROP DATABASE IF EXISTS ${database}`)),
  };
}

export function opened(url: string, options?: ServerStoreOptions): Promise<OpenStore> {
  return openStore(mysqlStore(url, options));
}

/** Runs statements past the store in its database. Names of tables and columns are those of other stores. */
export async function edit({ url }: Pick<Place, "url">, sql: string): Promise<void> {
  const own = sql.replaceAll(/(UPDATE|FROM|INTO) (\w+)/g, "$1 mageflow_$2").replaceAll("lock =", "`lock` =");
  const { pathname } = new URL(url);
  await ask({ url }, `USE ${pathname.slice(1)}; ${own}`);
}

/** Runs statements past the store, in no database. */
export async function ask({ url }: Pick<Place, "url">, sql: string): Promise<RowDataPacket[]> {
  const { hostname, port, username, password } = new URL(url);
  const client = await createConnection({
    host: hostname,
    port: port === "" ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    connectTimeout: 2_000,
    multipleStatements: true,
  });
  try {
    const [rows] = await client.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

import { randomUUID } from "node:crypto";
import { createConnection, type RowDataPacket } from "mysql2/promise";

/** Where tests look for a server unless `MAGEFLOW_TEST_MYSQL` names one: it lets root of this host in without a password. */
const USUAL = "mysql://root@127.0.0.1:3306/test";

/** A server to test with; `missing` says why there is none. */
export interface TestServer {
  readonly url: string;
  readonly missing: string | null;
}

/** A database that nobody else uses. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  readonly database: string;
}

/** One that was named and does not answer is an error. */
export async function findServer(): Promise<TestServer> {
  const named = process.env["MAGEFLOW_TEST_MYSQL"];
  const url = named ?? USUAL;
  try {
    await ask({ url, missing: null }, "SELECT 1");
    return { url, missing: null };
  } catch (error) {
    if (named !== undefined) throw error;
    return { url, missing: "no server on the usual port, and MAGEFLOW_TEST_MYSQL names none" };
  }
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

/** Runs a statement past the store, in no database. */
export async function ask({ url }: TestServer, sql: string): Promise<RowDataPacket[]> {
  const { hostname, port, username, password } = new URL(url);
  const client = await createConnection({
    host: hostname,
    port: port === "" ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    connectTimeout: 2_000,
  });
  try {
    const [rows] = await client.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

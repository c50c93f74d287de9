import { type Connection, createConnection } from "mysql2/promise";

const SERVER = process.env["MAGEFLOW_TEST_MYSQL"] ?? "mysql://root@127.0.0.1:3306/test";

/** A database of its own for one measurement, which is dropped after it. */
export async function benchDatabase(): Promise<{ readonly url: string } & AsyncDisposable> {
  const database = `bench_${process.pid}`;
  const url = new URL(SERVER);
  url.pathname = "/";
  const ask = async (sql: string): Promise<void> => {
    const client: Connection = await createConnection(url.href);
    await client.query(sql);
    await client.end();
  };
  await ask(`CREATE DATABASE ${database}`);
  const place = new URL(SERVER);
  place.pathname = database;
  return {
    url: place.href,
    [Symbol.asyncDispose]: () => ask(`DROP DATABASE IF EXISTS ${database}`),
  };
}

import { Client } from "pg";

const SERVER = process.env["MAGEFLOW_TEST_POSTGRES"] ?? "postgres://postgres@127.0.0.1:5432/postgres";

/** A schema of its own for one measurement, which is dropped after it. */
export function benchSchema(): { readonly url: string } & AsyncDisposable {
  const schema = `bench_${process.pid}`;
  const url = new URL(SERVER);
  url.searchParams.set("schema", schema);
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      const client = new Client({ connectionString: SERVER });
      await client.connect();
      await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await client.end();
    },
  };
}

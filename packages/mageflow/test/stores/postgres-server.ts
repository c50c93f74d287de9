import { randomUUID } from "node:crypto";
import { Client } from "pg";

/** Where tests look for a server unless `MAGEFLOW_TEST_POSTGRES` names one: it trusts who comes from this host. */
const USUAL = "postgres://postgres@127.0.0.1:5432/postgres";

/** A server to test with; `missing` says why there is none. */
export interface TestServer {
  readonly url: string;
  readonly missing: string | null;
}

/** One that was named and does not answer is an error. */
export async function findServer(): Promise<TestServer> {
  const named = process.env["MAGEFLOW_TEST_POSTGRES"];
  const url = named ?? USUAL;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return { url, missing: null };
  } catch (error) {
    if (named !== undefined) throw error;
    return { url, missing: "no server on the usual port, and MAGEFLOW_TEST_POSTGRES names none" };
  }
}

/** The URL of a schema that nobody else uses, and its name. */
export function freshSchema({ url }: TestServer): { url: string; schema: string } {
  const schema = `test_${randomUUID().replaceAll("-", "_")}`;
  const place = new URL(url);
  place.searchParams.set("schema", schema);
  return { url: place.href, schema };
}

export async function dropSchema(server: TestServer, schema: string): Promise<void> {
  await ask(server, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}

/** Runs a statement past the store. */
export async function ask({ url }: TestServer, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { findServerOf, type TestServer } from "../../../../scripts/servers/find-server.ts";

export function findServer(): Promise<TestServer> {
  return findServerOf("postgres");
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

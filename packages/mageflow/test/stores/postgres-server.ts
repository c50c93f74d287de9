import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { findServerOf, type TestServer } from "../../../../scripts/servers/find-server.ts";
import { postgresStore, type ServerStoreOptions } from "../../src/stores/postgres/index.ts";
import { type OpenStore, openStore } from "./open-store.ts";

/** The module of the store, for other processes. */
export const INDEX: string = new URL("../../src/stores/postgres/index.ts", import.meta.url).href;

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

/** A schema that is dropped in the end. */
export function newPlace(server: TestServer): { url: string; schema: string } & AsyncDisposable {
  const place = freshSchema(server);
  return { ...place, [Symbol.asyncDispose]: () => dropSchema(server, place.schema) };
}

export function opened(url: string, options?: ServerStoreOptions): Promise<OpenStore> {
  return openStore(postgresStore(url, options));
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

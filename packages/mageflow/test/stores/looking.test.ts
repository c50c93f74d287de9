import { tmpdir } from "node:os";
import { join } from "node:path";
import { existsSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { MageFlow } from "../../src/index.ts";
import * as mysql from "./mysql-server.ts";
import * as postgres from "./postgres-server.ts";

const onPostgres = await postgres.findServer();
const onMysql = await mysql.findServer();

async function expectMissing(store: string): Promise<void> {
  for (let again = 0; again < 2; again++) {
    await using mage = new MageFlow({ store, create: false });
    await expect(mage.list()).rejects.toMatchObject({
      code: "STORE_MISSING",
      message: expect.stringContaining("there is no store in ") as string,
    });
  }
}

test("who makes nothing finds no file, and leaves none", async () => {
  const file = join(tmpdir(), `mageflow-looking-${randomUUID()}.db`);
  await expectMissing(file);
  expect(existsSync(file)).toBe(false);
});

describe("on PostgreSQL", needs(onPostgres), () => {
  test("who makes nothing finds no store, and leaves no schema", async () => {
    const { url, schema } = postgres.freshSchema(onPostgres);
    await expectMissing(url);
    const made = `SELECT 1 FROM information_schema.schemata WHERE schema_name = '${schema}'`;
    expect(await postgres.ask(onPostgres, made)).toEqual([]);
  });
});

describe("on MySQL", needs(onMysql), () => {
  test("who makes nothing finds no store, and leaves no table", async () => {
    await using place = await mysql.freshDatabase(onMysql);
    await expectMissing(place.url);
    const made = `SELECT 1 FROM information_schema.tables WHERE table_schema = '${place.database}'`;
    expect(await mysql.ask(onMysql, made)).toEqual([]);
  });
});

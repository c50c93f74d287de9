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

  test("a role that may only read looks at everything", async () => {
    const { url, schema } = postgres.freshSchema(onPostgres);
    const role = `${schema}_reader`;
    const mage = new MageFlow({ store: url });
    try {
      const task = mage.task("task", (_input: unknown, { log }) => log.info("seen"));
      await using _worker = await mage.worker();
      const run = await mage.run(task);
      await run.result();
      // Of a process that ended long ago, which others drop.
      await postgres.ask(onPostgres, `UPDATE ${schema}.stamps SET at = 0`);
      await postgres.ask(
        onPostgres,
        `CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
      );
      const place = new URL(url);
      place.username = role;
      await using reader = new MageFlow({ store: place.href, create: false });
      expect((await reader.list()).items).toMatchObject([{ id: run.id }]);
      const seen = await reader.get(run.id);
      expect(await seen.view()).toMatchObject({ status: "SUCCEEDED" });
      expect((await seen.children()).items).toEqual([]);
      expect(await reader.logs()).toMatchObject([{ message: "seen" }]);
      expect(await reader.workers()).toHaveLength(1);
      expect((await reader.unhandled()).size).toBe(0);
      await expect(seen.delete({ after: "1h" })).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
    } finally {
      await mage.close();
      await postgres.dropSchema(onPostgres, schema);
      await postgres.ask(onPostgres, `DROP ROLE IF EXISTS ${role}`);
    }
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

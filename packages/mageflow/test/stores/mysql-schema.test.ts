import { describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { MIGRATIONS } from "../../src/stores/mysql/migrations.ts";
import { sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { ask, findServer, freshDatabase, INDEX, opened } from "./mysql-server.ts";
import { openAtOnce, runScript } from "./store-script.ts";

const server = await findServer();

describe("the schema", needs(server), () => {
  test("many that open a new one at once all find it", async () => {
    await using fresh = await freshDatabase(server);
    await openAtOnce({ index: INDEX, url: fresh.url });
    const count = `SELECT COUNT(*) AS n FROM ${fresh.database}.mageflow_specs`;
    expect(await ask(server, count)).toEqual([{ n: 6 }]);
  });

  test.for(["first", "second", "middle", "last"] as const)(
    "one that is killed at its %s statement is followed by one that finishes it",
    async (which) => {
      await using fresh = await freshDatabase(server);
      // That of the list of versions, those of the schema, and the one that notes its version.
      const count = MIGRATIONS.flat().length + 2;
      const at = { first: 0, second: 1, middle: count >> 1, last: count - 1 }[which];
      await expect(runScript(KILLED_AT(at), { index: INDEX, url: fresh.url })).rejects.toHaveProperty(
        "signal",
        "SIGKILL",
      );
      await using store = await opened(fresh.url);
      await store.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
      expect(await store.get(["a"])).toHaveLength(1);
      const version = `SELECT version FROM ${fresh.database}.mageflow_schema`;
      expect(await ask(server, version)).toEqual([{ version: MIGRATIONS.length }]);
    },
  );

  test("of a newer version is refused, and left as it is", async () => {
    await using fresh = await freshDatabase(server);
    await (await opened(fresh.url)).close();
    await ask(server, `INSERT INTO ${fresh.database}.mageflow_schema VALUES (99)`);
    await expect(opened(fresh.url)).rejects.toMatchObject({
      code: "STORE_NEWER",
      message: expect.stringContaining("version 99"),
    });
  });

  test("stands beside the tables of others, but for those with names of its own", async () => {
    await using fresh = await freshDatabase(server);
    await ask(server, `CREATE TABLE ${fresh.database}.signatures (id int)`);
    await (await opened(fresh.url)).close();
    await using other = await freshDatabase(server);
    await ask(server, `CREATE TABLE ${other.database}.mageflow_signatures (id int)`);
    await expect(opened(other.url)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("another program"),
    });
    const tables = `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${other.database}'`;
    expect(await ask(server, tables)).toEqual([{ name: "mageflow_signatures" }]);
  });
});

/** Opens the store, and is killed before the statement of the schema with this number. */
const KILLED_AT = (number: number): string => `
  import { Connection } from "mysql2";
  const { query } = Connection.prototype;
  let left = ${number};
  Connection.prototype.query = function (options, done) {
    if (/CREATE TABLE|INSERT IGNORE INTO mageflow_(commits|gates|schema)/.test(options.sql) && left-- === 0)
      process.kill(process.pid, "SIGKILL");
    return query.call(this, options, done);
  };
  await store.open();`;

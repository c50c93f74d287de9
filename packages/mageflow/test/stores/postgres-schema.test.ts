import { describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { MIGRATIONS } from "../../src/stores/postgres/migrations.ts";
import { sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { ask, findServer, INDEX, newPlace, opened } from "./postgres-server.ts";
import { openAtOnce, runScript } from "./store-script.ts";

const server = await findServer();

describe("the schema", needs(server), () => {
  test("many that open a new one at once all find it", async () => {
    await using place = newPlace(server);
    await openAtOnce({ index: INDEX, url: place.url });
    expect(await ask(server, `SELECT count(*)::int AS n FROM ${place.schema}.specs`)).toEqual([{ n: 6 }]);
  });

  test.for(["first", "second", "middle", "last"] as const)(
    "one that is killed at its %s statement has done nothing",
    async (which) => {
      await using place = newPlace(server);
      const count = MIGRATIONS.flatMap((sql) => sql.split(STATEMENT_END)).length;
      const at = { first: 0, second: 1, middle: count >> 1, last: count - 1 }[which];
      await expect(runScript(KILLED_AT(at), { index: INDEX, url: place.url })).rejects.toHaveProperty(
        "signal",
        "SIGKILL",
      );
      const left = `SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = '${place.schema}'`;
      expect(await ask(server, left)).toEqual([{ n: 0 }]);
      await using store = await opened(place.url);
      await store.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
      expect(await store.get(["a"])).toHaveLength(1);
    },
  );

  test("of a newer version is refused, and left as it is", async () => {
    await using place = newPlace(server);
    await (await opened(place.url)).close();
    await ask(server, `UPDATE ${place.schema}.mageflow_schema SET version = 99`);
    await expect(opened(place.url)).rejects.toMatchObject({
      code: "STORE_NEWER",
      message: expect.stringContaining("version 99"),
    });
  });

  test("of another program is refused, and left as it is", async () => {
    await using place = newPlace(server);
    await ask(server, `CREATE SCHEMA ${place.schema} CREATE TABLE other (id int)`);
    await expect(opened(place.url)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("another program"),
    });
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname = '${place.schema}'`;
    expect(await ask(server, tables)).toEqual([{ tablename: "other" }]);
  });
});

/** Of the schema: no statement has one inside. */
const STATEMENT_END = /;\s*\n/;

/** Opens the store statement by statement, and is killed before the one with this number. */
const KILLED_AT = (number: number): string => `
  import { Client } from "pg";
  const { query } = Client.prototype;
  const migrations = ${JSON.stringify(MIGRATIONS)};
  let made = 0;
  Client.prototype.query = async function (sql, ...rest) {
    if (!migrations.includes(sql)) return query.call(this, sql, ...rest);
    let answer;
    for (const statement of sql.split(${STATEMENT_END})) {
      if (made++ === ${number}) process.kill(process.pid, "SIGKILL");
      answer = await query.call(this, statement);
    }
    return answer;
  };
  await store.open();`;

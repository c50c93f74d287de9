import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Breach, chain, MageFlow } from "mageflow";
import { needs, type TestServer } from "../../../../scripts/servers/find-server.ts";
import * as mysql from "./mysql-server.ts";
import * as postgres from "./postgres-server.ts";

/** A database, and a way past MageFlow into it. */
interface Place {
  readonly url: string;
  edit(sql: string): Promise<void>;
  remove(): Promise<void>;
}

/** Where records are damaged, and the servers that it takes. */
interface Kind {
  readonly name: string;
  readonly servers: readonly TestServer[];
  readonly make: () => Place | Promise<Place>;
}

const postgresServer = await postgres.findServer();
const mysqlServer = await mysql.findServer();

const KINDS: readonly Kind[] = [
  { name: "SQLite", servers: [], make: onSqlite },
  { name: "PostgreSQL", servers: [postgresServer], make: onPostgres },
  { name: "MySQL", servers: [mysqlServer], make: onMysql },
];

function onSqlite(): Place {
  const folder = mkdtempSync(join(tmpdir(), "mageflow-"));
  const file = join(folder, "store.db");
  return {
    url: `sqlite:${file}`,
    edit: async (sql) => {
      const db = new DatabaseSync(file);
      db.exec(sql);
      db.close();
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

function onPostgres(): Place {
  const { url, schema } = postgres.freshSchema(postgresServer);
  return {
    url,
    edit: async (sql) => void (await postgres.ask(postgresServer, `SET search_path TO ${schema}; ${sql}`)),
    remove: () => postgres.dropSchema(postgresServer, schema),
  };
}

async function onMysql(): Promise<Place> {
  const place = await mysql.freshDatabase(mysqlServer);
  return {
    url: place.url,
    edit: (sql) => mysql.edit(place, sql),
    remove: async () => place[Symbol.asyncDispose](),
  };
}

for (const { name, servers, make } of KINDS)
  describe(`damaged records on ${name}`, needs(...servers), () => {
    cases(make);
  });

function register(mage: MageFlow) {
  return mage.task("echo", ({ n }: { n: number }) => ({ n }));
}

function cases(make: Kind["make"]): void {
  let place: Place;
  let mage: MageFlow;
  let echo: ReturnType<typeof register>;
  /** A task, a chain of two and another task, which all wait for a worker. */
  let ids: { first: string; chain: string; last: string };

  function opened(): void {
    mage = new MageFlow({ store: place.url });
    echo = register(mage);
  }

  beforeEach(async () => {
    place = await make();
    opened();
    ids = {
      first: (await mage.run(echo, { n: 1 })).id,
      chain: (await mage.run(chain([echo, echo]), { n: 2 })).id,
      last: (await mage.run(echo, { n: 3 })).id,
    };
    await mage.close();
  });

  afterEach(async () => {
    await mage.close();
    await place.remove();
  });

  /** What somebody may do to the database beside MageFlow; `?1` is the first task, `?2` the chain. */
  async function edit(sql: string): Promise<void> {
    await place.edit(sql.replaceAll("?1", `'${ids.first}'`).replaceAll("?2", `'${ids.chain}'`));
  }

  describe.each([
    ["its spec is gone", "DELETE FROM specs WHERE root_id = ?1", "first", "", /its spec/],
    ["its spec is junk", "UPDATE specs SET body = '{' WHERE root_id = ?1", "first", "", /its spec/],
    ["its status is junk", "UPDATE signatures SET status = 'WEIRD' WHERE id = ?1", "first", "", /its status/],
    ["its error is junk", "UPDATE signatures SET error = '{' WHERE id = ?1", "first", "", /its column error/],
    [
      "its chain is junk",
      "UPDATE signatures SET family = '{' WHERE id = ?2",
      "chain",
      "",
      /its column family/,
    ],
    ["its chain is gone", "DELETE FROM signatures WHERE id = ?2", "chain", ".0", /orphan/],
  ] as const)("a signature waits and %s", (_, sql, at, below, says) => {
    beforeEach(async () => {
      await edit(sql);
      opened();
    });

    test("what else is there, and what comes, is run", async () => {
      await using worker = await mage.worker({ concurrency: 1 });
      expect(await (await mage.get(ids.last)).result({ timeout: "30s" })).toEqual({ n: 3 });
      expect(await (await mage.run(echo, { n: 4 })).result({ timeout: "30s" })).toEqual({ n: 4 });
      const delayed = await mage.run(echo, { n: 5 }, { delay: 10 });
      expect(await delayed.result({ timeout: "30s" })).toEqual({ n: 5 });
      await worker.stop();
    });

    test("verify names it, and looks at the rest", async () => {
      const breaches: Breach[] = [];
      let signatures = 0;
      const onProgress = (audited: { signatures: number }): void => void ({ signatures } = audited);
      for await (const breach of mage.verify({ onProgress })) breaches.push(breach);
      const named = breaches.filter(({ id }) => id === ids[at] + below);
      expect(named.map(({ message }) => message).join("; ")).toMatch(says);
      expect(named.map(({ severity }) => severity)).not.toContain("warning");
      expect(signatures).toBeGreaterThanOrEqual(4);
    });
  });

  test("who asks for what cannot be read is told so", async () => {
    await edit("UPDATE signatures SET status = 'WEIRD' WHERE id = ?1");
    opened();
    const unreadable = { code: "STORE_CORRUPT", message: expect.stringMatching(/"WEIRD".*mageflow verify/) };
    await expect(mage.get(ids.first)).rejects.toMatchObject(unreadable);
    const listed = await mage.list();
    expect(listed.items.map(({ id }) => id).toSorted()).toEqual([ids.chain, ids.last].toSorted());
  });

  test("what is due and damaged does not keep the process busy", async () => {
    await edit(
      "UPDATE signatures SET status = 'WAITING', ready_at = NULL, due_at = 1, error = '{' WHERE id = ?1",
    );
    opened();
    await using worker = await mage.worker();
    expect(await (await mage.get(ids.last)).result({ timeout: "30s" })).toEqual({ n: 3 });
    const delayed = await mage.run(echo, { n: 4 }, { delay: 300 });
    const before = (await mage.metrics()).commits;
    expect(await delayed.result({ timeout: "30s" })).toEqual({ n: 4 });
    expect((await mage.metrics()).commits - before).toBeLessThan(50);
    await worker.stop();
  });
}

import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import { needs } from "../../../../scripts/servers/find-server.ts";
import type { SignatureRecord } from "../../src/core/record.ts";
import { mysqlStore } from "../../src/stores/mysql/index.ts";
import { Connection } from "../../src/stores/mysql/connection.ts";
import { inventory } from "../../src/stores/mysql/inventory.ts";
import { locate } from "../../src/stores/mysql/location.ts";
import { Integrity } from "../../src/stores/server-integrity.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { sampleEntry } from "../../src/testing/store-suite/sample-entry.ts";
import { sampleLog } from "../../src/testing/store-suite/sample-log.ts";
import { sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { bellCases } from "./bell-cases.ts";
import { lostConnectionCases } from "./lost-connection-cases.ts";
import { ask, edit, findServer, freshDatabase, INDEX, opened } from "./mysql-server.ts";
import { serverCases } from "./server-cases.ts";
import { sideBySideCases } from "./side-by-side-cases.ts";

const server = await findServer();

describe("on a server", needs(server), async () => {
  const place = server.missing === null ? await freshDatabase(server) : null;
  const { url, database } = place ?? { url: server.url, database: "" };

  afterAll(async () => place?.[Symbol.asyncDispose]());

  storeSuite({
    name: "MySQL",
    create: () => opened(url),
    reopen: async (store) => {
      await store.close();
      return opened(url);
    },
    destroy: (store) => store.close(),
    edit: (_, sql) => edit({ url }, sql),
  });

  describe("as every store on a server", () => {
    serverCases(url, opened);
  });

  describe("a server", () => {
    test("that has no such database is named without secrets", async () => {
      const wrong = new URL(url);
      wrong.username = "somebody";
      wrong.password = "secret";
      wrong.pathname = "/no_such_database";
      const store = mysqlStore(wrong.href);
      expect(store.name).not.toContain("secret");
      await expect(store.open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await expect(store.open()).rejects.not.toThrow("secret");
    });

    test("that does not answer is not there", async () => {
      await using line = await cutLine(url);
      const { url: gone } = line;
      await line[Symbol.asyncDispose]();
      await expect(opened(gone, { patience: 0 })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    });

    test("on which one may only read is refused", async () => {
      await using fresh = await freshDatabase(server);
      const user = fresh.database.slice(0, 30);
      await ask(server, `CREATE USER ${user} IDENTIFIED BY 'pass'`);
      try {
        await ask(server, `GRANT SELECT ON ${fresh.database}.* TO ${user}`);
        const reader = new URL(fresh.url);
        reader.username = user;
        reader.password = "pass";
        await expect(opened(reader.href)).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
      } finally {
        await ask(server, `DROP USER ${user}`);
      }
    });
  });

  describe("a connection that is lost", () => {
    lostConnectionCases(url, opened);

    test("again and again does not fail who only reads", async () => {
      await using fresh = await freshDatabase(server);
      await using line = await cutLine(fresh.url);
      await using store = await opened(line.url);
      const holder = await createConnection(fresh.url);
      await holder.query("LOCK TABLES mageflow_journal_heads WRITE");
      const reading = store.lastSeq("none");
      const waiting = `SELECT id FROM information_schema.processlist
        WHERE db = '${fresh.database}' AND state LIKE 'Waiting for table%'`;
      const cut = new Set<number>();
      while (cut.size < 3) {
        const next = (await ask(server, waiting)).map(({ id }) => id as number).find((id) => !cut.has(id));
        if (next === undefined) continue;
        cut.add(next);
        line.cut();
      }
      await holder.query("UNLOCK TABLES");
      expect(await reading).toBe(0);
      await holder.end();
    });

    test("while the schema is being made does not fail who opens the store", async () => {
      await using fresh = await freshDatabase(server);
      await using line = await cutLine(fresh.url);
      const opening = opened(line.url);
      const tables = `SELECT 1 FROM information_schema.tables WHERE table_schema = '${fresh.database}' LIMIT 1`;
      while ((await ask(server, tables)).length === 0);
      line.cut();
      await using store = await opening;
      await store.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
      expect(await store.get(["a"])).toHaveLength(1);
    });

    test("before the answer to a commit leaves it open, until its stamp is asked for", async () => {
      await using line = await cutLine(url);
      await using store = await opened(line.url);
      await using witness = await opened(url);
      await store.transact((tx) => tx.write({ stamp: { by: "kept", n: 1 } }));
      const [refused] = await Promise.allSettled([
        store.transact(async (tx) => {
          await tx.write({ insert: [sampleTask("kept")], stamp: { by: "kept", n: 2 } });
          await tx.read(["kept"]);
          line.mute("server");
        }),
        (async () => {
          while ((await witness.get(["kept"])).length === 0);
          line.cut();
        })(),
      ]);
      expect(refused).toMatchObject({ reason: { name: "OutcomeUnknown" } });
      expect(await store.stamped("kept")).toBe(2);
      expect(await store.stamped("kept")).toBe(2);
    });
  });

  describe("side by side", () => {
    sideBySideCases({ index: INDEX, url, opened, blocked: () => blocked(database) });
  });

  test("whoever looks for damage reads each row some times only, however many there are", async () => {
    await using fresh = await freshDatabase(server);
    await using store = await opened(fresh.url);
    const ids = Array.from({ length: 3_000 }, (_, n) => `many ${n}`);
    const of = { generation: 1, body: "{}", progress: { fraction: 0.5, note: null } };
    await store.transact((tx) =>
      tx.write({
        specs: ids.map((rootId) => ({ rootId, id: "0", body: "{}" })),
        journal: new Map(ids.map((id) => [id, [sampleEntry(id)]])),
        checkpoints: ids.map((id) => ({ id, ...of })),
        progress: ids.map((id) => ({ id, ...of })),
      }),
    );
    const db = await Connection.open(locate(fresh.url));
    const reads = async (): Promise<number> =>
      Number((await db.get<[string, string]>("SHOW SESSION STATUS LIKE 'Handler_read_next'"))![1]);
    const before = await reads();
    expect(await new Integrity(inventory(db), 10).damage()).toEqual([]);
    expect(await reads()).toBeLessThan(before + 2 * 4 * ids.length);
    await db.close();
  });

  describe("the bell", () => {
    bellCases(url, opened);
  });

  test("a text may have what UTF-8 cannot carry, and a key what ends another", async () => {
    await using store = await opened(url);
    const message = "a\0b \ud800 \u001a0000 \u{1f600} \\' -- ;";
    await store.transact((tx) => tx.write({ logs: [sampleLog("raw", message)] }));
    expect(await store.logs({ id: "raw", contains: "\0b", after: 0, limit: 9 })).toMatchObject([{ message }]);
  });

  test("what is too much for one message goes in several, and lands at once or not at all", async () => {
    await using store = await opened(url);
    const large = (n: number): SignatureRecord =>
      sampleTask(`large${n}`, { bound: JSON.stringify("\\'".repeat(1_000) + "x".repeat(1_200_000)) });
    const records = Array.from({ length: 12 }, (_, n) => large(n));
    const taken = store.transact((tx) => tx.write({ insert: [...records, sampleTask("large7")] }));
    await expect(taken).rejects.toThrow("constraint");
    expect(await store.get(records.map(({ id }) => id))).toEqual([]);
    await store.transact((tx) => tx.write({ insert: records }));
    expect((await store.get(["large11"]))[0]).toEqual(large(11));
  });

  test("what is too much for any message is refused, and what cannot be written at all, and nothing is kept", async () => {
    await using store = await opened(url);
    const huge = { rootId: "huge", id: "1", body: "x".repeat(70_000_000) };
    const kept = { rootId: "huge", id: "0", body: "{}" };
    await expect(store.transact((tx) => tx.write({ specs: [kept, huge] }))).rejects.toThrow("bytes at once");
    const half = store.transact(async (tx) => {
      await tx.write({ specs: [kept] });
      await tx.write({ insert: [sampleTask("half", { slot: 0.5 })] });
    });
    await expect(half).rejects.toThrow("no whole number");
    expect(await store.specs([kept])).toEqual([]);
  });
});

/** Waits until a transaction in this database waits for a lock. InnoDB tells nothing new to who has asked within a tenth of a second. */
async function blocked(database: string): Promise<void> {
  const waiting = `SELECT COUNT(*) AS n FROM information_schema.innodb_trx AS t
    JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id
    WHERE p.db = '${database}' AND t.trx_state = 'LOCK WAIT'`;
  while ((await ask(server, waiting))[0]!["n"] === 0) await sleep(150);
}

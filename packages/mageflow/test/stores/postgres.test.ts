import { afterAll, describe, expect, test } from "vitest";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { postgresStore } from "../../src/stores/postgres/index.ts";
import { locate } from "../../src/stores/postgres/location.ts";
import { PostgresServer } from "../../src/stores/postgres/postgres-server.ts";
import type { PostgresTransaction } from "../../src/stores/postgres/postgres-transaction.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { sampleLog } from "../../src/testing/store-suite/sample-log.ts";
import { sampleItems, sampleSwarm, sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { sampleStop } from "../../src/testing/store-suite/sample-stop.ts";
import { bellCases, rings } from "./bell-cases.ts";
import { lostConnectionCases } from "./lost-connection-cases.ts";
import { ask, dropSchema, findServer, freshSchema, INDEX, newPlace, opened } from "./postgres-server.ts";
import { serverCases } from "./server-cases.ts";
import { sideBySideCases } from "./side-by-side-cases.ts";

const server = await findServer();

describe("on a server", needs(server), () => {
  const { url, schema } = freshSchema(server);

  afterAll(() => dropSchema(server, schema));

  storeSuite({
    name: "PostgreSQL",
    create: () => opened(url),
    reopen: async (store) => {
      await store.close();
      return opened(url);
    },
    destroy: (store) => store.close(),
    edit: async (_, sql) => void (await ask(server, `SET search_path TO ${schema}; ${sql}`)),
  });

  describe("as every store on a server", () => {
    serverCases(url, opened);
  });

  test("a commit that cannot be counted is not kept, and told why", async () => {
    await using place = newPlace(server);
    await using store = await opened(place.url);
    await ask(server, `ALTER SEQUENCE ${place.schema}.commits RENAME TO gone`);
    const commit = store.transact((tx) => tx.write({ insert: [sampleTask("uncounted")] }));
    await expect(commit).rejects.toThrow('"commits" does not exist');
    expect(await store.get(["uncounted"])).toEqual([]);
  });

  test("a column that says again what is inside of a text, and is empty, is damage", async () => {
    await using place = newPlace(server);
    await using store = await opened(place.url);
    const stopped = sampleTask("stopped", { status: "INTERRUPTED", stop: sampleStop({ done: false }) });
    await store.transact((tx) => tx.write({ insert: [stopped] }));
    expect(await store.damage(9)).toEqual([]);
    await ask(server, `UPDATE ${place.schema}.signatures SET stop_done = NULL`);
    const message = "its column stop_done says other than stop";
    expect(await store.damage(9)).toEqual([{ id: "stopped", message }]);
  });

  test("what another process makes startable again is found soon, and when there is nothing else", async () => {
    await using one = await opened(url);
    await using two = await opened(url);
    const swarm = sampleSwarm("again");
    // As many as cannot be started one by one in half a second.
    const items = sampleItems(swarm, 2_000);
    await one.transact((tx) => tx.write({ insert: [swarm, ...items] }));
    const start = (limit: number): Promise<number[]> =>
      one.transact(async (tx) => {
        await tx.lock([swarm.id], { wait: true });
        const next = await tx.window({ id: swarm.id, what: "start", limit });
        await tx.write({ update: next.map((item) => ({ ...item, status: "READY", readyAt: 1 })) });
        return next.map(({ slot }) => slot);
      });
    const reopen = (slot: number): Promise<void> =>
      two.transact(async (tx) => {
        await tx.lock([items[slot]!.id], { wait: true });
        await tx.write({ update: [items[slot]!] });
      });
    expect(await start(2)).toEqual([0, 1]);
    await reopen(0);
    const found: number[] = [];
    while (found.at(-1) !== 0 && found.length < items.length) found.push(...(await start(1)));
    expect(found.length).toBeLessThan(items.length - 2);
    await reopen(1);
    expect(await start(items.length)).toContain(1);
    expect(await start(1)).toEqual([]);
  });

  test("a commit is known by its stamp: a server that has crashed may give the number of a transaction to another one", async () => {
    await using store = await opened(url);
    const postgres = new PostgresServer(locate(url));
    const db = await postgres.connect();
    try {
      const fate = (number: string, n: number): Promise<number | "open" | null> =>
        postgres.fate(db, { db, tx: { number, stamp: { by: "crash", n } } as PostgresTransaction });
      const [another] = (await db.get<[string]>("SELECT pg_current_xact_id()"))!;
      const toCome = String(BigInt(another) + 1_000_000n);
      expect([await fate(another, 1), await fate(toCome, 1)]).toEqual([0, 0]);
      await store.transact((tx) => tx.write({ insert: [sampleTask("crash")], stamp: { by: "crash", n: 1 } }));
      expect([await fate(another, 1), await fate(toCome, 1)]).toEqual([1, 1]);
      expect(await fate(another, 2)).toBe(1);
    } finally {
      await db.close();
    }
  });

  describe("a server", () => {
    test("that has no such database is named without secrets", async () => {
      const wrong = new URL(url);
      wrong.username = "somebody";
      wrong.password = "secret";
      wrong.pathname = "/no_such_database";
      const store = postgresStore(wrong.href);
      expect(store.name).not.toContain("secret");
      // What does not pass is not waited for.
      const begun = performance.now();
      await expect(store.open()).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringContaining("check the database, the user and the password"),
      });
      expect(performance.now() - begun).toBeLessThan(5_000);
      await expect(store.open()).rejects.not.toThrow("secret");
    });

    test("that does not answer is not there", async () => {
      await using line = await cutLine(url);
      const { url: gone } = line;
      await line[Symbol.asyncDispose]();
      await expect(opened(gone, { patience: 0 })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    });

    test("that takes no changes is refused", async () => {
      const readOnly = new URL(url);
      readOnly.searchParams.set("options", "-c default_transaction_read_only=on");
      await expect(opened(readOnly.href)).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
    });
  });

  describe("a connection that is lost", () => {
    lostConnectionCases(url, opened);

    test("before the answer to a commit leaves it open, until its stamp is asked for", async () => {
      await using line = await cutLine(url);
      await using store = await opened(line.url);
      await using witness = await opened(url);
      await store.transact((tx) => tx.write({ stamp: { by: "kept", n: 1 } }));
      const [refused] = await Promise.allSettled([
        store.transact(async (tx) => {
          await tx.write({ insert: [sampleTask("kept")], stamp: { by: "kept", n: 2 } });
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
    sideBySideCases({ index: INDEX, url, opened, blocked: () => blocked(schema) });
  });

  describe("the bell", () => {
    bellCases(url, opened);

    test("is not needed: who ended before ringing is noticed", async () => {
      await using store = await opened(url);
      const count = (): Promise<unknown> => ask(server, `SELECT nextval('${schema}.commits')`);
      expect(await rings(store, count)).toBe(true);
    });
  });

  test("a log message may have what no text of PostgreSQL can", async () => {
    await using store = await opened(url);
    const message = "a\0b \ud800 \u001a0000 \u{1f600}";
    await store.transact((tx) => tx.write({ logs: [sampleLog("raw", message)] }));
    expect(await store.logs({ id: "raw", contains: "\0b", after: 0, limit: 9 })).toMatchObject([{ message }]);
  });
});

/** Waits until a transaction in this schema waits for a lock. */
async function blocked(schema: string): Promise<void> {
  const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND application_name = 'mageflow' AND pid IN (
      SELECT pid FROM pg_locks WHERE relation = '${schema}.signatures'::regclass OR locktype = 'advisory')`;
  while ((await ask(server, waiting))[0]!["n"] === 0);
}

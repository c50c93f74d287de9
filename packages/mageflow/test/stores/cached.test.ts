import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { CachedStore } from "../../src/caches/cached-store.ts";
import { redisCache } from "../../src/caches/redis/index.ts";
import type { Store } from "../../src/ports/store.ts";
import { memoryStore } from "../../src/stores/memory/memory-store.ts";
import { mysqlStore } from "../../src/stores/mysql/index.ts";
import { postgresStore } from "../../src/stores/postgres/index.ts";
import { openStore as sqliteStore } from "../../src/stores/sqlite/index.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { findServer as findMysql, freshDatabase } from "./mysql-server.ts";
import { dropSchema, findServer as findPostgres, freshSchema } from "./postgres-server.ts";
import { findRedis } from "./redis-server.ts";

const redis = await findRedis();
const postgres = await findPostgres();
const mysql = await findMysql();

/** Every store keeps to its port behind a cache too. */
describe("behind Redis", needs(redis), () => {
  storeSuite({
    name: "memory behind Redis",
    create: () => opened(memoryStore()),
    destroy: (store) => store.close(),
    skip: {
      rowLocks: "transactions run one after the other",
      durable: "what it holds is gone with the process",
    },
  });

  storeSuite({
    name: "SQLite behind Redis",
    create: () => opened(sqliteStore(join(mkdtempSync(join(tmpdir(), "mageflow-")), "store.db"))),
    reopen: async (store) => {
      await store.close();
      return opened(sqliteStore(store.address!.url));
    },
    destroy: async (store) => {
      await store.close();
      rmSync(dirname(store.address!.url.slice("sqlite:".length)), { recursive: true });
    },
    skip: { rowLocks: "one transaction at a time writes to the file" },
  });

  describe("with PostgreSQL", needs(postgres), () => {
    const { url, schema } = freshSchema(postgres);
    afterAll(() => dropSchema(postgres, schema));

    storeSuite({
      name: "PostgreSQL behind Redis",
      create: () => opened(postgresStore(url)),
      reopen: async (store) => {
        await store.close();
        return opened(postgresStore(url));
      },
      destroy: (store) => store.close(),
    });
  });

  describe("with MySQL", needs(mysql), async () => {
    const place = mysql.missing === null ? await freshDatabase(mysql) : null;
    const { url } = place ?? mysql;
    afterAll(async () => place?.[Symbol.asyncDispose]());

    storeSuite({
      name: "MySQL behind Redis",
      create: () => opened(mysqlStore(url)),
      reopen: async (store) => {
        await store.close();
        return opened(mysqlStore(url));
      },
      destroy: (store) => store.close(),
    });
  });
});

async function opened(store: Store): Promise<Store> {
  const cached = new CachedStore(store, redisCache(redis.url));
  await cached.open();
  return cached;
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe } from "vitest";
import { needs, type TestServer } from "../../../../scripts/servers/find-server.ts";
import { CachedStore } from "../../src/caches/cached-store.ts";
import { redisCache } from "../../src/caches/redis/index.ts";
import { bullmq } from "../../src/engines/bullmq/index.ts";
import { MageFlow, type MageFlowOptions } from "../../src/index.ts";
import type { Store, Transaction } from "../../src/ports/store.ts";
import { memoryStore } from "../../src/stores/memory/memory-store.ts";
import { openStore as openMysql } from "../../src/stores/mysql/index.ts";
import { openStore as openPostgres } from "../../src/stores/postgres/index.ts";
import { openStore as openSqlite } from "../../src/stores/sqlite/index.ts";
import { freshPrefix, removeKeys } from "../engines/redis-keys.ts";
import { findServer as findMysql, freshDatabase } from "../stores/mysql-server.ts";
import { dropSchema, findServer as findPostgres, freshSchema } from "../stores/postgres-server.ts";
import { findRedis } from "../stores/redis-server.ts";

/** What brings the tasks: the project `face-bullmq` runs the same cases with BullMQ, on stores that several processes share. */
const ENGINE = process.env["MAGEFLOW_TEST_ENGINE"] ?? "embedded";

/** A place to keep a workflow for the length of one test. */
interface Place {
  readonly store: string | Store;
  readonly cache?: string;
  remove(): Promise<void>;
}

const [postgres, mysql, redis] = await Promise.all([findPostgres(), findMysql(), findRedis()]);

const PLACES: Readonly<Record<string, () => Place | Promise<Place>>> = {
  memory: () => {
    const store = memoryStore();
    return { store: leftOpen(store), remove: () => store.close() };
  },
  sqlite: () => {
    const folder = mkdtempSync(join(tmpdir(), "mageflow-face-"));
    return {
      store: `sqlite:${join(folder, "face.db")}`,
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  PostgreSQL: onPostgres,
  MySQL: async () => {
    const database = await freshDatabase(mysql);
    return { store: database.url, remove: async () => database[Symbol.asyncDispose]() };
  },
  "PostgreSQL behind Redis": () => ({ ...onPostgres(), cache: redis.url }),
};

function onPostgres(): Place {
  const { url, schema } = freshSchema(postgres);
  return { store: url, remove: () => dropSchema(postgres, schema) };
}

/** What several processes can share, each by a connection of its own: an engine is of no use elsewhere. */
const SHARED: ReadonlySet<string> = new Set(["sqlite", "PostgreSQL"]);

/** What a place needs. */
const SERVERS: Readonly<Record<string, readonly TestServer[]>> = {
  PostgreSQL: [postgres],
  MySQL: [mysql],
  "PostgreSQL behind Redis": [postgres, redis],
};

/** The store, for several MageFlows: one that is closed does not close it for the others. */
function leftOpen(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Gives a new MageFlow on the store of the test. */
export type Open = (options?: Omit<MageFlowOptions, "store" | "cache">) => MageFlow;
/** Writes to the store of the test past MageFlow. */
export type Strike = (work: (tx: Transaction) => Promise<void>) => Promise<void>;

/**
 * Runs the same cases on every store. All that one test opens share a store, and are closed after it.
 */
export function onEachStore(what: string, cases: (open: Open, strike: Strike) => void): void {
  for (const [name, make] of Object.entries(PLACES)) {
    if (ENGINE === "bullmq" && !SHARED.has(name)) continue;
    const where = ENGINE === "embedded" ? name : `${name} and ${ENGINE}`;
    const servers = [...(SERVERS[name] ?? []), ...(ENGINE === "bullmq" ? [redis] : [])];
    describe(`${what} (${where})`, needs(...servers), () => {
      const prefix = freshPrefix();
      let place: Place;
      let opened: MageFlow[];
      beforeEach(async () => {
        place = await make();
        opened = [];
      });
      afterEach(async () => {
        await Promise.all(opened.map((mage) => mage.close()));
        await place.remove();
        if (ENGINE === "bullmq") await removeKeys(redis.url, prefix);
      });
      const open: Open = (options = {}) => {
        const { store, cache } = place;
        const engine = ENGINE === "bullmq" ? { engine: bullmq(redis.url, { prefix }) } : {};
        const mage = new MageFlow({
          ...engine,
          ...options,
          store,
          ...(cache === undefined ? {} : { cache }),
        });
        opened.push(mage);
        return mage;
      };
      cases(open, async (work) => {
        const truth = typeof place.store === "string" ? storeAt(place.store) : place.store;
        const store = place.cache === undefined ? truth : new CachedStore(truth, redisCache(place.cache));
        await store.open();
        await store.transact(work);
        await store.close();
      });
    });
  }
}

function storeAt(url: string): Store {
  if (url.startsWith("sqlite:")) return openSqlite(url);
  return url.startsWith("mysql:") ? openMysql(url) : openPostgres(url);
}

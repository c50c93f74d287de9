import { setImmediate as immediate } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { CachedStore } from "../../src/caches/cached-store.ts";
import { redisCache } from "../../src/caches/redis/index.ts";
import type { Store } from "../../src/ports/store.ts";
import { postgresStore } from "../../src/stores/postgres/index.ts";
import { sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { OwnRedis, redisProgram } from "../../../../scripts/servers/own-redis.ts";
import { dropSchema, findServer, freshSchema } from "./postgres-server.ts";

const server = await findServer();

const WRITES = 150;

/** Answers of reads are a few turns of the event loop late, now more and now less, so that much may happen before they are kept. */
function late(store: Store): Store {
  let reads = 0;
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "get") return value.bind(target) as unknown;
      return async (ids: string[]) => {
        const records = await target.get(ids);
        for (let turns = (reads++ * 7) % 60; turns > 0; turns--) await immediate();
        return records;
      };
    },
  });
}
const IDS = ["a", "b", "c"];
/** A copy that was a second on its way lives a second; a busy machine takes its time. */
const EXPIRED_MS = 3_000;

describe("processes that race behind a cache", needs(server, redisProgram), () => {
  const { url, schema } = freshSchema(server);
  afterAll(() => dropSchema(server, schema));

  /** Three processes write and read the same records as fast as they can, two more only read; `nemesis` strikes now and then. */
  async function race(own: OwnRedis, prefix: string, nemesis: (n: number) => Promise<void>) {
    const ids = IDS.map((id) => `${prefix}${id}`);
    const stores = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => {
        const store = new CachedStore(late(postgresStore(url)), redisCache(own.url));
        await store.open();
        return store;
      }),
    );
    await stores[0]!.transact((tx) => tx.write({ insert: ids.map((id) => sampleTask(id)) }));
    /** When which epoch was acknowledged to anybody, by id. */
    const acknowledged = new Map(ids.map((id): [string, number[]] => [id, [performance.now()]]));
    /** How long ago (ms) had been acknowledged what a read did not show. */
    const stale: number[] = [];
    let writing = 0;

    const writer = async (store: CachedStore): Promise<void> => {
      writing++;
      for (let n = 0; n < WRITES; n++) {
        const id = ids[n % ids.length]!;
        const epoch = await store.transact(async (tx) => {
          const { records } = await tx.lock([id], { wait: true });
          const [record] = records;
          await tx.write({ update: [{ ...record!, epoch: record!.epoch + 1 }] });
          return record!.epoch + 1;
        });
        acknowledged.get(id)![epoch] = performance.now();
        // Others find it written by nobody for a while.
        for (let turns = (n * 5) % 40; turns > 0; turns--) await immediate();
      }
      writing--;
    };
    const reader = async (store: CachedStore): Promise<void> => {
      while (writing > 0) {
        const asked = performance.now();
        for (const { id, epoch } of await store.get(ids)) {
          const next = acknowledged.get(id)![epoch + 1];
          if (next !== undefined && next < asked) stale.push(asked - next);
        }
      }
    };
    const writers = stores.slice(0, 3).map(writer);
    const readers = stores.flatMap((store) => [reader(store), reader(store)]);
    for (let n = 0; writing > 0; n++) await nemesis(n);
    await Promise.all([...writers, ...readers]);
    // Commits of a process that could not reach the cache in time are seen by the others when their copies expire.
    const outages = stores.reduce((sum, { meter }) => sum + meter.numbers.outages, 0);
    const tooOld = outages === 0 ? stale : stale.filter((ms) => ms > EXPIRED_MS);
    const hits = stores.reduce((sum, { meter }) => sum + meter.numbers.hits, 0);
    const ends = await Promise.all(
      stores.map(async (store) => (await store.get(ids)).map(({ epoch }) => epoch)),
    );
    await Promise.all(stores.map((store) => store.close()));
    return { stale: tooOld, hits, ends };
  }

  test("nobody reads anything that is older than what was acknowledged before", async () => {
    await using own = await OwnRedis.start();
    const { stale, hits, ends } = await race(own, "calm", () => immediate());
    expect(stale).toEqual([]);
    expect(hits).toBeGreaterThan(0);
    expect(ends).toEqual([1, 2, 3, 4, 5].map(() => IDS.map(() => WRITES)));
  });

  test("nor when its scripts are lost over and over", async () => {
    await using own = await OwnRedis.start();
    await own.ask(async (client) => {
      const { stale, ends } = await race(own, "scripts", async (n) => {
        if (n % 5 === 0) await client.script("FLUSH");
        else await client.ping();
      });
      expect(stale).toEqual([]);
      expect(ends).toEqual([1, 2, 3, 4, 5].map(() => IDS.map(() => WRITES)));
    });
  });

  test("nor for longer than a moment when it is flushed all the time", async () => {
    await using own = await OwnRedis.start();
    await own.ask(async (client) => {
      const { stale, ends } = await race(own, "gone", async () => void (await client.flushall()));
      expect(stale.filter((ms) => ms > EXPIRED_MS)).toEqual([]);
      expect(ends).toEqual([1, 2, 3, 4, 5].map(() => IDS.map(() => WRITES)));
    });
  });
});

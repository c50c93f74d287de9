import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { copyOf } from "../../src/caches/copy.ts";
import { redisCache } from "../../src/caches/redis/index.ts";
import { type Divergence, MageFlow, StoreError } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory/memory-store.ts";
import type { Store } from "../../src/ports/store.ts";
import { eventually } from "../face/eventually.ts";
import { OwnRedis, redisProgram } from "../../../../scripts/servers/own-redis.ts";

describe("mage.cache", needs(redisProgram), () => {
  let server: OwnRedis;
  let store: Store;
  let mage: MageFlow;
  let id: string;

  beforeEach(async () => {
    server = await OwnRedis.start();
    store = memoryStore();
    mage = new MageFlow({ store, cache: server.url });
    const echo = mage.task("echo", ({ n }: { n: number }) => n);
    await using worker = await mage.worker();
    const run = await mage.run(echo, { n: 1 });
    await run.settled();
    ({ id } = run);
    await worker.stop();
    await copied();
  });

  afterEach(async () => {
    await mage.close();
    await server[Symbol.asyncDispose]();
  });

  /** The key of the record's copy, when there is one. */
  async function copied(): Promise<string> {
    return eventually(async () => {
      await (await mage.get(id)).status();
      const [key] = await server.ask((client) => client.keys(`*:r:${id}`));
      const value = key === undefined ? null : await server.ask((client) => client.get(key));
      return value?.startsWith("=") === true ? key! : null;
    });
  }

  async function plant(change: (copy: string) => string): Promise<void> {
    const key = await copied();
    await server.ask(async (client) => {
      const value = (await client.get(key))!;
      const space = value.indexOf(" ") + 1;
      await client.set(key, value.slice(0, space) + change(value.slice(space)), "PX", 60_000);
    });
  }

  async function divergences(): Promise<Divergence[]> {
    const found: Divergence[] = [];
    for await (const one of mage.cache.verify()) found.push(one);
    return found;
  }

  test("verify finds nothing in what was only used", async () => {
    let compared = 0;
    for await (const _ of mage.cache.verify((now) => (compared = now))) expect.unreachable();
    expect(compared).toBe(1);
  });

  test("verify finds a copy that differs, and rebuild mends it", async () => {
    const [record] = await store.get([id]);
    await plant(() => copyOf({ ...record!, status: "FAILED", epoch: 9 })!);
    expect(await divergences()).toEqual([{ id, message: "its copy differs in status, epoch" }]);
    await mage.cache.rebuild();
    expect(await divergences()).toEqual([]);
    expect((await (await mage.get(id)).status()).status).toBe("SUCCEEDED");
  });

  test("verify finds what is no copy, and what is of no record", async () => {
    await plant((copy) => `${copy}x`);
    const [record] = await store.get([id]);
    const key = await copied();
    const other = key.replace(id, "other");
    await server.ask(async (client) => {
      const instant = (await client.get(key))!.split(" ")[0]!;
      await client.set(other, `${instant} ${copyOf({ ...record!, id: "other" })!}`, "PX", 60_000);
    });
    expect((await divergences()).toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([
      { id, message: "its copy cannot be read" },
      { id: "other", message: "there is a copy of it, and no such record" },
    ]);
  });

  test("stats tell what it does, and when it does not", async () => {
    await (await mage.get(id)).status();
    const stats = await eventually(async () => {
      const now = await mage.cache.stats();
      return (now.shared?.all.hits ?? 0) > 0 ? now : null;
    });
    expect(stats).toMatchObject({
      health: "ok",
      why: null,
      process: { hits: expect.any(Number), outages: 0 },
      shared: {
        hitRate: expect.any(Number),
        copies: { entries: 1, bytes: expect.any(Number) },
        maxBytes: null,
      },
    });
    await server.kill();
    await (await mage.get(id)).status();
    expect(await mage.cache.stats()).toMatchObject({
      health: "degraded",
      why: expect.any(String),
      shared: null,
    });
    await expect(mage.cache.rebuild()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(divergences()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("stats tell of an outage that is over", async () => {
    await server.kill();
    await (await mage.get(id)).status();
    await server.start();
    const stats = await eventually(async () => {
      const { shared } = await mage.cache.stats();
      return (shared?.all.outages ?? 0) > 0 ? shared : null;
    });
    expect(stats).toMatchObject({ all: { outages: 1 } });
  });

  test.for<[string, (client: Redis) => Promise<unknown>, RegExp]>([
    ["full", (client) => client.config("SET", "maxmemory", "1"), /OOM/],
    ["a replica", (client) => client.replicaof("127.0.0.1", 1), /READONLY/],
  ])("stats of a process that has just begun tell that the server is %s", async ([, spoil, why]) => {
    await server.ask(spoil);
    await using other = new MageFlow({ store: memoryStore(), cache: server.url });
    expect(await other.cache.stats()).toMatchObject({
      health: "degraded",
      why: expect.stringMatching(why),
    });
  });

  test("without a cache it says so", async () => {
    await using other = new MageFlow({ store: "memory:" });
    await expect(other.cache.stats()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

test("a cache whose driver is not installed is refused, and nothing goes on without it", async () => {
  const missing = new StoreError("STORE_UNAVAILABLE", "the driver is not installed");
  const cache = redisCache("redis://127.0.0.1:1");
  cache.open = () => Promise.reject(missing);
  const warnings: Error[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on("warning", listen);
  await using mage = new MageFlow({ store: "memory:", cache });
  await expect(mage.list()).rejects.toBe(missing);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listen);
  expect(warnings).toEqual([]);
});

test.for([
  ["http://user:secret@host", "UNSUPPORTED_STORE", "no cache for that URL"],
  ["redis:", "INVALID_ARGUMENT", "cannot be read"],
  ["redis://host/secret", "INVALID_ARGUMENT", "by something else than a number"],
  ["", "INVALID_ARGUMENT", 'cache is ""'],
  [5, "INVALID_ARGUMENT", "cache is 5"],
  [{}, "INVALID_ARGUMENT", "redis://host:6379"],
] as const)("%s is no cache", ([cache, code, message]) => {
  const make = () => new MageFlow({ store: "memory:", cache: cache as string });
  expect(make).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  expect(make).not.toThrow("secret");
});

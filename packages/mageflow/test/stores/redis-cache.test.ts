import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { redisCache } from "../../src/caches/redis/index.ts";
import type { Cache, CacheEntry } from "../../src/ports/cache.ts";
import { OwnRedis, redisProgram } from "../../../../scripts/servers/own-redis.ts";
import { findRedis } from "./redis-server.ts";

const redis = await findRedis();
const MINUTE = 60_000;
const ignore = (): void => {};

/** Whether the place of `a` shows a copy to somebody who takes nothing. */
async function shown(cache: Cache, id = "a"): Promise<string | null> {
  const { copies, kept } = await cache.read([id], "looker", 1);
  if (kept.length > 0) await cache.fill("looker", [{ id, text: null, life: 0 }]);
  return copies.get(id)?.text ?? null;
}

async function filled(cache: Cache, text: string, id = "a"): Promise<void> {
  await cache.read([id], "filler", MINUTE);
  await cache.fill("filler", [{ id, text, life: MINUTE }]);
}

const leaving = (ids: string[], gone: string[] = []) => ({ ids, lease: MINUTE, gone, goneFor: MINUTE });
const copies = (id: string, text: string | null) => ({
  copies: text === null ? [] : [{ id, text, life: MINUTE }],
  without: text === null ? [id] : [],
  back: [],
  ring: false,
});

describe("a cache in Redis", needs(redis, redisProgram), () => {
  let namespace: string;
  let cache: Cache;
  beforeEach(async () => {
    namespace = `test-${randomUUID()}`;
    cache = redisCache(redis.url);
    await cache.open(namespace);
  });
  afterEach(() => cache.close());

  test("shows what was filled in, with an instant", async () => {
    const before = (await cache.read(["a"], "me", MINUTE)).now;
    await cache.fill("me", [{ id: "a", text: "one", life: MINUTE }]);
    const { copies: found, now } = await cache.read(["a"], "me", MINUTE);
    expect(found.get("a")?.text).toBe("one");
    expect(found.get("a")!.at).toBeGreaterThanOrEqual(before);
    expect(found.get("a")!.at).toBeLessThanOrEqual(now);
  });

  test("keeps an empty place for one reader", async () => {
    expect((await cache.read(["a", "b"], "me", MINUTE)).kept).toEqual(["a", "b"]);
    expect((await cache.read(["b", "c"], "other", MINUTE)).kept).toEqual(["c"]);
    await cache.fill("other", [{ id: "b", text: "late", life: MINUTE }]);
    expect(await shown(cache, "b")).toBeNull();
  });

  test("a place that is given up can be taken", async () => {
    await cache.read(["a"], "me", MINUTE);
    await cache.fill("me", [{ id: "a", text: null, life: 0 }]);
    expect((await cache.read(["a"], "other", MINUTE)).kept).toEqual(["a"]);
  });

  test("a fill that was read before a write loses, before and after its end", async () => {
    await cache.read(["a"], "me", MINUTE);
    await cache.begin("writer", leaving(["a"]));
    await cache.fill("me", [{ id: "a", text: "old", life: MINUTE }]);
    expect(await shown(cache)).toBeNull();
    await cache.end("writer", copies("a", "new"));
    await cache.fill("me", [{ id: "a", text: "old", life: MINUTE }]);
    expect(await shown(cache)).toBe("new");
  });

  test("a reader gets no place while somebody writes", async () => {
    await filled(cache, "old");
    expect(await cache.begin("writer", leaving(["a", "b"]))).toEqual(["a"]);
    expect(await cache.read(["a", "b"], "me", MINUTE)).toMatchObject({ kept: [], copies: new Map() });
    await cache.end("writer", copies("a", null));
    expect((await cache.read(["a"], "me", MINUTE)).kept).toEqual(["a"]);
  });

  test("of two writers the later one leaves its copy, in whatever order they end", async () => {
    for (const order of [
      ["first", "second"],
      ["second", "first"],
    ]) {
      await cache.begin("first", leaving(["a"]));
      await cache.begin("second", leaving(["a"]));
      for (const writer of order) await cache.end(writer, copies("a", writer));
      // Ended last, the first finds a copy that it did not make, and takes it away.
      expect(await shown(cache)).toBe(order[1] === "second" ? "second" : null);
    }
  });

  test("who is read stays known as such from writer to writer", async () => {
    await filled(cache, "old");
    expect(await cache.begin("first", leaving(["a"]))).toEqual(["a"]);
    expect(await cache.begin("second", leaving(["a"]))).toEqual(["a"]);
  });

  test("a writer whose place was lost takes away what came there instead", async () => {
    await cache.begin("writer", leaving(["a", "b"]));
    await cache.forget();
    await filled(cache, "old");
    await cache.read(["b"], "me", MINUTE);
    await cache.end("writer", {
      copies: [
        { id: "a", text: "new", life: MINUTE },
        { id: "b", text: "new", life: MINUTE },
      ],
      without: [],
      back: [],
      ring: false,
    });
    await cache.fill("me", [{ id: "b", text: "old", life: MINUTE }]);
    expect([await shown(cache), await shown(cache, "b")]).toEqual([null, null]);
  });

  test("nothing inside a workflow that is gone is shown, until it is back", async () => {
    for (const id of ["a", "a.0", "a.0.success0", "ab.0"]) await filled(cache, "old", id);
    await cache.keep("page", { since: (await cache.read([], "", 1)).now, text: "old" }, MINUTE);
    await cache.begin("writer", leaving(["a"], ["a"]));
    for (const id of ["a", "a.0", "a.0.success0"]) expect(await shown(cache, id)).toBeNull();
    expect((await cache.look("page", "a")).look).toBeNull();
    expect((await cache.look("page", "b")).look?.text).toBe("old");
    expect(await shown(cache, "ab.0")).toBe("old");
    await cache.end("writer", { ...copies("a", null), back: ["a"] });
    expect(await shown(cache, "a.0")).toBe("old");
  });

  test("of two looks the younger one stays", async () => {
    const { now } = await cache.look("page", null);
    await cache.keep("page", { since: now + 5, text: "young" }, MINUTE);
    await cache.keep("page", { since: now, text: "old" }, MINUTE);
    expect((await cache.look("page", null)).look).toEqual({ since: now + 5, text: "young" });
  });

  test("what was forgotten is seen by nobody", async () => {
    const other = redisCache(redis.url);
    await other.open(namespace);
    await filled(cache, "old");
    expect(await shown(other)).toBe("old");
    await cache.forget();
    expect([await shown(cache), await shown(other)]).toEqual([null, null]);
    await filled(other, "new");
    expect(await shown(cache)).toBe("new");
    await other.close();
  });

  test("stores do not see each other's copies, and hear each other's bells neither", async () => {
    const other = redisCache(redis.url);
    await other.open(`${namespace}x`);
    await filled(other, "foreign");
    expect(await shown(cache)).toBeNull();
    let rings = 0;
    await other.listen(() => rings++, ignore);
    const same = redisCache(redis.url);
    await same.open(namespace);
    const heard = new Promise<void>((resolve) => void same.listen(resolve, ignore).then(() => end()));
    const end = (): void => void cache.end("writer", { ...copies("a", null), ring: true });
    await heard;
    expect(rings).toBe(0);
    await Promise.all([other.close(), same.close()]);
  });

  test("a process does not hear its own bell", async () => {
    const other = redisCache(redis.url);
    await other.open(namespace);
    let rings = 0;
    await cache.listen(() => rings++, ignore);
    const heard = Promise.withResolvers<void>();
    await other.listen(() => heard.resolve(), ignore);
    await cache.end("writer", { copies: [], without: [], back: [], ring: true });
    await heard.promise;
    // What is asked on the same server after it was published comes after it.
    await cache.read([], "", 1);
    expect(rings).toBe(0);
    await other.close();
  });

  test("ids that are patterns, paths and markup are ids", async () => {
    const ids = ["*", "a:b", "{a}", "a b", "a\n", "\0", "=1 x", "ü", "gen", "", "__proto__", '"', "\\ud800"];
    for (const id of ids) await filled(cache, JSON.stringify(id), id);
    const { copies: found } = await cache.read(ids, "me", MINUTE);
    for (const id of ids) expect(found.get(id)?.text).toBe(JSON.stringify(id));
  });

  test("lists what it keeps, and adds up numbers", async () => {
    await filled(cache, "old", "*");
    await cache.begin("writer", leaving(["b"]));
    await cache.keep("page", { since: 5, text: "old" }, MINUTE);
    const entries: CacheEntry[] = [];
    for await (const page of cache.entries()) entries.push(...page);
    const kinds = entries.map(({ kind, id }) => (kind === "look" ? kind : `${kind} ${id}`));
    expect([...new Set(kinds)].toSorted()).toEqual(["copy *", "look", "place b"]);
    await cache.count({ hits: 2, fillMs: 1.4 });
    await cache.count({ hits: 3 });
    expect(await cache.usage()).toMatchObject({
      counted: { hits: 5, fillMs: 1 },
      usedBytes: expect.any(Number),
    });
  });

  test("a database that the server does not have is no cache, and no other one is used for it", async () => {
    await using server = await OwnRedis.start();
    const own = redisCache(`${server.url}/99`);
    await expect(own.open(namespace)).rejects.toThrow("DB index is out of range");
    await expect(own.read(["a"], "me", MINUTE)).rejects.toThrow("connection");
    expect(await server.ask((client) => client.dbsize())).toBe(0);
    await own.close();
  });

  test("scripts that the server has forgotten are given to it again", async () => {
    await using server = await OwnRedis.start();
    const own = redisCache(server.url);
    await own.open(namespace);
    await filled(own, "old");
    await server.ask((client) => client.script("FLUSH"));
    expect(await shown(own)).toBe("old");
    await own.close();
  });
});

test.for([
  ["redis://user:secret@/0", "cannot be read"],
  ["http://user:secret@host", "cannot be read"],
  ["redis://host/secret", "by something else than a number"],
  ["redis://host/1/secret", "by something else than a number"],
  ["redis://host/-1?prefix=a", "by something else than a number"],
  ["redis://host?prfx=a", 'the parameter "prfx", which cannot be used; there is prefix='],
  ["redis://host?prefix=a&db=2", 'the parameter "db"'],
  ["redis://host?prefix=a*", "letters, digits"],
] as const)("%s is refused", ([url, message]) => {
  expect(() => redisCache(url)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  expect(() => redisCache(url)).toThrow(message);
  expect(() => redisCache(url)).not.toThrow("secret");
});

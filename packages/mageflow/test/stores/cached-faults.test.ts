import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { CachedStore } from "../../src/caches/cached-store.ts";
import { copyOf } from "../../src/caches/copy.ts";
import { redisCache } from "../../src/caches/redis/index.ts";
import type { SignatureRecord } from "../../src/core/record.ts";
import { OutcomeUnknown, type Store } from "../../src/ports/store.ts";
import { memoryStore } from "../../src/stores/memory/memory-store.ts";
import { sampleChild, sampleSwarm, sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { eventually } from "../face/eventually.ts";
import { OwnRedis, redisProgram } from "../../../../scripts/servers/own-redis.ts";
import { slowLine } from "./slow-line.ts";

/** What no single call may take, even the first that meets a fault: half a second, and some for a busy machine. */
const BOUND_MS = 2_000;

/** Stops a call of a store until it is let go, so that something can happen meanwhile. */
interface Gate {
  /** Resolves when the call has been made. */
  readonly reached: Promise<void>;
  open(): void;
}

/** The store that the processes of a test share; each call may be held up once, behind what it does. */
function shared(store: Store) {
  const gates = new Map<string, { reached: () => void; opened: Promise<void>; fail: boolean }>();
  const view = new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      // As a store that tells nobody: what is heard is the cache's bell.
      if (name === "watch") return () => () => {};
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const answer: unknown = await Reflect.apply(value, target, args);
        const gate = gates.get(String(name));
        if (gate === undefined) return answer;
        gates.delete(String(name));
        gate.reached();
        await gate.opened;
        if (gate.fail) throw new OutcomeUnknown("the answer was lost");
        return answer;
      };
    },
  });
  const hold = (name: keyof Store, fail = false): Gate => {
    const reached = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    gates.set(name, { reached: () => reached.resolve(), opened: opened.promise, fail });
    return { reached: reached.promise, open: () => opened.resolve() };
  };
  return { view, hold };
}

describe("a store behind a Redis that fails", needs(redisProgram), () => {
  let server: OwnRedis;
  let truth: Store;
  let hold: (name: keyof Store, fail?: boolean) => Gate;
  let view: Store;
  /** Two processes. */
  let one: CachedStore;
  let two: CachedStore;

  beforeEach(async () => {
    server = await OwnRedis.start();
    truth = memoryStore();
    ({ view, hold } = shared(truth));
    one = await opened();
    two = await opened();
    await one.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
  });

  afterEach(async () => {
    await Promise.all([one.close(), two.close()]);
    await server[Symbol.asyncDispose]();
  });

  async function opened(url = server.url): Promise<CachedStore> {
    const store = new CachedStore(view, redisCache(url));
    await store.open();
    return store;
  }

  async function write(store: Store, epoch: number, id = "a"): Promise<void> {
    await store.transact(async (tx) => {
      const { records } = await tx.lock([id], { wait: true });
      await tx.write({ update: records.map((record) => ({ ...record, epoch })) });
    });
  }

  async function epoch(store: Store, id = "a"): Promise<number | undefined> {
    return (await store.get([id]))[0]?.epoch;
  }

  /** Reads until the answer comes from the cache. */
  async function warm(store: CachedStore, id = "a"): Promise<void> {
    await eventually(async () => {
      const { hits } = store.meter.numbers;
      await store.get([id]);
      return store.meter.numbers.hits > hits ? true : null;
    });
  }

  async function quickly<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const answer = await work();
    expect(performance.now() - begun).toBeLessThan(BOUND_MS);
    return answer;
  }

  const down = (store: CachedStore) => eventually(async () => store.degraded);
  const up = (store: CachedStore) => eventually(async () => (store.degraded === null ? true : null));

  test("reads of what nobody writes come from the cache, for both", async () => {
    await warm(one);
    const read = hold("get");
    expect([await epoch(one), await epoch(two)]).toEqual([0, 0]);
    let asked = false;
    void read.reached.then(() => (asked = true));
    expect(asked).toBe(false);
  });

  test("a write of one process is seen by the other as soon as it is acknowledged", async () => {
    for (let n = 1; n <= 50; n++) {
      await warm(two);
      await write(one, n);
      expect([await epoch(two), await epoch(one)]).toEqual([n, n]);
    }
  });

  test("a fill that read the store before a commit does not come after it", async () => {
    const reading = hold("get");
    const old = epoch(two);
    await reading.reached;
    await write(one, 1);
    reading.open();
    expect(await old).toBe(0);
    for (const store of [two, one, two]) expect(await epoch(store)).toBe(1);
  });

  test("while a commit is under way nobody gets the old copy or puts one there", async () => {
    await warm(one);
    const committed = hold("transact");
    const writing = write(one, 1);
    await committed.reached;
    expect(await epoch(two)).toBe(1);
    committed.open();
    await writing;
    expect(await epoch(two)).toBe(1);
  });

  test("what is read between a write and its commit is not kept", async () => {
    await one.transact(async (tx) => {
      const { records } = await tx.lock(["a"], { wait: true });
      await tx.write({ update: records.map((record) => ({ ...record, epoch: 1 })) });
      expect(await epoch(two)).toBe(0);
    });
    expect([await epoch(two), await epoch(one)]).toEqual([1, 1]);
  });

  test("a transaction that fails leaves what it would have written to be read again", async () => {
    await warm(one);
    const failing = one.transact(async (tx) => {
      const { records } = await tx.lock(["a"], { wait: true });
      await tx.write({ update: records.map((record) => ({ ...record, epoch: 9 })) });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect([await epoch(one), await epoch(two)]).toEqual([0, 0]);
    await warm(two);
  });

  test("a commit whose answer was lost is seen, by all", async () => {
    await warm(two);
    const lost = hold("transact", true);
    const writing = write(one, 1);
    await lost.reached;
    lost.open();
    await expect(writing).rejects.toThrow(OutcomeUnknown);
    expect([await epoch(one), await epoch(two)]).toEqual([1, 1]);
  });

  test("flushed at any moment, it shows nothing that is older than what was acknowledged", async () => {
    const flush = () => server.ask((client) => client.flushall());
    for (let n = 1; n <= 60; n++) {
      if (n % 2 === 0) await warm(two);
      const moments = [
        () => flush().then(() => write(one, n)),
        () => Promise.all([flush(), write(one, n), two.get(["a"])]),
        async () => {
          const committed = hold("transact");
          const writing = write(one, n);
          await committed.reached;
          await flush();
          // What is read now is new, and what is kept of it is taken away again.
          await two.get(["a"]);
          committed.open();
          await writing;
        },
        async () => {
          const reading = hold("get");
          const old = two.get(["a"]);
          const writing = write(one, n);
          await Promise.race([reading.reached, old]);
          await flush();
          reading.open();
          await Promise.all([old, writing]);
        },
        () => write(one, n).then(flush),
      ];
      await moments[n % moments.length]!();
      expect([await epoch(one), await epoch(two)]).toEqual([n, n]);
    }
  });

  test("killed and started again, it costs a moment and nothing else", async () => {
    await warm(one);
    await server.kill();
    await quickly(() => write(one, 1));
    expect(await quickly(() => epoch(one))).toBe(1);
    expect(await quickly(() => epoch(two))).toBe(1);
    expect(await down(one)).toMatch(/connect|closed|writeable/i);
    await server.start();
    await Promise.all([up(one), up(two)]);
    await warm(two);
    expect([await epoch(one), await epoch(two)]).toEqual([1, 1]);
  });

  test("frozen, it is waited for once, and thawed it shows nothing old", async () => {
    await Promise.all([warm(one), warm(two)]);
    server.freeze();
    await quickly(() => write(one, 1));
    expect(await quickly(() => epoch(one))).toBe(1);
    expect(await down(one)).toMatch(/not answered/);
    const begun = performance.now();
    for (let n = 2; n < 200; n++) await write(one, n);
    expect(performance.now() - begun).toBeLessThan(BOUND_MS);
    server.thaw();
    await Promise.all([up(one), up(two)]);
    await write(one, 200);
    expect(await epoch(one)).toBe(200);
    // The other process has not met the fault, and finds that what was there is forgotten.
    await eventually(async () => ((await epoch(two)) === 200 ? true : null));
  });

  test.for([
    ["a replica that only reads", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"], /READONLY/],
    ["full", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], /OOM|maxmemory/],
  ] as const)("%s, it is left alone until it takes writes again", async ([, spoil, mend, why]) => {
    await warm(one);
    const order = ([name, ...rest]: readonly string[]) => server.ask((client) => client.call(name!, rest));
    await order(spoil);
    await quickly(() => write(one, 1));
    expect(await quickly(() => epoch(one))).toBe(1);
    expect(await down(one)).toMatch(why);
    await order(mend);
    await up(one);
    await warm(one);
    await eventually(async () => ((await epoch(two)) === 1 ? true : null));
  });

  test("slow, it is waited for no longer than a moment", async () => {
    await using line = await slowLine(server.url);
    const store = await opened(line.url);
    await warm(store);
    line.delay = 130;
    await eventually(async () => {
      await store.get(["a"]);
      return store.degraded;
    });
    expect(store.degraded).toMatch(/take longer/);
    const begun = performance.now();
    for (let n = 1; n <= 100; n++) {
      await write(store, n);
      expect(await epoch(store)).toBe(n);
    }
    expect(performance.now() - begun).toBeLessThan(BOUND_MS);
    line.delay = 0;
    await up(store);
    await warm(store);
    await store.close();
  });

  test("one that is not there when the store is opened is used when it comes", async () => {
    await using late = await OwnRedis.off();
    const store = await opened(late.url);
    await write(store, 1);
    expect(await epoch(store)).toBe(1);
    expect(store.degraded).toMatch(/connect|closed/i);
    await late.start();
    await up(store);
    await warm(store);
    await store.close();
  });

  test("what a process commits that cannot reach the cache is seen by others a second later", async () => {
    const alone = await opened("redis://127.0.0.1:1");
    await warm(two);
    await write(alone, 1);
    expect(await epoch(alone)).toBe(1);
    await eventually(async () => ((await epoch(two)) === 1 ? true : null));
    await alone.close();
  });

  test("garbage is not believed", async () => {
    const keys = () => server.ask((client) => client.keys("*:r:a"));
    const good = copyOf(sampleTask("a"))!;
    for (const bad of [
      "garbage",
      "",
      "= ",
      "=1 ",
      `=1 ${good}`,
      `=99999999999999 ${good}`,
      `=NOW ${good.replace("PENDING", "RUNNING")}`,
      `=NOW ${good.slice(0, -1)}`,
      `=NOW ${copyOf(sampleTask("b"))}`,
      `=NOW 1 ${good}`,
    ]) {
      await warm(two);
      const [key] = await keys();
      await server.ask(async (client) => {
        const [seconds, micros] = await client.time();
        const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
        await client.set(key!, bad.replace("NOW", String(now)), "PX", 60_000);
      });
      expect(await two.get(["a"])).toEqual([sampleTask("a")]);
      await write(one, 0);
    }
  });

  test("pages and counters are as new as what this process has committed or seen the end of", async () => {
    const swarm = sampleSwarm("s");
    const items = [0, 1, 2].map((n) => sampleChild(swarm, n, { status: "READY", readyAt: 1 }));
    await one.transact((tx) => tx.write({ insert: [swarm, ...items] }));
    const open = (store: Store) => store.tally("s", ["READY", "SUCCEEDED"]);
    const page = async (store: Store) =>
      (await store.children({ parentId: "s", of: "children", after: null, limit: 9 })).map(
        ({ status }) => status,
      );
    for (const [n, item] of items.entries()) {
      await Promise.all([open(one), page(one), open(two), page(two)]);
      const ended: SignatureRecord = { ...item, status: "SUCCEEDED", milestone: 1 };
      await one.transact(async (tx) => {
        await tx.lock([item.id], { wait: true });
        await tx.write({ update: [ended] });
      });
      expect((await open(one)).get("SUCCEEDED")).toBe(n + 1);
      expect((await page(one))[n]).toBe("SUCCEEDED");
      expect(await two.get([item.id])).toEqual([ended]);
      expect((await open(two)).get("SUCCEEDED")).toBe(n + 1);
      expect((await page(two))[n]).toBe("SUCCEEDED");
    }
  });

  test("nothing of a workflow that was condemned is shown from then on", async () => {
    const swarm = sampleSwarm("s");
    const item = sampleChild(swarm, 0);
    await one.transact((tx) => tx.write({ insert: [swarm, item] }));
    await Promise.all([warm(two, "s"), warm(two, item.id)]);
    await one.transact(async (tx) => {
      await tx.lock(["s"], { wait: true });
      await tx.write({ drafts: [{ condemn: "s" }] });
    });
    for (const store of [two, one]) expect(await store.get(["s", item.id])).toEqual([]);
  });

  test("the bell of the cache is heard in the other process", async () => {
    let heard = false;
    const unwatch = two.watch(() => (heard = true));
    for (let n = 1; !heard; n++) await write(one, n);
    // And again, when that connection alone was lost.
    await server.ask((client) => client.call("CLIENT", "KILL", "TYPE", "pubsub"));
    heard = false;
    for (let n = 1; !heard; n++) await write(one, n);
    expect(heard).toBe(true);
    unwatch();
  });
});

import { MageFlow, swarm } from "mageflow";
import { bullmq } from "mageflow/bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Job, Queue, Worker } from "bullmq";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { OwnRedis, redisProgram } from "../../../../scripts/servers/own-redis.ts";
import { type Folder, folder, type Program, program } from "./program.ts";

describe("processes whose tasks are brought by BullMQ", needs(redisProgram), () => {
  let redis: OwnRedis;
  let files: Folder;
  beforeEach(async () => {
    redis = await OwnRedis.start();
    files = folder();
  });
  afterEach(async () => {
    files[Symbol.dispose]();
    await redis[Symbol.asyncDispose]();
  });

  const worker = async (stack: AsyncDisposableStack): Promise<Program> => {
    const process = stack.use(program("brought-tasks", files.store, files.ledger, redis.url));
    await process.says("ready");
    return process;
  };

  /** Each item ended, and none began twice but those that a dead worker had. */
  const expectOnce = (items: number, dead: readonly Program[]): void => {
    const rows = readLedger(files.ledger);
    const starts = Map.groupBy(
      rows.filter(({ what }) => what === "start"),
      ({ id }) => id,
    );
    expect(starts.size).toBe(items);
    const killed = new Set(dead.map(({ pid }) => pid));
    for (const [id, times] of starts) {
      const again = times.slice(0, -1).filter(({ pid }) => !killed.has(pid));
      expect(again, `${id} began ${times.length} times`).toEqual([]);
    }
  };

  test("what was given to one that died before it claimed it is brought to another", async () => {
    await using mage = new MageFlow({ store: files.store, engine: bullmq(redis.url) });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    const dead = new Worker("tasks.item", null, {
      connection: { url: redis.url },
      prefix: "mageflow",
      lockDuration: 1_000,
    });
    const run = await mage.run(item, { ms: 1 });
    let job: Job | undefined;
    while (job === undefined) job = await dead.getNextJob("dead", { block: true });
    await dead.close(true);
    await using stack = new AsyncDisposableStack();
    await worker(stack);
    await run.result({ timeout: "20s" });
    expect(readLedger(files.ledger).filter(({ what }) => what === "start")).toHaveLength(1);
  });

  test("one is killed and Redis is emptied, again and again, and nothing is lost or done twice", async () => {
    await using mage = new MageFlow({ store: files.store, engine: bullmq(redis.url) });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    await worker(stack);
    const plans = Array.from({ length: 100 }, (_, i) => item.with({ ms: 10 + (i % 30) }));
    const dead: Program[] = [];
    const runs = [];
    for (let round = 0; round < 3; round++) {
      const victim = await worker(stack);
      runs.push(await mage.run(swarm(plans, { concurrency: 50 })));
      await victim.says("began");
      await redis.ask((client) => client.flushall());
      victim.process.kill("SIGKILL");
      dead.push(victim);
      await redis.ask((client) => client.flushall());
    }
    for (const run of runs) {
      expect(await run.result({ timeout: "60s" })).toMatchObject({ total: 100, succeeded: 100 });
      await run.settled({ timeout: "30s" });
    }
    expectOnce(300, dead);
    expect(await Array.fromAsync(mage.verify())).toEqual([]);
  });

  test("work goes on while Redis is away, with one warning, and through Redis when it is back", async () => {
    await using mage = new MageFlow({ store: files.store, engine: bullmq(redis.url) });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    const one = await worker(stack);
    const warnings: string[] = [];
    one.onLine((line) => line.startsWith("warning") && warnings.push(line));
    const plans = Array.from({ length: 200 }, (_, i) => item.with({ ms: i % 10 }));
    const run = await mage.run(swarm(plans, { concurrency: 50 }));
    await one.says("began");
    await redis.kill();
    expect(await run.result({ timeout: "60s" })).toMatchObject({ succeeded: 200 });
    const another = await mage.run(item.with({ ms: 1 }));
    expect(await another.result({ timeout: "30s" })).toBe(one.pid);
    expect(warnings.length).toBeLessThanOrEqual(1);

    await redis.start();
    // An event tells of each job that has been through Redis since.
    const events = (): Promise<string> =>
      redis.ask(async (client) =>
        JSON.stringify(await client.xrange("mageflow:tasks.item:events", "-", "+")),
      );
    while (!(await events()).includes("completed")) {
      const more = await mage.run(item.with({ ms: 1 }));
      expect(await more.result({ timeout: "30s" })).toBe(one.pid);
    }
    expectOnce(new Set(readLedger(files.ledger).map(({ id }) => id)).size, []);
  });

  test("work goes on while Redis is full, and through Redis when it has room again", async () => {
    await using mage = new MageFlow({ store: files.store, engine: bullmq(redis.url) });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    const one = await worker(stack);
    await redis.ask((client) => client.config("SET", "maxmemory", "1"));
    for (let n = 0; n < 3; n++) {
      const run = await mage.run(item.with({ ms: 1 }));
      expect(await run.result({ timeout: "30s" })).toBe(one.pid);
    }
    const events = (): Promise<string> =>
      redis.ask(async (client) =>
        JSON.stringify(await client.xrange("mageflow:tasks.item:events", "-", "+")),
      );
    expect(await events()).not.toContain("completed");
    await redis.ask((client) => client.config("SET", "maxmemory", "0"));
    while (!(await events()).includes("completed")) {
      const run = await mage.run(item.with({ ms: 1 }));
      expect(await run.result({ timeout: "30s" })).toBe(one.pid);
    }
  });

  test("a user's own queues are left alone", async () => {
    const own = new Queue("tasks", { connection: { url: redis.url } });
    await own.add("mine", { n: 1 });
    const before = await redis.ask((client) => client.keys("bull:*"));
    await using mage = new MageFlow({ store: files.store, engine: bullmq(redis.url) });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    const one = await worker(stack);
    expect(await (await mage.run(item, { ms: 1 })).result({ timeout: "30s" })).toBe(one.pid);
    expect(await own.getWaitingCount()).toBe(1);
    expect((await redis.ask((client) => client.keys("bull:*"))).sort()).toEqual(before.sort());
    const keys = await redis.ask((client) => client.keys("*"));
    expect(keys.filter((key) => !/^(bull|mageflow):/.test(key))).toEqual([]);
    await own.close();
  });

  test("a queue that somebody has paused is not worked on, and is when it goes on", async () => {
    await using mage = new MageFlow({ store: files.store, engine: bullmq(redis.url) });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    const one = await worker(stack);
    const queue = new Queue("tasks.item", { connection: { url: redis.url }, prefix: "mageflow" });
    await using _closed = { [Symbol.asyncDispose]: () => queue.close() };
    await queue.pause();
    const run = await mage.run(item, { ms: 1 });
    // Longer than it takes until the sweep publishes it again.
    await expect(run.result({ timeout: "3s" })).rejects.toMatchObject({ code: "WAIT_TIMEOUT" });
    await queue.resume();
    expect(await run.result({ timeout: "30s" })).toBe(one.pid);
  });
});

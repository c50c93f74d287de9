import { MageFlow } from "mageflow";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { OwnRedis, redisProgram } from "../../../../scripts/servers/own-redis.ts";
import { bullmq } from "../../src/engines/bullmq/index.ts";
import { engineSuite } from "../../src/testing/engine-suite/index.ts";
import { findRedis } from "../stores/redis-server.ts";
import { freshPrefix, removeKeys } from "./redis-keys.ts";

const redis = await findRedis();

describe("on a server", needs(redis), () => {
  engineSuite({
    name: "bullmq",
    missing: null,
    place: async () => {
      const prefix = freshPrefix();
      return {
        engine: () => bullmq(redis.url, { prefix }),
        lose: () => removeKeys(redis.url, prefix),
        remove: () => removeKeys(redis.url, prefix),
      };
    },
  });
});

describe("one that cannot be used", needs(redisProgram), () => {
  /** What is warned of while a task is run all the same. */
  async function warnings(url: string): Promise<string[]> {
    const heard: string[] = [];
    const listen = ({ message }: Error): void => void heard.push(message);
    process.on("warning", listen);
    await using mage = new MageFlow({ store: "memory:", engine: bullmq(url) });
    const task = mage.task("task", () => 1);
    const run = await mage.run(task);
    await using _worker = await mage.worker();
    expect(await run.result({ timeout: "30s" })).toBe(1);
    // What was published is waited for.
    await mage.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    return heard;
  }

  test("has not the database, and no other one is used for it", async () => {
    await using server = await OwnRedis.start();
    expect(await warnings(`${server.url}/99`)).toEqual([expect.stringContaining("DB index is out of range")]);
    expect(await server.ask((client) => client.dbsize())).toBe(0);
  });

  test("has another password, or is not there, which is told", async () => {
    await using server = await OwnRedis.start();
    await server.ask((client) => client.config("SET", "requirepass", "secret"));
    expect(await warnings(server.url)).toEqual([expect.stringContaining("NOAUTH")]);
    expect(await warnings(server.url.replace("//", "//:wrong@"))).toEqual([
      expect.stringContaining("WRONGPASS"),
    ]);
    await server.kill();
    expect(await warnings(server.url)).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });

  test("is told of with what went wrong also by who waits for it", async () => {
    await using server = await OwnRedis.off();
    const { carrier } = bullmq(server.url);
    const delivery = { id: "x", generation: 0, epoch: 0, name: "a", priority: 0, delay: 0 };
    for (const what of ["did not answer within 2000 ms", "cannot be reached"])
      await expect(carrier!.publish([delivery])).rejects.toThrow(new RegExp(`${what}: .*ECONNREFUSED`));
    await carrier!.close();
  });
});

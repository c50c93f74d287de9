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
    await using _worker = await mage.worker();
    expect(await (await mage.run(task)).result({ timeout: "30s" })).toBe(1);
    // What was published is waited for.
    await mage.close();
    process.off("warning", listen);
    return heard;
  }

  test("has not the database, and no other one is used for it", async () => {
    await using server = await OwnRedis.start();
    expect(await warnings(`${server.url}/99`)).toEqual([
      expect.stringContaining("the engine carries nothing"),
    ]);
    expect(await server.ask((client) => client.dbsize())).toBe(0);
  });
});

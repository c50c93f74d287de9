import { describe } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
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

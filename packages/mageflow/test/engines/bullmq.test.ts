import { bullmq } from "../../src/engines/bullmq/index.ts";
import { engineSuite } from "../../src/testing/engine-suite/index.ts";
import { freshPrefix, missingRedis, REDIS, removeKeys } from "./redis-server.ts";

engineSuite({
  name: "bullmq",
  missing: await missingRedis(),
  place: async () => {
    const prefix = freshPrefix();
    return {
      engine: () => bullmq(REDIS, { prefix }),
      lose: () => removeKeys(prefix),
      remove: () => removeKeys(prefix),
    };
  },
});

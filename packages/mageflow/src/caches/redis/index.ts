import type { Cache } from "../../ports/cache.ts";
import { locate } from "./location.ts";
import { RedisCache } from "./redis-cache.ts";

/**
 * A cache in a Redis server (6.2 or newer), for `new MageFlow({ store, cache })`. Its driver is the package `ioredis`.
 *
 * @example
 * ```ts
 * const mage = new MageFlow({ store: "postgres://host/flows", cache: redisCache("redis://host:6379/0") });
 * ```
 * @throws MageFlowError (`INVALID_ARGUMENT`) for a URL that cannot be read.
 */
export function redisCache(url: string): Cache {
  return new RedisCache(locate(url));
}

import { locate } from "./caches/redis/location.ts";
import { MageFlowError } from "./core/errors.ts";
import { invalidArgument } from "./core/invalid-argument.ts";
import type { Cache } from "./ports/cache.ts";

const ACCEPTED = '"redis://host:6379", or a cache';

/**
 * Lets pass a cache, and the URL of one. What is wrong with a URL is not shown: it may hold a password.
 *
 * @throws MageFlowError (`UNSUPPORTED_STORE`) for another scheme, (`INVALID_ARGUMENT`) for what is neither, and for a URL that
 *   cannot be read.
 */
export function requireCache(given: string | Cache): void {
  if (typeof given === "object" && given !== null && "begin" in given) return;
  if (typeof given !== "string" || given.trim() === "") throw invalidArgument("cache", given, ACCEPTED);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(given)?.[1];
  if (scheme !== "redis" && scheme !== "rediss") {
    throw new MageFlowError("UNSUPPORTED_STORE", `there is no cache for that URL; use ${ACCEPTED}`);
  }
  locate(given);
}

import type { CacheStats, Divergence } from "./caches/cache-report.ts";
import type { CachedStore } from "./caches/cached-store.ts";
import { MageFlowError } from "./core/errors.ts";

/** Looks after the cache. Every call throws MageFlowError (`INVALID_ARGUMENT`) when there is none. */
export interface CacheControl {
  /** How well it does. Also tells when it is degraded, which no other call of this library does. */
  stats(): Promise<CacheStats>;
  /**
   * Lets all processes read everything from the store again.
   *
   * @throws StoreError (`STORE_UNAVAILABLE`) when the cache cannot be reached: nothing of it is shown to this process then.
   */
  rebuild(): Promise<void>;
  /**
   * Compares every copy of a record with the store; yields those that differ. There is none as long as every process that writes uses
   * the cache. `onProgress` gets the number of copies that were compared.
   */
  verify(onProgress?: (compared: number) => void): AsyncGenerator<Divergence>;
}

/** `opened` gives the store behind the cache that there is, or null. */
export function cacheControl(opened: () => Promise<CachedStore | null>): CacheControl {
  const behind = async (): Promise<CachedStore> => {
    const store = await opened();
    if (store !== null) return store;
    const what = 'there is no cache; give one to MageFlow, as in cache: "redis://host:6379"';
    throw new MageFlowError("INVALID_ARGUMENT", what);
  };
  return {
    stats: async () => (await import("./caches/cache-report.ts")).cacheStats(await behind()),
    rebuild: async () => (await behind()).forget(),
    verify: async function* (onProgress = () => {}) {
      yield* (await import("./caches/cache-report.ts")).divergences(await behind(), onProgress);
    },
  };
}

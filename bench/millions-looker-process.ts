import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow } from "mageflow";
import { watchCache } from "./cache-memory.ts";
import { runErrands } from "./errand.ts";
import { LOOKS, type Sight } from "./looks.ts";

/** The process that looks on in {@link ./millions.ts}, and tells how long each look took. */
const PAUSE_MS = 100;
const [store, cache] = process.argv.slice(2) as [string, string];
await using mage = new MageFlow({ store, cache });
const memory = watchCache(mage);
let looking: { stop(): Promise<Times> } | null = null;

/** Milliseconds by look. */
type Times = Record<string, number[]>;

function look(sight: Sight): { stop(): Promise<Times> } {
  const times: Times = {};
  const end = new AbortController();
  const rounds = (async () => {
    while (!end.signal.aborted) {
      for (const [name, see] of Object.entries(LOOKS)) {
        const from = performance.now();
        await see(mage, sight);
        (times[name] ??= []).push(performance.now() - from);
      }
      await sleep(PAUSE_MS, undefined, { signal: end.signal }).catch(() => {});
    }
    return times;
  })();
  return {
    stop: () => {
      end.abort();
      return rounds;
    },
  };
}

await runErrands({
  look: async (sight: Sight) => void (looking = look(sight)),
  stop: () => looking!.stop(),
  cache: async () => {
    const { cachePeakMb, outages } = await memory.stop();
    const { hits, misses } = (await mage.cache.stats()).process;
    return { cachePeakMb, outages, hitRate: Math.round((hits / (hits + misses)) * 1_000) / 1_000 };
  },
});

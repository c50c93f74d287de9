import type { MageFlow } from "mageflow";

const EVERY_MS = 250;

/** Asks the cache again and again how much memory its server uses. */
export function watchCache(mage: MageFlow): { stop(): Promise<{ cachePeakMb: number; outages: number }> } {
  let peak = 0;
  const look = async (): Promise<void> => {
    const { shared } = await mage.cache.stats();
    peak = Math.max(peak, shared?.usedBytes ?? 0);
  };
  const timer = setInterval(() => void look(), EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await look();
      const { outages } = (await mage.cache.stats()).process;
      return { cachePeakMb: Math.round(peak / 1_048_576), outages };
    },
  };
}

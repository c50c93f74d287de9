/** What a process has had of its cache. */
export interface CacheNumbers {
  /** Answers from the cache. */
  hits: number;
  /** Those that the store had to give. */
  misses: number;
  /** What was found and not believed: damaged, of another release, too old, or not of this store. */
  refused: number;
  /** Copies and looks that were read from the store to be kept, and the milliseconds that took in all. */
  fills: number;
  fillMs: number;
  /** Commits whose copies were taken away before and renewed after, and the milliseconds from the commit to the renewal in all. */
  renewals: number;
  lagMs: number;
  /** Times that the cache failed or hung, and was not asked for a while. */
  outages: number;
}

export const NOTHING: Readonly<CacheNumbers> = {
  hits: 0,
  misses: 0,
  refused: 0,
  fills: 0,
  fillMs: 0,
  renewals: 0,
  lagMs: 0,
  outages: 0,
};

/** Keeps {@link CacheNumbers}. */
export class CacheMeter {
  #numbers = { ...NOTHING };
  #sent = { ...NOTHING };

  get numbers(): Readonly<CacheNumbers> {
    return { ...this.#numbers };
  }

  /** What has been counted since the last call, by name, where it is more than nothing. */
  take(): Record<string, number> {
    const grown: [string, number][] = [];
    for (const name of Object.keys(NOTHING) as (keyof CacheNumbers)[]) {
      const more = Math.round(this.#numbers[name] - this.#sent[name]);
      if (more <= 0) continue;
      grown.push([name, more]);
      this.#sent[name] += more;
    }
    return Object.fromEntries(grown);
  }

  /** Of what was taken, what is to be taken again. */
  giveBack(numbers: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(NOTHING) as (keyof CacheNumbers)[]) this.#sent[name] -= numbers[name] ?? 0;
  }

  hit(): void {
    this.#numbers.hits++;
  }

  miss(): void {
    this.#numbers.misses++;
  }

  refuse(): void {
    this.#numbers.refused++;
  }

  fill(ms: number): void {
    this.#numbers.fills++;
    this.#numbers.fillMs += ms;
  }

  renew(lagMs: number): void {
    this.#numbers.renewals++;
    this.#numbers.lagMs += lagMs;
  }

  outage(): void {
    this.#numbers.outages++;
  }
}

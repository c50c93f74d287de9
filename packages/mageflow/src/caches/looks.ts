import type { Cache } from "../ports/cache.ts";
import type { Breaker } from "./breaker.ts";
import type { CacheMeter } from "./cache-meter.ts";
import { pageOf, readPage } from "./copy.ts";
import type { Watermarks } from "./watermarks.ts";

/** What a look shows may be this old (ms), as far as this process has not seen anything younger of the workflow. */
const LOOK_MS = 250;

interface Flight {
  /** When the store was asked, by the clock of this process, and what this process had seen by then. */
  readonly from: number;
  readonly there: number;
  readonly page: Promise<unknown>;
}

/** A question that the store answers with many rows, and the workflow that it is about, or null. */
export interface Question<T> {
  readonly key: string;
  readonly rootId: string | null;
  readonly ask: () => Promise<T>;
}

/**
 * Pages and counters. They change with almost every commit of a workflow, so that writers do not look after them: however many ask, and in
 * however many processes, the store is asked four times a second at most. What a process has committed or seen the end of is in
 * every look that it shows from then on.
 */
export class Looks {
  readonly #cache: Cache;
  readonly #breaker: Breaker;
  readonly #seen: Watermarks;
  readonly #meter: CacheMeter;
  readonly #flights = new Map<string, Flight>();

  constructor(cache: Cache, breaker: Breaker, seen: Watermarks, meter: CacheMeter) {
    this.#cache = cache;
    this.#breaker = breaker;
    this.#seen = seen;
    this.#meter = meter;
  }

  async read<T>({ key, rootId, ask }: Question<T>): Promise<T> {
    const sent = performance.now();
    // What this process works on is younger than any look.
    if (sent - this.#seen.of(rootId).wrote <= LOOK_MS) return this.#joined({ key, rootId, ask }, sent, null);
    const found = await this.#breaker.ask(() => this.#cache.look(key, rootId));
    if (found === null) return ask();
    const { now, look } = found;
    const seen = this.#seen.of(rootId);
    if (look !== null) {
      const age = now - look.since;
      // Instants of the cache are cut to whole milliseconds.
      if (age >= 0 && age <= LOOK_MS && look.since >= seen.there && age + 1 <= sent - seen.here) {
        const page = readPage(look.text);
        if (page !== null) {
          this.#meter.hit();
          return page as T;
        }
        this.#meter.refuse();
      }
    }
    this.#meter.miss();
    return this.#joined({ key, rootId, ask }, sent, now);
  }

  /** Waits for who asks the same already, if that is soon enough, or asks. */
  #joined<T>(question: Question<T>, sent: number, since: number | null): Promise<T> {
    const seen = this.#seen.of(question.rootId);
    const flight = this.#flights.get(question.key);
    const isNew =
      flight !== undefined &&
      flight.from > seen.here &&
      flight.there >= seen.there &&
      sent - flight.from <= LOOK_MS;
    return isNew ? (flight.page as Promise<T>) : this.#ask(question, since);
  }

  /** Reads what somebody will probably ask for next, if it is not there. */
  prefetch<T>(question: Question<T>): void {
    if (!this.#breaker.isUp || this.#flights.has(question.key)) return;
    this.read(question).catch(() => {
      // Who asks for it is told.
    });
  }

  /** `since` is an instant before now, by the clock of the cache; null when it is not to be kept. */
  #ask<T>({ key, rootId, ask }: Question<T>, since: number | null): Promise<T> {
    const from = performance.now();
    const page = ask();
    const flight: Flight = { from, there: this.#seen.of(rootId).there, page };
    this.#flights.set(key, flight);
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    page.then(
      (answer) => {
        land();
        this.#meter.fill(performance.now() - from);
        const text = since === null ? null : pageOf(answer);
        if (since !== null && text !== null)
          void this.#breaker.tell(() => this.#cache.keep(key, { since, text }, LOOK_MS));
      },
      () => land(),
    );
    return page;
  }
}

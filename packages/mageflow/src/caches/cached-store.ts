import { randomUUID } from "node:crypto";
import { StoreError } from "../core/errors.ts";
import type { FlowEvent } from "../core/event.ts";
import { rootOf } from "../core/ids.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Status } from "../core/status.ts";
import type { Cache, Filling } from "../ports/cache.ts";
import {
  type ChildQuery,
  type ListQuery,
  type Notes,
  OutcomeUnknown,
  type Store,
  type Transaction,
} from "../ports/store.ts";
import { BeforeStore } from "./before-store.ts";
import { Breaker, SLOW, SLOW_MS } from "./breaker.ts";
import { CacheMeter } from "./cache-meter.ts";
import { copyOf, lifeOf, recordOf, tellsAnEnd } from "./copy.ts";
import { GatheredReads } from "./gathered-reads.ts";
import { Looks } from "./looks.ts";
import { namespaceOf } from "./namespace.ts";
import { notedWrites } from "./noted-writes.ts";
import { Watermarks } from "./watermarks.ts";
import { Writing } from "./writing.ts";

/** A reader keeps an empty place for so long (ms): what it has read is not older than that when it comes. */
const READER_MS = 1_000;
/** A writer keeps a place for so long (ms). One that dies leaves it empty until then. */
const WRITER_MS = 5_000;
/**
 * What this process works on, having committed something of it in this time (ms), it reads from the store: copies would be taken away by
 * its next commit, and be made for itself alone.
 */
const BUSY_MS = 250;
/** Numbers are added to those of other processes this often (ms), and a bell that is heard no more is listened for again. */
const TICK_MS = 1_000;

/**
 * A store with a cache in front of it. The store commits first and holds everything; what the cache shows is never ahead of it.
 *
 * What is asked inside a transaction is asked of the store. Beside transactions, records by id are as they were committed last by any process
 * that uses the cache, and no more than a second behind those that do not (15 s once they have settled); pages, lists, counters and
 * notes are at most a quarter of a second old. What this process has committed, or has seen the end of, it never sees undone. When the cache fails, hangs, is
 * full or is flushed, the store answers.
 */
export class CachedStore extends BeforeStore {
  readonly name: string;
  readonly cache: Cache;
  readonly meter: CacheMeter = new CacheMeter();
  readonly #self = randomUUID().slice(0, 13);
  readonly #breaker: Breaker;
  readonly #seen = new Watermarks();
  readonly #looks: Looks;
  readonly #missing: GatheredReads;
  readonly #listeners = new Set<() => void>();
  /** What the cache has not answered yet that was told of commits. */
  readonly #ending = new Set<Promise<void>>();
  #namespace: string | null = null;
  #deaf: (() => Promise<void>) | null = null;
  #counting: NodeJS.Timeout | null = null;
  #number = 0;
  /** True until it was first tried to connect. */
  #isNew = true;

  constructor(truth: Store, cache: Cache) {
    super(truth);
    this.cache = cache;
    this.name = `${truth.name}, behind ${cache.name}`;
    this.#breaker = new Breaker(
      () => this.#comeBack(),
      (why) => {
        if (why === null) return;
        this.meter.outage();
        process.emitWarning(
          `${this.cache.name} cannot be used (${why.message}); until it can, the store answers alone`,
          { type: "MageFlowWarning", code: "CACHE_DEGRADED" },
        );
        // What was sent and not answered is to have no effect later, and holds up nobody.
        void this.cache.close();
      },
    );
    this.#looks = new Looks(cache, this.#breaker, this.#seen, this.meter);
    this.#missing = new GatheredReads((ids) => truth.get(ids));
  }

  /** Why the cache is not asked, or null when all is well. */
  get degraded(): string | null {
    return this.#breaker.why;
  }

  /** Opens the store, and goes on without the cache when that cannot be reached. */
  override async open(): Promise<void> {
    await this.truth.open();
    this.#namespace ??= await namespaceOf(this.truth);
    await this.#breaker.open();
    this.#counting ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Everything in the cache is read from the store again. @throws StoreError (`STORE_UNAVAILABLE`) */
  async forget(): Promise<void> {
    await this.#breaker.tell(() => this.cache.forget());
    this.requireCache();
  }

  /** Finds out whether the cache can be written to: one that is full or a replica can be connected to. */
  async tryWriting(): Promise<void> {
    await this.#breaker.tell(() => this.cache.count(NO_OUTAGE));
  }

  /** @throws StoreError (`STORE_UNAVAILABLE`) when the cache is not in use. */
  requireCache(): void {
    if (this.degraded !== null)
      throw new StoreError("STORE_UNAVAILABLE", `${this.cache.name} cannot be used: ${this.degraded}`);
  }

  override async close(): Promise<void> {
    await this.truth.close();
    await Promise.all(this.#ending);
    clearInterval(this.#counting ?? undefined);
    this.#counting = null;
    this.#count();
    await Promise.all(this.#ending);
    this.#breaker.close();
    await this.#deaf?.();
    this.#deaf = null;
    await this.cache.close();
  }

  override async transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const writing = new Writing(`${this.#self}${++this.#number}`);
    try {
      const answer = await this.truth.transact((tx) =>
        work(
          notedWrites(tx, async (changes) => {
            const leaving = writing.add(changes);
            if (leaving === null) return;
            const hot = await this.#breaker.ask(() =>
              this.cache.begin(writing.by, { ...leaving, lease: WRITER_MS }),
            );
            writing.heat(hot ?? []);
          }),
        ),
      );
      this.#end(writing, true);
      return answer;
    } catch (error) {
      if (error instanceof OutcomeUnknown) this.#leaveOpen(writing);
      else this.#end(writing, false);
      throw error;
    }
  }

  override async get(ids: readonly string[]): Promise<SignatureRecord[]> {
    const since = performance.now() - BUSY_MS;
    const [wanted, busy]: [string[], string[]] = [[], []];
    for (const id of new Set(ids)) (this.#seen.of(rootOf(id)).wrote > since ? busy : wanted).push(id);
    const [copied, stored] = await Promise.all([
      wanted.length === 0 ? [] : this.#read(wanted),
      busy.length === 0 ? [] : this.#stored(busy),
    ]);
    return [...copied, ...stored];
  }

  async #read(wanted: readonly string[]): Promise<SignatureRecord[]> {
    const reader = `${this.#self}${++this.#number}`;
    const sighting = await this.#breaker.ask(() => this.cache.read(wanted, reader, READER_MS));
    if (sighting === null) return this.#stored(wanted);
    const found: SignatureRecord[] = [];
    const others: string[] = [];
    for (const id of wanted) {
      const copy = sighting.copies.get(id);
      const record = copy === undefined ? null : recordOf(id, copy.text);
      const age = copy === undefined ? 0 : sighting.now - copy.at;
      if (copy === undefined || record === null || age < 0 || age > lifeOf(record)) {
        if (copy !== undefined) this.meter.refuse();
        this.meter.miss();
        others.push(id);
      } else {
        this.meter.hit();
        if (tellsAnEnd(record)) this.#seen.raise(record.rootId, { there: copy.at });
        found.push(record);
      }
    }
    if (others.length === 0) return found;
    return [...found, ...(await this.#load(others, reader, sighting.kept))];
  }

  override async children(query: ChildQuery): Promise<SignatureRecord[]> {
    // Those of some statuses are asked for by who steers.
    if (query.statuses !== undefined) return this.truth.children(query);
    const page = await this.#looks.read(this.#pageOf(query));
    const last = page.at(-1);
    // Who has gone on once goes on again.
    if (query.after !== null && last !== undefined && page.length === query.limit)
      this.#looks.prefetch(this.#pageOf({ ...query, after: query.of === "children" ? last.slot : last.id }));
    return page;
  }

  #pageOf(query: ChildQuery) {
    const { parentId, of, after, limit } = query;
    return {
      key: JSON.stringify(["children", parentId, of, after, limit]),
      rootId: rootOf(parentId),
      ask: () => this.truth.children(query),
    };
  }

  override async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    const rows = await this.#looks.read({
      key: JSON.stringify(["tally", parentId, statuses]),
      rootId: rootOf(parentId),
      ask: async () => [...(await this.truth.tally(parentId, statuses))],
    });
    return new Map(rows);
  }

  override async list(query: ListQuery): Promise<SignatureRecord[]> {
    return this.#looks.read({
      key: JSON.stringify(["list", query]),
      rootId: null,
      ask: () => this.truth.list(query),
    });
  }

  override async notes(id: string, generation: number): Promise<Notes> {
    const { steps, ...others } = await this.#looks.read({
      key: JSON.stringify(["notes", id, generation]),
      rootId: rootOf(id),
      ask: async () => {
        const notes = await this.truth.notes(id, generation);
        return { ...notes, steps: [...notes.steps] };
      },
    });
    return { ...others, steps: new Map(steps) };
  }

  override async journal(query: { rootId: string; after: number; limit: number }): Promise<FlowEvent[]> {
    const events = await this.truth.journal(query);
    // Who is told that something has happened finds it so.
    if (events.length > 0) this.#seen.raise(query.rootId, { here: performance.now() });
    return events;
  }

  /** The store's doorbell, and that of the cache, which may be heard earlier. */
  override watch(listener: () => void): () => void {
    // Wrapped, so that the same function can listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    if (this.#breaker.isUp) void this.#listen();
    const unwatch = this.truth.watch(listener);
    return () => {
      this.#listeners.delete(entry);
      unwatch();
    };
  }

  /** Connects. What was committed meanwhile was not told to the cache, so that nothing in it is to be believed. */
  async #comeBack(): Promise<void> {
    const wasAway = !this.#isNew;
    this.#isNew = false;
    await this.cache.open(this.#namespace!);
    if (wasAway) {
      const asked = performance.now();
      await this.cache.forget();
      if (performance.now() - asked > SLOW_MS) throw new Error(SLOW);
    }
    this.#deaf = null;
    if (this.#listeners.size > 0) await this.#listen();
  }

  async #listen(): Promise<void> {
    if (this.#deaf !== null) return;
    this.#deaf = async () => {};
    try {
      this.#deaf = await this.cache.listen(
        () => {
          for (const listener of this.#listeners) listener();
        },
        () => (this.#deaf = null),
      );
    } catch {
      // The store's own doorbell is heard.
      this.#deaf = null;
    }
  }

  async #stored(ids: readonly string[]): Promise<SignatureRecord[]> {
    const records = await this.#missing.get(ids);
    const here = performance.now();
    for (const record of records) if (tellsAnEnd(record)) this.#seen.raise(record.rootId, { here });
    return records;
  }

  async #load(ids: readonly string[], reader: string, kept: readonly string[]): Promise<SignatureRecord[]> {
    const from = performance.now();
    const records = await this.#stored(ids);
    const mine = new Set(kept);
    const fillings: Filling[] = [];
    for (const record of records) {
      if (mine.delete(record.id)) fillings.push(fillingOf(record));
    }
    for (const id of mine) fillings.push({ id, text: null, life: 0 });
    if (fillings.length > 0) {
      this.meter.fill(performance.now() - from);
      void this.#breaker.tell(() => this.cache.fill(reader, fillings));
    }
    return records;
  }

  /** Not waited for: until the cache has heard of it, places that were written are empty. */
  #end(writing: Writing, wasKept: boolean): void {
    if (writing.isEmpty) return;
    const now = performance.now();
    for (const rootId of writing.roots) this.#seen.raise(rootId, { here: now, wrote: now });
    const copies = writing
      .renewed(wasKept)
      .map(fillingOf)
      .filter(({ text }) => text !== null);
    const renewed = new Set(copies.map(({ id }) => id));
    const without = writing.all.ids.filter((id) => !renewed.has(id));
    const back = wasKept ? [] : writing.gone;
    this.#soon(async () => {
      const told = await this.#breaker.tell(() =>
        this.cache.end(writing.by, { copies, without, back, ring: wasKept }),
      );
      if (told && wasKept) this.meter.renew(performance.now() - now);
    });
  }

  /** Nobody knows whether it was kept: the places stay empty for as long as that may take to be seen. */
  #leaveOpen(writing: Writing): void {
    for (const rootId of writing.roots) this.#seen.raise(rootId, { here: performance.now() });
    const leaving = writing.all;
    this.#soon(async () => {
      await this.#breaker.tell(async () => {
        await this.cache.begin(writing.by, { ...leaving, lease: WRITER_MS });
      });
    });
  }

  /** Once a second. */
  #tick(): void {
    if (this.#listeners.size > 0 && this.#breaker.isUp) void this.#listen();
    this.#count();
  }

  /** What the cache has not taken is told again with what comes after it: an outage is counted while it lasts. */
  #count(): void {
    const numbers = this.meter.take();
    if (Object.keys(numbers).length === 0) return;
    this.#soon(async () => {
      if (!(await this.#breaker.tell(() => this.cache.count(numbers)))) this.meter.giveBack(numbers);
    });
  }

  #soon(work: () => Promise<void>): void {
    const done: Promise<void> = work().finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }
}

const NO_OUTAGE = { outages: 0 };

function fillingOf(record: SignatureRecord): Filling {
  return { id: record.id, text: copyOf(record), life: lifeOf(record) };
}

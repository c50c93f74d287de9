import { isDeepStrictEqual } from "node:util";
import type { SignatureRecord } from "../core/record.ts";
import type { CacheEntry } from "../ports/cache.ts";
import type { CachedStore } from "./cached-store.ts";
import { type CacheNumbers, NOTHING } from "./cache-meter.ts";
import { recordOf } from "./copy.ts";

/** How many entries of a kind are kept, and how much that is. */
export interface Kept {
  readonly entries: number;
  readonly bytes: number;
}

/** What a cache is doing. */
export interface CacheStats {
  /** Kind and place, without secrets. */
  readonly name: string;
  /** `degraded` while the store answers alone. */
  readonly health: "ok" | "degraded";
  /** Why it is degraded, or null. */
  readonly why: string | null;
  /** Of this process since it opened the store. */
  readonly process: Readonly<CacheNumbers>;
  /** What the rest of this tells is null while it cannot be asked. */
  readonly shared: {
    /** Of all processes, for as long as at least one of them asks every hour; a second behind. */
    readonly all: Readonly<CacheNumbers>;
    /** Answers that the store did not have to give, from 0 to 1, or null when nothing was asked. */
    readonly hitRate: number | null;
    /** Milliseconds that the store took for what was missing, and from a commit to the renewal of its copies; on average. */
    readonly fillMs: number | null;
    readonly lagMs: number | null;
    /** Records; pages and counters; places that are kept for who writes or reads. */
    readonly copies: Kept;
    readonly looks: Kept;
    readonly places: Kept;
    /** What the server uses in all, for whomever, and may use; and what it does when it is full. */
    readonly usedBytes: number | null;
    readonly maxBytes: number | null;
    readonly whenFull: string | null;
  } | null;
}

/** A copy that is not what the store holds. */
export interface Divergence {
  readonly id: string;
  readonly message: string;
}

const NOTHING_KEPT: Kept = { entries: 0, bytes: 0 };

export async function cacheStats(store: CachedStore): Promise<CacheStats> {
  const { cache, meter } = store;
  await store.tryWriting();
  const shared = store.degraded === null ? await sharedStats(store).catch(() => null) : null;
  const why = store.degraded ?? (shared === null ? "it could not be asked" : null);
  return {
    name: cache.name,
    health: why === null ? "ok" : "degraded",
    why,
    process: meter.numbers,
    shared,
  };
}

async function sharedStats({ cache }: CachedStore): Promise<CacheStats["shared"]> {
  const { counted, ...memory } = await cache.usage();
  const all: CacheNumbers = { ...NOTHING, ...counted };
  const kept = { copy: NOTHING_KEPT, look: NOTHING_KEPT, place: NOTHING_KEPT };
  for await (const page of cache.entries()) {
    for (const { kind, bytes } of page) {
      const { entries, bytes: before } = kept[kind];
      kept[kind] = { entries: entries + 1, bytes: before + bytes };
    }
  }
  return {
    all,
    hitRate: part(all.hits, all.hits + all.misses),
    fillMs: part(all.fillMs, all.fills),
    lagMs: part(all.lagMs, all.renewals),
    copies: kept.copy,
    looks: kept.look,
    places: kept.place,
    ...memory,
  };
}

/** Copies that are not what the store holds, and calls `onProgress` with how many were compared. Work may go on meanwhile. */
export async function* divergences(
  store: CachedStore,
  onProgress: (compared: number) => void,
): AsyncGenerator<Divergence> {
  store.requireCache();
  let compared = 0;
  for await (const page of store.cache.entries()) {
    const copies = page.filter(({ copy }) => copy !== null);
    for (const { id, why } of await differing(store, copies)) {
      // A commit between the two reads takes the copy away: one that stays is looked at again.
      if (why !== null && (await isStill(store, id))) yield { id, message: why };
    }
    compared += copies.length;
    onProgress(compared);
  }
}

async function differing(
  { truth }: CachedStore,
  entries: readonly CacheEntry[],
): Promise<{ id: string; why: string | null }[]> {
  if (entries.length === 0) return [];
  const stored = await truth.get([...new Set(entries.map(({ id }) => id))]);
  const byId = new Map(stored.map((record) => [record.id, record]));
  return entries.map(({ id, copy }) => ({ id, why: difference(id, copy!.text, byId.get(id)) }));
}

/** Whether what is shown differs from the store, asked in this order a second time. */
async function isStill(store: CachedStore, id: string): Promise<boolean> {
  const { copies, kept } = await store.cache.read([id], "verify", 1);
  if (kept.length > 0) await store.cache.fill("verify", [{ id, text: null, life: 0 }]);
  const copy = copies.get(id);
  // What no reader takes for a copy is shown to nobody, and does not belong there.
  if (copy === undefined) return kept.length === 0;
  const [again] = await differing(store, [{ kind: "copy", id, bytes: 0, copy }]);
  return again?.why !== null;
}

function difference(id: string, text: string, stored: SignatureRecord | undefined): string | null {
  const copied = recordOf(id, text);
  if (copied === null) return "its copy cannot be read";
  if (stored === undefined) return "there is a copy of it, and no such record";
  const fields = (Object.keys(stored) as (keyof SignatureRecord)[]).filter(
    (field) => !isDeepStrictEqual(copied[field], stored[field]),
  );
  return fields.length === 0 ? null : `its copy differs in ${fields.join(", ")}`;
}

function part(some: number, all: number): number | null {
  return all === 0 ? null : some / all;
}

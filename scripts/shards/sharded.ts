import type { AnyPlan } from "../../packages/mageflow/src/core/flow.ts";
import { embeddedEngine } from "../../packages/mageflow/src/engines/embedded/embedded-engine.ts";
import { systemClock } from "../../packages/mageflow/src/engines/embedded/system-clock.ts";
import { ulidSource } from "../../packages/mageflow/src/engines/embedded/ulid-source.ts";
import type { ListQuery, Store } from "../../packages/mageflow/src/ports/store.ts";
import type { SignatureRecord } from "../../packages/mageflow/src/core/record.ts";
import { autoResume } from "../../packages/mageflow/src/runtime/auto-resume.ts";
import type { Handler } from "../../packages/mageflow/src/runtime/handler.ts";
import { launch } from "../../packages/mageflow/src/runtime/launch.ts";
import { Run } from "../../packages/mageflow/src/runtime/run.ts";
import { Runtime } from "../../packages/mageflow/src/runtime/runtime.ts";
import { rendezvous, shardId, shardOf } from "./placement.ts";

/** A page, and what it cost. */
export interface Page {
  readonly items: readonly Pick<SignatureRecord, "id" | "createdAt">[];
  readonly next: ListQuery["after"];
  readonly shardsAsked: number;
  /** Shards that could not be asked: what they have is not on the page. */
  readonly missing: readonly number[];
}

/** As every store lists. */
export function newestFirst(a: Page["items"][number], b: Page["items"][number]): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}

/**
 * A prototype of a face over several databases. Each has a runtime of its own, with its committer, reconciler and worker sessions: a
 * transaction never spans two, and nothing that is decided inside a workflow needs to. What is routed is the id or the key; what is merged is
 * lists.
 */
export class Sharded {
  readonly #shards: (Runtime | null)[] = [];
  readonly #handlers: ReadonlyMap<string, Handler>;
  /** How many there were when keys were placed, the newest first: a key that was used before is found where it was placed then. */
  readonly #epochs: number[] = [];
  /** Places in all, shared out among the shards. */
  readonly #concurrency: number;

  constructor(handlers: ReadonlyMap<string, Handler>, concurrency: number) {
    this.#handlers = handlers;
    this.#concurrency = concurrency;
  }

  async grow(stores: readonly Store[]): Promise<void> {
    for (const store of stores) {
      const shard = this.#shards.length;
      this.#shards.push(null);
      await this.restore(shard, store);
    }
    this.#epochs.unshift(this.#shards.length);
  }

  /** A shard is gone, as its database may be. */
  async lose(shard: number): Promise<void> {
    const runtime = this.#at(shard);
    this.#shards[shard] = null;
    await runtime.close();
  }

  /** It is there (again), with a worker. */
  async restore(shard: number, store: Store): Promise<void> {
    const ids = ulidSource();
    const runtime = new Runtime({
      store,
      truth: store,
      engine: embeddedEngine,
      clock: systemClock,
      ids: { next: () => shardId(shard, ids.next()) },
      handlers: this.#handlers,
      isolateEntry: new URL("about:blank"),
      actor: "shards",
      retain: () => null,
      autoResume: autoResume(),
    });
    await runtime.start();
    await runtime.worker({ concurrency: this.#concurrency });
    this.#shards[shard] = runtime;
  }

  /**
   * A key is unique within the shard that it is placed on, for good: each number of shards that there has been is asked, the newest last. Throws
   * when one of them is gone, as the key may be known there.
   */
  async run(plan: AnyPlan, key: string): Promise<string> {
    const places = [...new Set(this.#epochs.map((shards) => rendezvous(key, shards)))];
    for (const shard of places.slice(1)) {
      const known = await this.#at(shard).store.byKey(key);
      if (known !== null) return known.id;
    }
    const run = await launch(this.#at(places[0]!), plan, undefined, { key }, { start: true, by: null });
    return run.id;
  }

  get(id: string): Run {
    return new Run(this.#at(shardOf(id)), id);
  }

  /** Roots, newest first: a page of each, of which the newest are picked. */
  async list(after: ListQuery["after"], limit: number): Promise<Page> {
    const missing: number[] = [];
    const pages = await Promise.all(
      this.#shards.map(async (runtime, shard) => {
        if (runtime !== null) return runtime.store.list({ roots: true, after, limit });
        missing.push(shard);
        return [];
      }),
    );
    const items = pages.flat().sort(newestFirst).slice(0, limit);
    const next = items.length < limit ? null : items.at(-1)!;
    return { items, next, shardsAsked: pages.length - missing.length, missing };
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map(async (runtime) => runtime?.close()));
  }

  #at(shard: number): Runtime {
    const runtime = this.#shards[shard];
    if (runtime === null || runtime === undefined) throw new Error(`shard ${shard} is gone`);
    return runtime;
  }
}

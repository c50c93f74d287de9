import type { Callbacks, Kind, Spec } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Store } from "../ports/store.ts";

/** The little of a spec that an audit needs. */
export interface SpecDigest {
  readonly kind: Kind;
  readonly callbacks: CallbackCounts;
  /** Callbacks that a swarm declares for its items. */
  readonly itemCallbacks: CallbackCounts;
  /** Of a swarm; null is unlimited. */
  readonly concurrency: number | null;
  /** Of a swarm; null is any number. */
  readonly stopAfterFailures: number | null;
}

export interface CallbackCounts {
  readonly success: number;
  readonly error: number;
  readonly cleanup: number;
}

const NO_COUNTS: CallbackCounts = { success: 0, error: 0, cleanup: 0 };
const REMEMBERED = 10_000;
const PAGE = 500;

/** Digests of specs, loaded a page at a time and remembered up to a bound. */
export class SpecDigests {
  readonly #store: Store;
  readonly #digests = new Map<string, SpecDigest>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Loads what these records need and {@link get} does not have. */
  async load(records: readonly SignatureRecord[]): Promise<void> {
    const missing = new Map<string, { rootId: string; id: string }>();
    for (const { rootId, spec } of records) {
      const key = keyOf(rootId, spec);
      if (!this.#digests.has(key)) missing.set(key, { rootId, id: spec });
    }
    if (this.#digests.size + missing.size > REMEMBERED) this.#digests.clear();
    const refs = [...missing.values()];
    for (let from = 0; from < refs.length; from += PAGE) {
      for (const row of await this.#store.specs(refs.slice(from, from + PAGE))) {
        const digest = digestOf(row.body);
        if (digest !== null) this.#digests.set(keyOf(row.rootId, row.id), digest);
      }
    }
  }

  get({ rootId, spec }: SignatureRecord): SpecDigest | undefined {
    return this.#digests.get(keyOf(rootId, spec));
  }
}

function keyOf(rootId: string, id: string): string {
  return `${rootId} ${id}`;
}

/** Null for a body that cannot be read: it counts as missing. */
function digestOf(body: string): SpecDigest | null {
  try {
    const spec = JSON.parse(body) as Spec;
    return {
      kind: spec.kind,
      callbacks: countsOf(spec.callbacks),
      itemCallbacks: spec.kind === "swarm" ? countsOf(spec.itemCallbacks) : NO_COUNTS,
      concurrency: spec.kind === "swarm" ? spec.concurrency : null,
      stopAfterFailures: spec.kind === "swarm" ? spec.stopAfterFailures : null,
    };
  } catch {
    return null;
  }
}

function countsOf({ success, error, cleanup }: Callbacks): CallbackCounts {
  return { success: success.length, error: error.length, cleanup: cleanup.length };
}

import type { Spec } from "../core/plan.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { SpecRef } from "../ports/store.ts";

/** Specs kept in memory; beyond it the oldest are dropped and read again when they are needed. */
const KEPT = 2_000;

/** Parsed specs by workflow and id. Specs never change once stored, so a cached one is always right. */
export class SpecCache {
  readonly #specs = new Map<string, Spec>();

  get(record: SignatureRecord): Spec | undefined {
    return this.#specs.get(key(record.rootId, record.spec));
  }

  add(row: SpecRow): void {
    const at = key(row.rootId, row.id);
    if (this.#specs.has(at)) return;
    if (this.#specs.size >= KEPT) this.#specs.delete(this.#specs.keys().next().value!);
    this.#specs.set(at, JSON.parse(row.body) as Spec);
  }

  /** The specs of these records that are not here, each once. */
  missing(records: Iterable<SignatureRecord>): SpecRef[] {
    const refs = new Map<string, SpecRef>();
    for (const { rootId, spec } of records) {
      const at = key(rootId, spec);
      if (!this.#specs.has(at)) refs.set(at, { rootId, id: spec });
    }
    return [...refs.values()];
  }
}

function key(rootId: string, id: string): string {
  return `${rootId} ${id}`;
}

import type { Spec } from "../core/plan.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { SpecRef } from "../ports/store.ts";

/** Workflows, and specs of one workflow, kept in memory; beyond it the oldest are dropped and read again when they are needed. */
const KEPT_WORKFLOWS = 4_000;
const KEPT_SPECS = 1_000;

/** Parsed specs by workflow and id. Specs never change once stored, so a cached one is always right. */
export class SpecCache {
  readonly #workflows = new Map<string, Map<string, Spec>>();
  /** Workflows of which more is here than is kept. */
  readonly #long = new Set<Map<string, Spec>>();

  get({ rootId, spec }: SignatureRecord): Spec | undefined {
    return this.#workflows.get(rootId)?.get(spec);
  }

  has({ rootId, id }: SpecRef): boolean {
    return this.#workflows.get(rootId)?.has(id) === true;
  }

  /** A spec that cannot be read is as if it was not stored. */
  add({ rootId, id, body }: SpecRow): void {
    let specs = this.#workflows.get(rootId);
    if (specs === undefined) this.#workflows.set(rootId, (specs = new Map<string, Spec>()));
    const spec = specs.get(id) ?? parsed(body);
    if (spec !== undefined) specs.set(id, spec);
    if (specs.size > KEPT_SPECS) this.#long.add(specs);
  }

  /** Drops what is too much. Called between transactions: a transaction counts on what it has loaded. */
  trim(): void {
    for (const specs of this.#long) trim(specs, KEPT_SPECS);
    this.#long.clear();
    trim(this.#workflows, KEPT_WORKFLOWS);
  }

  /** The specs of these records that are not here, each once. */
  missing(records: Iterable<SignatureRecord>): SpecRef[] {
    const refs: SpecRef[] = [];
    for (const record of records) {
      if (this.get(record) !== undefined) continue;
      const { rootId, spec: id } = record;
      if (!refs.some((ref) => ref.rootId === rootId && ref.id === id)) refs.push({ rootId, id });
    }
    return refs;
  }
}

function parsed(body: string): Spec | undefined {
  try {
    return JSON.parse(body) as Spec;
  } catch {
    return undefined;
  }
}

function trim(map: Map<string, unknown>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}

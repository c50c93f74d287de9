import type { SpecRow } from "../../core/record.ts";
import type { SpecRef } from "../../ports/store.ts";

/** Specs by workflow and id. */
export class SpecTable {
  readonly #workflows = new Map<string, Map<string, SpecRow>>();

  has({ rootId, id }: SpecRef): boolean {
    return this.#workflows.get(rootId)?.has(id) ?? false;
  }

  put(row: SpecRow): void {
    let specs = this.#workflows.get(row.rootId);
    if (specs === undefined) this.#workflows.set(row.rootId, (specs = new Map()));
    specs.set(row.id, row);
  }

  get(refs: readonly SpecRef[]): SpecRow[] {
    const found = new Set<SpecRow>();
    for (const { rootId, id } of refs) {
      const row = this.#workflows.get(rootId)?.get(id);
      if (row !== undefined) found.add(row);
    }
    return [...found];
  }

  drop(rootId: string): void {
    this.#workflows.delete(rootId);
  }
}

import type { SignatureRecord } from "../core/record.ts";

/** Some more than a busy worker has under way. */
const MOST = 16_384;

/** Ids of signatures that are known to be tasks, which they are for ever. */
export class KnownTasks {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(records: readonly SignatureRecord[]): void {
    if (this.#ids.size > MOST) this.#ids.clear();
    for (const { id, kind } of records) if (kind === "task") this.#ids.add(id);
  }
}

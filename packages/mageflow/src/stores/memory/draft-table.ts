import type { SignatureRecord } from "../../core/record.ts";
import { SignatureTable } from "./signature-table.ts";

interface Draft {
  /** Negative once it is being discarded: nothing can be added to it any more, nor can it be finished. */
  begunAt: number;
  readonly ids: Set<string>;
}

/** Trees that are still being stored: their records wait here, apart from what most reads look at. */
export class DraftTable {
  readonly records: SignatureTable = new SignatureTable();
  /** By root, oldest first. */
  readonly #drafts = new Map<string, Draft>();

  has(rootId: string): boolean {
    return this.#drafts.has(rootId);
  }

  /** True while it is being stored. */
  takes(rootId: string): boolean {
    return (this.#drafts.get(rootId)?.begunAt ?? -1) >= 0;
  }

  begin(rootId: string, now: number): void {
    this.#drafts.set(rootId, { begunAt: now, ids: new Set() });
  }

  put(record: SignatureRecord): void {
    this.#drafts.get(record.rootId)!.ids.add(record.id);
    this.records.put(record);
  }

  /** Takes in a tree that is to be removed. */
  condemn(rootId: string, records: Iterable<SignatureRecord>): void {
    this.#drafts.set(rootId, { begunAt: -1, ids: new Set() });
    for (const record of records) this.put(record);
  }

  /** Ends the draft and hands out its records. */
  finish(rootId: string): SignatureRecord[] {
    return this.discard(rootId, Infinity);
  }

  abandoned(before: number, limit: number): string[] {
    return this.#drafts
      .entries()
      .filter(([, { begunAt }]) => begunAt < before)
      .take(limit)
      .map(([rootId]) => rootId)
      .toArray();
  }

  /** How many records a draft has. */
  size(rootId: string): number {
    return this.#drafts.get(rootId)?.ids.size ?? 0;
  }

  /** Removes up to `limit` records, and with the last of them the draft; returns what was removed. */
  discard(rootId: string, limit: number): SignatureRecord[] {
    const draft = this.#drafts.get(rootId);
    if (draft === undefined) return [];
    draft.begunAt = -1;
    const removed = this.records.get(draft.ids.values().take(limit));
    for (const { id } of removed) {
      draft.ids.delete(id);
      this.records.delete(id);
    }
    if (draft.ids.size === 0) this.#drafts.delete(rootId);
    return removed;
  }
}

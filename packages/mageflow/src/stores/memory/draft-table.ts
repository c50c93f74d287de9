import type { SignatureRecord } from "../../core/record.ts";
import { SignatureTable } from "./signature-table.ts";

interface Draft {
  /** Negative once it is being discarded: nothing can be added to it any more, nor can it be finished. */
  begunAt: number;
  readonly ids: Set<string>;
}

/** Trees that are still being stored, or removed: their records wait here, apart from what most reads look at. */
export class DraftTable {
  /** What is being stored. */
  readonly records: SignatureTable = new SignatureTable();
  /** What is being discarded, which nobody sees. */
  readonly #leaving = new Map<string, SignatureRecord>();
  /** By root, oldest first. */
  readonly #drafts = new Map<string, Draft>();

  has(rootId: string): boolean {
    return this.#drafts.has(rootId);
  }

  holds(id: string): boolean {
    return this.records.has(id) || this.#leaving.has(id);
  }

  /** True while it is being stored. */
  takes(rootId: string): boolean {
    return (this.#drafts.get(rootId)?.begunAt ?? -1) >= 0;
  }

  /** True once it is being discarded. */
  isLeaving(rootId: string): boolean {
    return this.has(rootId) && !this.takes(rootId);
  }

  begin(rootId: string, now: number): void {
    this.#drafts.set(rootId, { begunAt: now, ids: new Set() });
  }

  put(record: SignatureRecord): void {
    this.#drafts.get(record.rootId)!.ids.add(record.id);
    if (this.takes(record.rootId)) this.records.put(record);
    else this.#leaving.set(record.id, record);
  }

  /** Takes in a tree that is to be removed. */
  condemn(rootId: string, records: Iterable<SignatureRecord>): void {
    this.#drafts.set(rootId, { begunAt: -1, ids: new Set() });
    for (const record of records) this.put(record);
  }

  /** Ends the draft and hands out its records. */
  finish(rootId: string): SignatureRecord[] {
    const records = this.#withdraw(rootId);
    this.#drafts.delete(rootId);
    return records;
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
    if (this.takes(rootId)) {
      const records = this.#withdraw(rootId);
      draft.begunAt = -1;
      for (const record of records) this.put(record);
    }
    const removed = [...draft.ids.values().take(limit)].map((id) => this.#leaving.get(id)!);
    for (const { id } of removed) {
      draft.ids.delete(id);
      this.#leaving.delete(id);
    }
    if (draft.ids.size === 0) this.#drafts.delete(rootId);
    return removed;
  }

  /** Takes the records of a draft out of sight. */
  #withdraw(rootId: string): SignatureRecord[] {
    const records = this.records.get(this.#drafts.get(rootId)!.ids);
    for (const { id } of records) this.records.delete(id);
    return records;
  }
}

import type { SignatureRecord } from "../../core/record.ts";
import { SortedSet } from "./sorted-set.ts";

type Order = (a: SignatureRecord, b: SignatureRecord) => number;

/** Some of the records, in groups, each group in order: what a database calls a partial index. */
export class RecordIndex {
  readonly #groupOf: (record: SignatureRecord) => string | null;
  readonly #order: Order;
  readonly #groups = new Map<string, SortedSet<SignatureRecord>>();
  readonly #none: SortedSet<SignatureRecord>;

  /** `groupOf` is null for what is left out. `order` tells records apart: it ends with the id. */
  constructor(groupOf: (record: SignatureRecord) => string | null, order: Order) {
    this.#groupOf = groupOf;
    this.#order = order;
    this.#none = new SortedSet(order);
  }

  /** A record was inserted (`before` is null), changed, or deleted (`now` is null). */
  put(before: SignatureRecord | null, now: SignatureRecord | null): void {
    const from = before === null ? null : this.#groupOf(before);
    const to = now === null ? null : this.#groupOf(now);
    if (from !== null && (from !== to || this.#order(before!, now!) !== 0)) this.#remove(from, before!);
    if (to === null) return;
    let group = this.#groups.get(to);
    if (group === undefined) this.#groups.set(to, (group = new SortedSet(this.#order)));
    group.put(now!);
  }

  group(name: string): SortedSet<SignatureRecord> {
    return this.#groups.get(name) ?? this.#none;
  }

  /** The groups that are not empty, those first that became so first. */
  groups(): MapIterator<[string, SortedSet<SignatureRecord>]> {
    return this.#groups.entries();
  }

  #remove(name: string, record: SignatureRecord): void {
    const group = this.#groups.get(name)!;
    group.delete(record);
    if (group.size === 0) this.#groups.delete(name);
  }
}

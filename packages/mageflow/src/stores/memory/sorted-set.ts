/** Values of one bucket; a fuller one is split. Small enough to be moved in memory at once. */
const BUCKET = 512;

/**
 * Values kept in the order of a comparison that tells any two of them apart. They lie in buckets, so that adding or
 * removing one moves few others however many there are.
 */
export class SortedSet<T> {
  readonly #compare: (a: T, b: T) => number;
  /** Never empty buckets, in order. */
  readonly #buckets: T[][] = [];
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a value, or puts it in the place of the one that compares equal. */
  put(value: T): void {
    if (this.#size === 0) {
      this.#buckets.push([value]);
      this.#size = 1;
      return;
    }
    const isBefore = (other: T): boolean => this.#compare(other, value) < 0;
    const at = Math.min(this.#bucketFrom(isBefore), this.#buckets.length - 1);
    const bucket = this.#buckets[at]!;
    const place = firstNot(bucket, isBefore);
    if (place < bucket.length && this.#compare(bucket[place]!, value) === 0) {
      bucket[place] = value;
      return;
    }
    bucket.splice(place, 0, value);
    this.#size++;
    if (bucket.length > BUCKET) this.#buckets.splice(at + 1, 0, bucket.splice(splitAt(bucket, place)));
  }

  delete(value: T): void {
    const isBefore = (other: T): boolean => this.#compare(other, value) < 0;
    const at = this.#bucketFrom(isBefore);
    const bucket = this.#buckets[at];
    if (bucket === undefined) return;
    const place = firstNot(bucket, isBefore);
    if (this.#compare(bucket[place]!, value) !== 0) return;
    bucket.splice(place, 1);
    this.#size--;
    if (bucket.length === 0) this.#buckets.splice(at, 1);
  }

  /** The values in order, from the first one that is not `skipped`; those that are skipped must come first. */
  *from(skipped: (value: T) => boolean): Generator<T> {
    const first = this.#bucketFrom(skipped);
    for (let at = first; at < this.#buckets.length; at++) {
      const bucket = this.#buckets[at]!;
      for (let i = at === first ? firstNot(bucket, skipped) : 0; i < bucket.length; i++) yield bucket[i]!;
    }
  }

  [Symbol.iterator](): Generator<T> {
    return this.from(() => false);
  }

  /** The first bucket whose last value is not `skipped`. */
  #bucketFrom(skipped: (value: T) => boolean): number {
    return firstNot(this.#buckets, (bucket) => skipped(bucket.at(-1)!));
  }
}

/** Values that come in order leave full buckets behind, others half full ones. */
function splitAt(bucket: readonly unknown[], added: number): number {
  return added === bucket.length - 1 ? added : bucket.length >> 1;
}

function firstNot<T>(values: readonly T[], skipped: (value: T) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (skipped(values[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

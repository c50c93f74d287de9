/** Everything that happened, as one running hash; the lines themselves only when somebody wants to read them. */
export class Trace {
  readonly lines: string[] = [];
  readonly #keep: boolean;
  #high = 0xdeadbeef;
  #low = 0x41c6ce57;

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** cyrb53 (https://github.com/bryc/code, public domain), carried on from line to line. */
  add(line: string): void {
    if (this.#keep) this.lines.push(line);
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i);
      high = Math.imul(high ^ unit, 2654435761);
      low = Math.imul(low ^ unit, 1597334677);
    }
    this.#high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
    this.#low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  }

  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, "0") + (this.#low >>> 0).toString(16).padStart(8, "0");
  }
}
